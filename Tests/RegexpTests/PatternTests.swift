import Regexp
import Testing

@Suite("Regular expressions")
struct PatternTests {
    @Test(
        "patterns match whole texts, newlines included",
        arguments: [
            ("abc", "abc", true), ("abc", "abcd", false), ("a.c", "a\nc", true), ("a|bc", "bc", true),
            ("a|bc", "abc", false), ("(?i)abc", "ABC", true), ("", "", true), ("", "a", false), (".*", "", true),
            (".+", "", false), ("^a$", "a", true), ("a\\|b", "a|b", true), ("[a-c]{2}", "bc", true), ("é+", "éé", true),
            ("(?:a|b)", "b", true), ("(a|b)", "c", false), ("a|", "", true), ("\\d+", "12", true),
            ("\\Qa.b\\E", "a.b", true),
            ("\\Qa.b\\E", "axb", false), ("x\\z", "x", true),
        ])
    func matching(source: String, text: String, expected: Bool) throws {
        #expect(try Pattern(source).matches(text) == expected)
    }

    @Test(
        "literals are told from the pattern where there is nothing else in it",
        arguments: [
            ("a|b|c", ["a", "b", "c"]), ("abc", ["abc"]), ("(a|b)", ["a", "b"]), ("(?:a|)", ["a", ""]), ("", [""]),
            ("a\\.b|c", ["a.b", "c"]), ("a.b", nil), ("(a|b)c", nil), ("a*", nil), ("a\\d", nil), ("(?i)a", nil),
            ("(a)|(b)", nil), ("a\\", nil), ("[a]", nil), ("^a", nil), ("a|b$", nil),
        ])
    func literals(source: String, expected: [String]?) {
        #expect((try? Pattern(source))?.literals == expected)
    }

    @Test("what a literal alternation says it matches, the automaton matches too")
    func literalsAgree() throws {
        for source in ["a|b|c", "(x\\.y|z)", "(?:|q)", "é|e\u{301}"] {
            let pattern = try Pattern(source)
            for literal in try #require(pattern.literals) {
                #expect(pattern.groups(in: literal) != nil, "\(source) \(literal)")
            }
        }
    }

    @Test("patterns that do not compile are refused with RE2's words", arguments: ["(", "a**", "[b", "\\y", "(?<a"])
    func refused(source: String) {
        let error = #expect(throws: PatternError.self) { try Pattern(source) }
        #expect(error?.pattern == source)
        #expect(error?.description.hasPrefix("error parsing regexp: ") == true)
    }

    @Test("groups that took no part are nil")
    func groups() throws {
        #expect(try Pattern("(a)|(b)").groups(in: "b") == ["b", nil, "b"])
        #expect(try Pattern("(a?)b").groups(in: "b") == ["b", ""])
        #expect(try Pattern("a").groups(in: "b") == nil)
        #expect(try Pattern("(.*)").groups(in: "") == ["", ""])
    }

    @Test("both notations name groups")
    func namedGroups() throws {
        for source in ["(?P<word>\\w+)-(?P<n>\\d+)", "(?<word>\\w+)-(?<n>\\d+)"] {
            let pattern = try Pattern(source)
            #expect(pattern.groupIndex(named: "n") == 2)
            #expect(pattern.groupIndex(named: "x") == nil)
            #expect(pattern.expand("${n}/$word", in: "ab-12") == "12/ab")
        }
        // Inside a class, behind a backslash and in a literal the characters mean themselves.
        #expect(try Pattern("[(?<a>]+").matches("(?<a>"))
        #expect(try Pattern("\\(?<a>").matches("(<a>"))
        #expect(try Pattern("\\Q(?<a>\\E").matches("(?<a>"))
    }

    @Test(
        "templates expand as Go's",
        arguments: [
            ("$1", "x"), ("${1}y", "xy"), ("$1y", ""), ("$$1", "$1"), ("$", "$"), ("$-", "$-"), ("${1", "${1"),
            ("$9", ""), ("$0", "xz"), ("a$2b", "a"), ("$10", ""), ("${}", "${}"), ("é$1é", "é"), ("$1-é", "x-é"),
        ])
    func templates(template: String, expected: String) throws {
        #expect(try Pattern("(x)z").expand(template, in: "xz") == expected)
    }

    @Test("a text that does not match expands to nothing at all")
    func noMatch() throws {
        #expect(try Pattern("(x)z").expand("$1", in: "y") == nil)
    }

    @Test("matching takes linear time", .timeLimit(.minutes(1)))
    func linear() throws {
        let pattern = try Pattern("(a+)+$")
        #expect(!pattern.matches(String(repeating: "a", count: 100_000) + "b"))
    }
}
