import PromQLSyntax
import Testing

@Suite struct StringUnquotingTests {
    @Test(
        "quotes and escapes are taken off",
        arguments: [
            (#""""#, ""), (#""a b""#, "a b"), (#"'it\'s'"#, "it's"),
            (#""\a\b\f\n\r\t\v\\\"""#, "\u{7}\u{8}\u{C}\n\r\t\u{B}\\\""),
            (#""\x41\101\u00e9\U0001F600""#, "AAé😀"), ("`a\\n\n\"`", "a\\n\n\""),
        ])
    func valid(literal: String, expected: String) {
        #expect(StringUnquoting.unquote(Array(literal.utf8)) == Array(expected.utf8))
    }

    @Test(
        "malformed literals are told",
        arguments: [
            "", "\"", "a", "\"a", "\"a'", "`a", "`a`b`", #""\q""#, #""\'""#, #"'\"'"#, #""\400""#, #""\x4""#,
            #""\ud800""#,
            #""\U00110000""#, "\"a\nb\"", "\"a\"b\"",
        ])
    func malformed(literal: String) {
        #expect(StringUnquoting.unquote(Array(literal.utf8)) == nil)
    }
}
