import Regexp

/// Rules are the same when their configuration is: a reload keeps what has not changed.
extension RelabelRule: Hashable {
    package static func == (a: RelabelRule, b: RelabelRule) -> Bool {
        a.action == b.action && a.sourceLabels == b.sourceLabels && a.separator == b.separator
            && a.regex.source == b.regex.source && a.modulus == b.modulus && a.targetLabel == b.targetLabel
            && a.replacement == b.replacement && a.requiresLegacyNames == b.requiresLegacyNames
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(action)
        hasher.combine(sourceLabels)
        hasher.combine(regex.source)
        hasher.combine(targetLabel)
        hasher.combine(replacement)
    }
}
