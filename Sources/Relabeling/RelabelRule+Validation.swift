import Regexp
import SeriesModel

extension RelabelRule {
    func validate() throws(RelabelError) {
        let name = action.rawValue
        if action == .hashmod, modulus == 0 {
            throw RelabelError(description: "relabel configuration for hashmod requires non-zero modulus")
        }
        switch action {
        case .replace, .hashmod, .lowercase, .uppercase, .keepequal, .dropequal:
            if targetLabel.isEmpty {
                throw RelabelError(
                    description: "relabel configuration for \(name) action requires 'target_label' value")
            }
            let isTemplate = action == .replace && targetLabel.utf8.contains(dollar)
            guard isTemplate ? isNameTemplate(targetLabel) : isLabelName(targetLabel) else {
                throw RelabelError(
                    description: "\(GoQuote.quote(targetLabel)) is invalid 'target_label' for \(name) action")
            }
        case .labelmap:
            guard isNameTemplate(replacement) else {
                throw RelabelError(
                    description: "\(GoQuote.quote(replacement)) is invalid 'replacement' for \(name) action")
            }
        case .keep, .drop, .labeldrop, .labelkeep: break
        }
        try validateUnusedFields()
    }

    private func validateUnusedFields() throws(RelabelError) {
        let name = action.rawValue
        let hasReplacement = replacement != RelabelRule.defaultReplacement
        let hasMatching = modulus != 0 || separator != RelabelRule.defaultSeparator || hasReplacement
        switch action {
        case .lowercase, .uppercase, .keepequal, .dropequal:
            if hasReplacement {
                throw RelabelError(description: "'replacement' can not be set for \(name) action")
            }
            let isComparison = action == .keepequal || action == .dropequal
            if isComparison, hasMatching || regex.source != RelabelRule.defaultRegex.source {
                throw RelabelError(
                    description:
                        "\(name) action requires only 'source_labels' and `target_label`, and no other fields")
            }
        case .labeldrop, .labelkeep:
            if hasMatching || !sourceLabels.isEmpty || !targetLabel.isEmpty {
                throw RelabelError(description: "\(name) action requires only 'regex', and no other fields")
            }
        default: break
        }
    }

    /// Whether a text may be a label's name under the rule's naming scheme.
    func isLabelName(_ text: String) -> Bool {
        requiresLegacyNames ? LabelName.isLegacyLabelName(text) : LabelName.isValid(text)
    }

    /// Whether a name with references such as `$1` or `${name}` in it can become a label's name. Beyond the legacy
    /// alphabet everything can, as dollar signs and braces may themselves stand in a name.
    private func isNameTemplate(_ text: String) -> Bool {
        requiresLegacyNames ? RelabelRule.isLegacyNameTemplate(text) : LabelName.isValid(text)
    }

    /// Letters, digits, underscores and references; a digit only behind something else.
    static func isLegacyNameTemplate(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        var isFirst = true
        while let byte = rest.first {
            rest = rest.dropFirst()
            if byte == dollar {
                let isBraced = rest.first == UInt8(ascii: "{")
                if isBraced { rest = rest.dropFirst() }
                let word = rest.prefix(while: isWord)
                rest = rest.dropFirst(word.count)
                guard !word.isEmpty else { return false }
                if isBraced, rest.popFirst() != UInt8(ascii: "}") { return false }
            } else if !isWord(byte) || (isFirst && isDigit(byte)) {
                return false
            }
            isFirst = false
        }
        return !isFirst
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_") || isDigit(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
