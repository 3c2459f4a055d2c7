/// Takes the quotes and escapes off a string literal.
package enum StringUnquoting {
    /// - Parameter literal: with its quotes: `"…"`, `'…'`, or `` `…` ``.
    /// - Returns: the bytes meant (`\xFF` need not be UTF-8), nil where the literal is malformed.
    package static func unquote(_ literal: [UInt8]) -> [UInt8]? {
        guard literal.count >= 2, let quote = literal.first, literal.last == quote else { return nil }
        let body = literal[1..<(literal.count - 1)]
        switch quote {
        case UInt8(ascii: "`"): return body.contains(quote) ? nil : Array(body)
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return unescape(body, quote: quote)
        default: return nil
        }
    }

    private static func unescape(_ body: ArraySlice<UInt8>, quote: UInt8) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(body.count)
        var rest = body
        while let byte = rest.popFirst() {
            if byte == quote || byte == UInt8(ascii: "\n") { return nil }
            guard byte == UInt8(ascii: "\\") else {
                out.append(byte)
                continue
            }
            guard let mark = rest.popFirst() else { return nil }
            switch mark {
            case UInt8(ascii: "a"): out.append(0x07)
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0C)
            case UInt8(ascii: "n"): out.append(0x0A)
            case UInt8(ascii: "r"): out.append(0x0D)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "v"): out.append(0x0B)
            case UInt8(ascii: "\\"), quote: out.append(mark)
            case UInt8(ascii: "x"):
                guard let value = digits(2, base: 16, from: &rest) else { return nil }
                out.append(UInt8(truncatingIfNeeded: value))
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                rest = body[(rest.startIndex - 1)...]
                guard let value = digits(3, base: 8, from: &rest), value <= 255 else { return nil }
                out.append(UInt8(truncatingIfNeeded: value))
            case UInt8(ascii: "u"), UInt8(ascii: "U"):
                let count = mark == UInt8(ascii: "u") ? 4 : 8
                guard let value = digits(count, base: 16, from: &rest), let scalar = Unicode.Scalar(value) else {
                    return nil
                }
                out.append(contentsOf: String(scalar).utf8)
            default: return nil
            }
        }
        return out
    }

    private static func digits(_ count: Int, base: UInt32, from rest: inout ArraySlice<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let byte = rest.popFirst(), let digit = Lexer.digitValue(byte), digit < base else { return nil }
            value = value &* base &+ digit
        }
        return value
    }
}
