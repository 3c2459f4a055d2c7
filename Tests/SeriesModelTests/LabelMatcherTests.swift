import Regexp
import SeriesModel
import Testing

@Suite("Label matchers")
struct LabelMatcherTests {
    @Test(
        "the four kinds match whole values, a missing label as empty",
        arguments: [
            (LabelMatcher.Kind.equal, "x", "x", true), (.equal, "x", "xy", false), (.equal, "", "", true),
            (.notEqual, "x", "", true), (.notEqual, "x", "x", false), (.regex, "x.*", "xyz", true),
            (.regex, "x", "xy", false), (.regex, "a|b", "b", true), (.regex, ".*", "", true), (.regex, ".+", "", false),
            (.notRegex, "x.*", "xyz", false), (.notRegex, "x.*", "", true), (.regex, "a.b", "a\nb", true),
        ])
    func matches(kind: LabelMatcher.Kind, value: String, text: String, expected: Bool) throws {
        let matcher = try LabelMatcher(kind, "l", value)
        #expect(matcher.matches(text) == expected)
        #expect(matcher.matches(text.isEmpty ? .empty : ["l": text]) == expected)
    }

    @Test("a pattern that does not compile is an error")
    func badPattern() {
        #expect(throws: PatternError.self) { try LabelMatcher(.regex, "l", "(") }
    }

    @Test("matchers are written as in PromQL")
    func notation() throws {
        #expect(try LabelMatcher(.notRegex, "a.b", "x\"").description == #""a.b"!~"x\"""#)
    }
}
