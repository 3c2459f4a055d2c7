package import Regexp

/// One condition on a label: `name = value`, `!=`, `=~`, `!~`. A label that a series does not have counts as empty.
package struct LabelMatcher: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case equal = "="
        case notEqual = "!="
        case regex = "=~"
        case notRegex = "!~"
    }

    package let kind: Kind
    package let name: String
    package let value: String
    /// The compiled, fully anchored pattern; nil for `=` and `!=`.
    package let pattern: Regexp.Pattern?

    /// - Throws: `Regexp.PatternError` where a regular expression does not compile.
    package init(_ kind: Kind, _ name: String, _ value: String) throws(PatternError) {
        self.kind = kind
        self.name = name
        self.value = value
        switch kind {
        case .equal, .notEqual: pattern = nil
        case .regex, .notRegex: pattern = try Pattern(value)
        }
    }

    private init(literal kind: Kind, _ name: String, _ value: String) {
        self.kind = kind
        self.name = name
        self.value = value
        pattern = nil
    }

    package static func equal(_ name: String, _ value: String) -> LabelMatcher {
        LabelMatcher(literal: .equal, name, value)
    }

    package static func notEqual(_ name: String, _ value: String) -> LabelMatcher {
        LabelMatcher(literal: .notEqual, name, value)
    }

    /// - Parameter text: the label's value, "" where the series has no such label.
    package func matches(_ text: String) -> Bool {
        switch kind {
        case .equal: return text.hasSameBytes(as: value)
        case .notEqual: return !text.hasSameBytes(as: value)
        case .regex: return pattern?.matches(text) ?? false
        case .notRegex: return !(pattern?.matches(text) ?? true)
        }
    }

    /// Whether series without the label satisfy the condition.
    package var matchesEmpty: Bool { matches("") }

    package func matches(_ labels: LabelSet) -> Bool { matches(labels[name] ?? "") }
}

extension LabelMatcher: Hashable {
    package static func == (a: LabelMatcher, b: LabelMatcher) -> Bool {
        a.kind == b.kind && a.name.hasSameBytes(as: b.name) && a.value.hasSameBytes(as: b.value)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(bytesOf: name)
        hasher.combine(bytesOf: value)
    }
}

extension LabelMatcher: CustomStringConvertible {
    package var description: String { LabelName.quotedIfNeeded(name) + kind.rawValue + GoQuote.quote(value) }
}
