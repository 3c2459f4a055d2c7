package import Regexp

/// A regular expression that is searched for in a text, not anchored, `.` not matching newlines.
package struct TextPattern: Sendable {
    package let source: String
    private let pattern: Pattern

    package init(_ source: String) throws(PatternError) {
        self.source = source
        // Flags in front, and no group around it: a stray parenthesis of the source must stay an error.
        pattern = try Pattern("(?-s)" + source)
    }

    package func isFound(in text: String) -> Bool { pattern.matchesPart(of: text) }
}

extension TestScript.TextExpectation: CustomStringConvertible {
    package func isMet(by text: String) -> Bool {
        switch self {
        case .any: true
        case .equal(let wanted): wanted.utf8.elementsEqual(text.utf8)
        case .matching(let pattern): pattern.isFound(in: text)
        }
    }

    package var description: String {
        switch self {
        case .any: "any"
        case .equal(let text): text
        case .matching(let pattern): "one matching " + pattern.source
        }
    }
}
