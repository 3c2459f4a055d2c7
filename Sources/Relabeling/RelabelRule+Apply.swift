import Regexp
package import SeriesModel

extension [RelabelRule] {
    /// Applies the rules in order.
    /// - Returns: the labels as changed; nil where a rule drops them.
    package func apply(to labels: LabelSet) -> LabelSet? {
        if isEmpty { return labels }
        var builder = LabelSetBuilder(labels)
        return apply(to: &builder) ? builder.build() : nil
    }

    /// The same on labels that are being built.
    /// - Returns: false where a rule drops them.
    package func apply(to labels: inout LabelSetBuilder) -> Bool {
        for rule in self {
            guard rule.apply(to: &labels) else { return false }
        }
        return true
    }
}

extension RelabelRule {
    /// - Returns: false where the rule drops the labels.
    package func apply(to labels: inout LabelSetBuilder) -> Bool {
        switch action {
        case .keep: return regex.matches(source(labels))
        case .drop: return !regex.matches(source(labels))
        case .keepequal: return source(labels).hasSameBytes(as: labels[targetLabel] ?? "")
        case .dropequal: return !source(labels).hasSameBytes(as: labels[targetLabel] ?? "")
        case .replace: replace(&labels)
        case .lowercase: labels.set(targetLabel, CaseMapping.lowercased(source(labels)))
        case .uppercase: labels.set(targetLabel, CaseMapping.uppercased(source(labels)))
        case .hashmod:
            // The low half of the digest, as upstream's first versions took it.
            let digest = MD5.digest(Array(source(labels).utf8))
            let hash = digest.suffix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            labels.set(targetLabel, String(hash % max(modulus, 1)))
        case .labelmap:
            for label in labels.current {
                guard let name = regex.expand(replacement, in: label.name), !name.isEmpty else { continue }
                labels.set(name, label.value)
            }
        case .labeldrop: labels.keep { !regex.matches($0) }
        case .labelkeep: labels.keep { regex.matches($0) }
        }
        return true
    }

    private func source(_ labels: LabelSetBuilder) -> String {
        if sourceLabels.count == 1 { return labels[sourceLabels[0]] ?? "" }
        return sourceLabels.map { labels[$0] ?? "" }.joined(separator: separator)
    }

    private func replace(_ labels: inout LabelSetBuilder) {
        let value = source(labels)
        if isPlainCopy { return labels.set(targetLabel, value) }
        guard let groups = regex.groups(in: value) else { return }
        let target = regex.expand(targetLabel, with: groups)
        // A template may come out as no name at all: then the rule does nothing.
        guard isLabelName(target) else { return }
        labels.set(target, regex.expand(replacement, with: groups))
    }
}
