import ConfigTree
import Testing

@Suite("Configuration output")
struct ConfigOutputTests {
    @Test(
        "texts that YAML would read as something else are quoted",
        arguments: [
            "", "true", "on", "~", "012", "1.5", "a: b", "a #b", "- a", "[a", "'a", "x\ny", " a", "a ", "*a", "&a",
            "!a",
            "a:", "null", "0x1F", "1:30", "é", "a\\b", "a\"b", "%a", "@a", "?", "{{ x }}", "\u{7F}", "2001-01-01",
            "\u{85}$1", "a\u{9F}", "a\u{2028}b", "\u{2029}", "a\u{FEFF}b", "a\u{FFFE}", "\u{A0}", "\u{1F600}",
        ])
    func roundTrip(text: String) throws {
        let yaml = ConfigOutput.mapping([("k", .text(text)), ("l", .list([.text(text)]))]).yaml
        let entries = try ConfigNode.parse(yaml, file: "out").entries()
        #expect(try entries[0].value.string() == text)
        #expect(!entries[0].value.isNull)
        #expect(try entries[1].value.strings() == [text])
    }

    @Test("secrets show a mask only")
    func secrets() {
        let secret = Secret("password")
        #expect("\(secret)" == "<secret>")
        #expect(String(reflecting: secret) == "<secret>")
        var dump = ""
        Swift.dump(secret, to: &dump)
        #expect(!dump.contains("password"))
    }
}
