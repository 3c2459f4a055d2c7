/// Why a pattern does not compile.
package struct PatternError: Error, Hashable, Sendable, CustomStringConvertible {
    package let pattern: String
    /// In the words of Go's `regexp`, which users and tools know, where RE2's say the same.
    package let message: String

    init(pattern: String, compilerMessage: String) {
        self.pattern = pattern
        message = PatternError.worded(compilerMessage)
    }

    package var description: String { "error parsing regexp: " + message }

    private static let wordings: [(ours: String, known: String)] = [
        ("invalid escape sequence", "invalid escape sequence"),
        ("invalid character class range", "invalid character class range"),
        ("invalid character class", "invalid character class"),
        ("missing ]", "missing closing ]"),
        ("missing )", "missing closing )"),
        ("unexpected )", "unexpected )"),
        ("no argument for repetition operator", "missing argument to repetition operator"),
        ("invalid repetition size", "invalid repeat count"),
        ("bad repetition operator", "invalid nested repetition operator"),
        ("invalid perl operator", "invalid or unsupported Perl syntax"),
        ("invalid named capture group", "invalid named capture"),
    ]

    /// RE2 gives the kind of error, a colon, and the part of the pattern that is wrong.
    private static func worded(_ text: String) -> String {
        if text.hasPrefix("trailing \\") { return "trailing backslash at end of expression: ``" }
        guard let wording = wordings.first(where: { text.hasPrefix($0.ours + ": ") }) else { return text }
        return wording.known + ": `" + text.dropFirst(wording.ours.count + 2) + "`"
    }
}
