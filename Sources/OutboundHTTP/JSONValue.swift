import ConfigTree

/// A value of JSON (RFC 8259), as claims of a token are.
indirect enum JSONValue: Sendable, Hashable {
    struct Member: Sendable, Hashable {
        var name: String
        var value: JSONValue
    }

    case null
    case bool(Bool)
    case int(Int)
    /// Finite.
    case double(Double)
    case text(String)
    case list([JSONValue])
    case object([Member])

    /// - Throws: where a value has no form in JSON.
    init(_ node: ConfigNode) throws(ConfigError) {
        switch node.content {
        case .sequence(let nodes):
            var values: [JSONValue] = []
            for node in nodes { values.append(try JSONValue(node)) }
            self = .list(values)
        case .mapping:
            var members: [Member] = []
            for entry in try node.entries() {
                members.append(Member(name: entry.key, value: try JSONValue(entry.value)))
            }
            self = .object(members)
        case .null, .scalar:
            switch node.scalar {
            case .bool(let value)?: self = .bool(value)
            case .int(let value)?: self = .int(value)
            case .double(let value)?:
                guard value.isFinite else { throw node.error("json: unsupported value: \(value)") }
                self = .double(value)
            case .text(let value)?: self = .text(value)
            case .null?, nil: self = .null
            }
        }
    }

    /// Without spaces; members stand in the order of their names' bytes.
    var json: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .int(let value): String(value)
        case .double(let value): Int(exactly: value).map { String($0) } ?? String(value)
        case .text(let value): JSONValue.quoted(value)
        case .list(let values): "[" + values.map(\.json).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
                .map { JSONValue.quoted($0.name) + ":" + $0.value.json }.joined(separator: ",") + "}"
        }
    }

    var output: ConfigOutput {
        switch self {
        case .text(let value): .text(value)
        case .list(let values): .list(values.map(\.output))
        case .object(let members): .mapping(members.map { ($0.name, $0.value.output) })
        case .null, .bool, .int, .double: .plain(json)
        }
    }

    private static func quoted(_ text: String) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var out = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
            case 0..<0x20: out += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 0x0F)]]
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
        return String(decoding: out, as: UTF8.self)
    }
}
