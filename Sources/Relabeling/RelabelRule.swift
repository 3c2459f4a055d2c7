package import Regexp

/// One relabelling step (inventory 3.5): takes values of labels, matches them and changes or drops the label set.
package struct RelabelRule: Sendable {
    package enum Action: String, Sendable, CaseIterable {
        case replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase
    }

    package let action: Action
    /// Their values, joined by `separator`, are what is matched, hashed or compared.
    package let sourceLabels: [String]
    package let separator: String
    package let regex: Regexp.Pattern
    /// 0 where not given.
    package let modulus: UInt64
    /// May hold references to the regex' groups, for `replace` only.
    package let targetLabel: String
    package let replacement: String
    /// Whether names must be of the legacy alphabet.
    package let requiresLegacyNames: Bool

    /// - Throws: `RelabelError` in upstream's words where the fields do not fit the action.
    package init(
        action: Action = .replace, sourceLabels: [String] = [], separator: String = defaultSeparator,
        regex: Regexp.Pattern = defaultRegex, modulus: UInt64 = 0, targetLabel: String = "",
        replacement: String = defaultReplacement, requiresLegacyNames: Bool = false
    ) throws(RelabelError) {
        self.action = action
        self.sourceLabels = sourceLabels
        self.separator = separator
        self.regex = regex
        self.modulus = modulus
        self.targetLabel = targetLabel
        self.replacement = replacement
        self.requiresLegacyNames = requiresLegacyNames
        isPlainCopy =
            action == .replace && regex.source == RelabelRule.defaultRegex.source && !targetLabel.utf8.contains(dollar)
            && replacement == RelabelRule.defaultReplacement
        try validate()
    }

    package static let defaultSeparator = ";"
    package static let defaultReplacement = "$1"
    package static let defaultRegex: Regexp.Pattern = {
        do {
            return try Pattern("(.*)")
        } catch {
            preconditionFailure("the default pattern does not compile: \(error)")
        }
    }()

    /// Whether the rule only copies its source, which needs no matching.
    let isPlainCopy: Bool
}

let dollar = UInt8(ascii: "$")

/// Why a relabelling rule makes no sense.
package struct RelabelError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
}
