import ConfigTree
import Testing

@Suite("Configuration nodes")
struct ConfigNodeTests {
    private func node(_ yaml: String) throws -> ConfigNode { try ConfigNode.parse(yaml, file: "c.yml") }

    @Test("scalars keep the text they are written with")
    func rawScalars() throws {
        let entries = try node("a: 012\nb: on\nc: 2001-01-01\nd: '~'\ne: 1_000\n").entries()
        #expect(try entries.map { try $0.value.string() } == ["012", "on", "2001-01-01", "~", "1_000"])
        #expect(try entries[1].value.bool())
        #expect(try entries[4].value.int() == 1000)
    }

    @Test("nothing is null: no text, ~ and null, but not in quotes", arguments: ["", "~", "null", "# comment"])
    func null(yaml: String) throws {
        #expect(try node(yaml).isNull)
        #expect(try node(yaml).sequence().isEmpty)
        #expect(try !node("''").isNull)
    }

    @Test("nodes know their place")
    func places() throws {
        let inner = try #require(try node("a:\n  - b: 1\n    c: 2\n").entries().first?.value.sequence().first)
        let entry = try inner.entries()[1]
        #expect([entry.keyNode.line, entry.keyNode.column] == [3, 5])
        #expect(entry.value.error("bad").description == "c.yml:3:8: bad")
    }

    @Test(
        "values of the wrong kind are refused",
        arguments: [
            "a: [1]", "a: {b: 1}", "a: x", "a: -1", "a: '-1'", "a: -0x99999999999999999999",
        ])
    func wrongKinds(yaml: String) throws {
        let value = try #require(try node(yaml).entries().first?.value)
        #expect(throws: ConfigError.self) { try value.unsigned() }
        #expect(throws: ConfigError.self) { try value.bool() }
        #expect(throws: ConfigError.self) { try value.duration() }
        #expect(throws: ConfigError.self) { try value.size() }
    }

    @Test("keys that nobody reads are refused at their place")
    func unknownKeys() throws {
        var section = try node("a: 1\nb: 2\n").section("scrape_config")
        #expect(try section.int("a") == 1)
        #expect(try section.string("c") == nil)
        let error = #expect(throws: ConfigError.self) { try section.finish() }
        #expect(error?.description == "c.yml:2:1: field b not found in type scrape_config")
        #expect(try section.int("b") == 2)
        try section.finish()
    }

    @Test("keys that are known but not served are refused with those words")
    func unsupported() throws {
        var section = try node("a: 1\n").section("s")
        let error = #expect(throws: ConfigError.self) { try section.refuse(unsupported: ["x", "a"]) }
        #expect(error?.message == "s: \"a\" is not supported by Hearth yet")
    }

    @Test(
        "types are told in upstream's words",
        arguments: [
            ("a: [1]", "cannot unmarshal !!seq into bool"), ("a: {b: 1}", "cannot unmarshal !!map into bool"),
            ("a: maybe", "cannot unmarshal !!str `maybe` into bool"), ("a: 5", "cannot unmarshal !!int `5` into bool"),
            ("a: 'true'", "cannot unmarshal !!str `true` into bool"),
            ("a: 1.5", "cannot unmarshal !!float `1.5` into bool"),
            ("a: abcdefghijkl", "cannot unmarshal !!str `abcdefg...` into bool"),
        ])
    func mismatches(yaml: String, message: String) throws {
        let value = try #require(try node(yaml).entries().first?.value)
        let error = #expect(throws: ConfigError.self) { try value.bool() }
        #expect(error?.message == message)
        #expect(error?.kind == .unmarshal)
    }

    @Test("numbers are those of YAML 1.1, as Go reads them")
    func numbers() throws {
        let entries = try node("a: 0x1F\nb: 017\nc: 0b11\nd: 1e3\ne: 1.9\nf: +7\ng:\nh: .inf\n").entries()
        #expect(try entries.prefix(7).map { try $0.value.int() } == [31, 15, 3, 1000, 1, 7, 0])
        #expect(try entries[7].value.double() == .infinity)
        #expect(throws: ConfigError.self) { try entries[7].value.int() }
    }

    @Test(
        "a key that stands twice is an error of the mapping it is in, at its second place",
        arguments: [
            ("b: 1\na: 1\na: 2\n", "c.yml:3:1: field a already set in type T"),
            ("'a': 1\n\"a\": 2\n", "c.yml:2:1: field a already set in type T"),
            ("{a: 1, b: 2, a: 3, a: 4}", "field a already set in type T"),
            ("b: 1\r\na: 1\r\na: 2\r\n", "c.yml:3:1: field a already set in type T"),
        ])
    func duplicates(yaml: String, message: String) throws {
        let root = try node(yaml)
        let error = #expect(throws: ConfigError.self) { _ = try root.section("T") }
        #expect(error?.description.hasSuffix(message) == true, "\(error?.description ?? "")")
        #expect(throws: ConfigError.self) { try root.entries() }
    }

    @Test("only the first document counts")
    func documents() throws {
        #expect(try node("---\na: 1\n---\nb: 2\n").entries().map(\.key) == ["a"])
        #expect(try node("a: 1\n...\n}{\n").entries().map(\.key) == ["a"])
        #expect(try node("---\n---\na: 1\n").isNull)
    }

    @Test("binary values are decoded, and keep what is no UTF-8")
    func binary() throws {
        let entries = try node("a: !!binary aGk=\nb: !!binary /w==\n").entries()
        #expect(try entries[0].value.string() == "hi")
        #expect(entries[0].value.invalidBytes == nil)
        #expect(entries[1].value.invalidBytes == [0xFF])
    }

    @Test("a tree can take keys that nobody reads, at every depth")
    func tolerance() throws {
        var section = try node("a: {b: 1}\nc: 2\n").toleratingUnknownKeys().section("T")
        try section.take("a")?.section("T").finish()
        try section.finish()
    }

    @Test("aliases and merges are followed, written keys win")
    func merges() throws {
        let entries = try node("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n").entries()
        let merged = try entries[1].value.entries()
        #expect(
            try Dictionary(uniqueKeysWithValues: merged.map { ($0.key, try $0.value.string()) }) == [
                "x": "1", "y": "3",
            ])
    }

    @Test(
        "bad YAML is refused with its place",
        arguments: ["a: [1", "a: !!binary '?'", "\t- x", "a: *nowhere", "a: b: c", "{", "'"])
    func badYAML(yaml: String) {
        #expect(throws: ConfigError.self) { try node(yaml) }
    }

    @Test("nesting and expansion are bounded")
    func bounds() {
        #expect(throws: ConfigError.self) {
            try node(String(repeating: "[", count: 200) + String(repeating: "]", count: 200))
        }
        let bomb =
            "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + (0..<8).map { level in
                let name = Character(UnicodeScalar(UInt8(98 + level)))
                let previous = Character(UnicodeScalar(UInt8(97 + level)))
                return "\(name): &\(name) [" + Array(repeating: "*\(previous)", count: 10).joined(separator: ",")
                    + "]\n"
            }.joined()
        #expect(throws: ConfigError.self) { try node(bomb) }
    }

    @Test("random bytes are read or refused, never worse", arguments: 0..<4)
    func noise(seed: UInt64) {
        var state = seed
        let alphabet = Array("ab:-[]{}&*!|>'\"%@`# \n\t<,?~0é".utf8)
        for _ in 0..<300 {
            var bytes: [UInt8] = []
            for _ in 0..<24 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(alphabet[Int(state >> 33) % alphabet.count])
            }
            _ = try? node(String(decoding: bytes, as: UTF8.self))
        }
    }
}
