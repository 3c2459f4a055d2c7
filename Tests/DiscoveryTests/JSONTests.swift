import SeriesModel
import Testing

@testable import Discovery

@Suite("JSON that others send")
struct JSONTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    @Test("Values of all kinds are read")
    func kinds() throws {
        let value = try parse(#" {"a": [1, -2.5e3, true, false, null], "b": {"c": "d"}, "a2": ""} "#)
        #expect(value["a"] == .array([.number("1"), .number("-2.5e3"), .bool(true), .bool(false), .null]))
        #expect(value["b"]?["c"]?.string == "d")
        #expect(value["a"]?.array?.first?.int == 1)
        #expect(value["missing"] == nil)
        #expect(value["a2"]?.string == "")
    }

    @Test("Escapes are resolved, and half of a surrogate pair is the replacement character")
    func escapes() throws {
        #expect(try parse(#""a\n\t\"\\\/\u00e9\uD83D\uDE00z""#).string == "a\n\t\"\\/é😀z")
        #expect(try parse(#""\uD83Dx""#).string == "\u{FFFD}x")
        #expect(try parse(#""\uD83D\u0041""#).string == "\u{FFFD}A")
    }

    @Test(
        "Whatever is no JSON is an error with its offset",
        arguments: [
            "", "{", "[1,", "[1 2]", "{\"a\" 1}", "{1:2}", "tru", "01x", "\"a", "\"\\x\"", "\"\\u12\"", "[1]]", "-",
            "1.",
            "1e", "\"a\nb\"", "nul", "{\"a\":1,}",
        ])
    func malformed(text: String) {
        #expect(throws: DiscoveryError.self) { try parse(text) }
    }

    @Test("Nesting is bounded")
    func depth() throws {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: DiscoveryError("json: nested too deeply at offset 128")) { try parse(deep) }
        _ = try parse(String(repeating: "[", count: 100) + String(repeating: "]", count: 100))
    }

    @Test("The number of values is bounded, and that is a fault of its own kind")
    func values() throws {
        var parser = JSONParser(bytes: Array("[1,2,3]".utf8), valuesMax: 3)
        let error = #expect(throws: DiscoveryError.self) { try parser.parseDocument() }
        #expect(error == DiscoveryError("json: too many values at offset 5", kind: .tooLarge))
        var enough = JSONParser(bytes: Array("[1,2,3]".utf8), valuesMax: 4)
        #expect(try enough.parseDocument().array?.count == 3)
    }

    @Test("Numbers are converted only where they fit")
    func numbers() throws {
        #expect(try parse("99999999999999999999").int == nil)
        #expect(try parse("1.5").int == nil)
        #expect(try parse("70000").port == nil)
        #expect(try parse("-1").port == nil)
        #expect(try parse("443").port == 443)
    }

    @Test("Each byte of a document flipped gives an error or a value")
    func flips() throws {
        let good = Array(#"[{"targets":["h:1","h\u0031:2"],"labels":{"a":"b"}},{"targets":[]}]"#.utf8)
        for index in good.indices {
            for bit in 0..<8 {
                var bytes = good
                bytes[index] ^= 1 << bit
                _ = try? TargetGroup.list(JSONValue(parsing: bytes)) { String($0) }
            }
        }
    }

    @Test("Target groups are read, and each deviation from their shape is refused")
    func groups() throws {
        let groups = try TargetGroup.list(
            parse(#"[{"targets":["h:1"],"labels":{"b":"2","a":"1","e":""}},{"targets":null}]"#)
        ) { "s:\($0)" }
        #expect(
            groups == [
                TargetGroup(source: "s:0", labels: ["a": "1", "b": "2"], targets: [["__address__": "h:1"]]),
                TargetGroup(source: "s:1", labels: .empty, targets: []),
            ])
        #expect(try TargetGroup.list(parse("null")) { String($0) } == [])
        for (text, words) in [
            ("{}", "no array"), ("[null]", "nil target group item found (index 0)"),
            (#"[{"target":[]}]"#, "unknown field \"target\""), (#"[{"targets":[1]}]"#, "a target is no string"),
            (#"[{"labels":{"":"c"}}]"#, "\"\" is not a valid label name"),
            (#"[{"labels":{"a":1}}]"#, "is no string"), (#"[{"labels":[]}]"#, "no object"), ("[1]", "no object"),
        ] {
            let error = #expect(throws: DiscoveryError.self) { try TargetGroup.list(parse(text)) { String($0) } }
            #expect(error?.message.contains(words) == true, "\(text): \(error?.message ?? "")")
        }
    }
}
