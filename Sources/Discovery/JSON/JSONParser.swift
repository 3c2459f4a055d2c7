/// RFC 8259 over bytes, with bounds on depth and on the number of values. Foundation's reader has neither bound, names no
/// place in its errors, and turns numbers into doubles where a label must show them as written.
struct JSONParser {
    private static let depthMax = 128
    static let valuesMax = 4_000_000

    private let bytes: [UInt8]
    private let valuesMax: Int
    private var position = 0
    private var values = 0

    init(bytes: [UInt8], valuesMax: Int = valuesMax) {
        self.bytes = bytes
        self.valuesMax = valuesMax
    }

    mutating func parseDocument() throws(DiscoveryError) -> JSONValue {
        let value = try parseValue(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw error("invalid character after top-level value") }
        return value
    }

    private func error(_ message: String, kind: DiscoveryError.Kind = .other) -> DiscoveryError {
        DiscoveryError("json: \(message) at offset \(position)", kind: kind)
    }

    private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ expected: UInt8) -> Bool {
        guard byte == expected else { return false }
        position += 1
        return true
    }

    private mutating func take(word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard count <= bytes.count - position else { return false }
        let isEqual = word.withUTF8Buffer { $0.elementsEqual(bytes[position..<position + count]) }
        if isEqual { position += count }
        return isEqual
    }

    private mutating func parseValue(depth: Int) throws(DiscoveryError) -> JSONValue {
        guard depth < JSONParser.depthMax else { throw error("nested too deeply") }
        values += 1
        guard values <= valuesMax else { throw error("too many values", kind: .tooLarge) }
        skipSpace()
        guard let byte else { throw error("unexpected end of JSON input") }
        switch byte {
        case UInt8(ascii: "{"): return .object(try parseObject(depth: depth))
        case UInt8(ascii: "["): return .array(try parseArray(depth: depth))
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): if take(word: "true") { return .bool(true) }
        case UInt8(ascii: "f"): if take(word: "false") { return .bool(false) }
        case UInt8(ascii: "n"): if take(word: "null") { return .null }
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try parseNumber())
        default: break
        }
        throw error("invalid character looking for beginning of value")
    }

    private mutating func parseObject(depth: Int) throws(DiscoveryError) -> [String: JSONValue] {
        position += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take(UInt8(ascii: "}")) { return members }
        while true {
            skipSpace()
            guard byte == UInt8(ascii: "\"") else { throw error("object key is no string") }
            let key = try parseString()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("no colon after object key") }
            members[key] = try parseValue(depth: depth + 1)
            skipSpace()
            if take(UInt8(ascii: "}")) { return members }
            guard take(UInt8(ascii: ",")) else { throw error("no comma after object member") }
        }
    }

    private mutating func parseArray(depth: Int) throws(DiscoveryError) -> [JSONValue] {
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return elements }
        while true {
            elements.append(try parseValue(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return elements }
            guard take(UInt8(ascii: ",")) else { throw error("no comma after array element") }
        }
    }

    private mutating func parseNumber() throws(DiscoveryError) -> String {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try parseDigits() }
        if take(UInt8(ascii: ".")) { try parseDigits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try parseDigits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func parseDigits() throws(DiscoveryError) {
        let start = position
        while let byte, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw error("invalid number") }
    }

    private mutating func parseString() throws(DiscoveryError) -> String {
        position += 1
        let start = position
        // Nearly always there is nothing to unescape.
        while let byte, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        var text = String(decoding: bytes[start..<position], as: UTF8.self)
        while true {
            guard let byte else { throw error("unexpected end of string") }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return text
            case UInt8(ascii: "\\"):
                position += 1
                text.unicodeScalars.append(try parseEscape())
            case 0..<0x20: throw error("invalid character in string literal")
            default:
                let start = position
                while let byte = self.byte, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
                    position += 1
                }
                text += String(decoding: bytes[start..<position], as: UTF8.self)
            }
        }
    }

    private mutating func parseEscape() throws(DiscoveryError) -> Unicode.Scalar {
        guard let byte else { throw error("unexpected end of string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try parseUnicodeEscape()
        default: throw error("invalid escape in string literal")
        }
    }

    /// Half of a surrogate pair alone is the replacement character.
    private mutating func parseUnicodeEscape() throws(DiscoveryError) -> Unicode.Scalar {
        let first = try parseHex()
        guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) ?? "\u{FFFD}" }
        let afterFirst = position
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            position = afterFirst
            return "\u{FFFD}"
        }
        let second = try parseHex()
        guard (0xDC00..<0xE000).contains(second) else {
            position = afterFirst
            return "\u{FFFD}"
        }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
    }

    private mutating func parseHex() throws(DiscoveryError) -> UInt32 {
        guard bytes.count - position >= 4 else { throw error("unexpected end of string") }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
            default: throw error("invalid unicode escape")
            }
        }
        position += 4
        return value
    }
}
