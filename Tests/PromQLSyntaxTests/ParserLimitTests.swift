import PromQLSyntax
import Testing

@Suite struct ParserLimitTests {
    @Test(
        "trees that are too deep are refused, however they come about",
        arguments: [
            ("", "(", "1", ")"), ("1", "+1", "", ""), ("1", "^1", "", ""), ("", "-", "1", ""), ("", "abs(", "a", ")"),
            ("", "sum(", "a", ")"), ("a", "[5m:1m]", "", ""), ("a", " or a", "", ""), ("a[", "(", "1", ")"),
            ("a[1", "+1", "]", ""), ("a[1", "^1", "]", ""), ("a[", "-", "1]", ""), ("a[", "min_of(1,", "", ""),
        ])
    func depth(start: String, repeated: String, middle: String, closing: String) {
        func many(_ text: String) -> String { String(repeating: text, count: 20_000) }
        let query = start + many(repeated) + middle + many(closing)
        #expect(throws: ParseError.self) { try Parser.parse(query, options: .everything) }
    }

    @Test("chains inside parentheses inside chains are as deep as their sum")
    func nestedChains() {
        let query = (0..<100).reduce("1") { inner, _ in "(\(inner)" + String(repeating: "+1", count: 100) + ")" }
        #expect(throws: ParseError.self) { try Parser.parse(query) }
    }

    @Test("what stays within the limit is parsed, printed and walked")
    func withinLimit() throws {
        let chain = "a" + String(repeating: " or a", count: 400)
        #expect(try Parser.parse(chain).description == chain)
        let nested = String(repeating: "(", count: 200) + "a" + String(repeating: ")", count: 200)
        #expect(try Parser.parse(nested).pretty.utf8.count > nested.utf8.count)
        let wide = "{" + (0..<5000).map { "l\($0)=\"v\"" }.joined(separator: ",") + "}"
        #expect(try Parser.parseSelector(wide).count == 5000)
    }

    @Test("a text that is too long is refused")
    func length() {
        var options = ParserOptions()
        options.bytesMax = 10
        #expect(throws: ParseError.self) { try Parser.parse("a + b + c + d", options: options) }
        #expect(throws: Never.self) { try Parser.parse("a + b", options: options) }
    }

    @Test("no beginning of a query, and no query with a byte changed, does harm")
    func mangled() {
        let query = Array(
            #"sum by (a) (rate(b{c=~"d|e"}[5m:1m] offset (1m+step()) @ 5)) / on(x) group_left(y) {"u.v"} ^ -2 # z"#.utf8
        )
        for length in 0..<query.count { _ = try? Parser.parse(bytes: Array(query[..<length]), options: .everything) }
        for index in query.indices {
            for byte in [0x00, 0x22, 0x28, 0x29, 0x5B, 0x5D, 0x7B, 0x7D, 0x5C, 0xFF] as [UInt8] {
                var changed = query
                changed[index] = byte
                _ = try? Parser.parse(bytes: changed, options: .everything)
            }
        }
    }
}
