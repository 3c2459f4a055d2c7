/// Go's `strconv.Unquote`: interpreted strings, raw strings and character constants, quotes included.
enum GoUnquote {
    /// Nil where the text is not a proper literal.
    static func unquote(_ literal: String) -> String? {
        let bytes = Array(literal.utf8)
        guard bytes.count >= 2, let quote = bytes.first, bytes.last == quote else { return nil }
        let inner = bytes[1..<(bytes.count - 1)]
        switch quote {
        case UInt8(ascii: "`"):
            return String(decoding: inner.filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        case UInt8(ascii: "\""):
            return unescape(inner, quote: quote)
        case UInt8(ascii: "'"):
            guard let text = unescape(inner, quote: quote), text.unicodeScalars.count == 1 else { return nil }
            return text
        default: return nil
        }
    }

    private static func unescape(_ bytes: ArraySlice<UInt8>, quote: UInt8) -> String? {
        var out: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            if byte == quote || byte == UInt8(ascii: "\n") { return nil }
            guard byte == UInt8(ascii: "\\") else {
                out.append(byte)
                continue
            }
            guard let escape = rest.popFirst() else { return nil }
            switch escape {
            case UInt8(ascii: "a"): out.append(0x07)
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0C)
            case UInt8(ascii: "n"): out.append(0x0A)
            case UInt8(ascii: "r"): out.append(0x0D)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "v"): out.append(0x0B)
            case UInt8(ascii: "\\"): out.append(escape)
            case quote: out.append(escape)
            case UInt8(ascii: "x"):
                guard let value = number(&rest, digits: 2, radix: 16) else { return nil }
                out.append(UInt8(truncatingIfNeeded: value))
            case UInt8(ascii: "u"), UInt8(ascii: "U"):
                let digits = escape == UInt8(ascii: "u") ? 4 : 8
                guard let value = number(&rest, digits: digits, radix: 16), let scalar = Unicode.Scalar(value) else {
                    return nil
                }
                out.append(contentsOf: String(Character(scalar)).utf8)
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                rest = bytes[(rest.startIndex - 1)...]
                guard let value = number(&rest, digits: 3, radix: 8), value <= 0xFF else { return nil }
                out.append(UInt8(truncatingIfNeeded: value))
            default: return nil
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, digits: Int, radix: Int) -> UInt32? {
        guard rest.count >= digits else { return nil }
        let text = String(decoding: rest.prefix(digits), as: UTF8.self)
        guard text.first != "+", text.first != "-" else { return nil }
        rest = rest.dropFirst(digits)
        return UInt32(text, radix: radix)
    }
}
