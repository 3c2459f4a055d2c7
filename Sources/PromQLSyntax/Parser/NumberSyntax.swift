private import SeriesModel

/// Number literals: Go's integer syntax (`0x1F`, `0755` octal, `0b1`, `_` between digits), then its floats.
package enum NumberSyntax {
    package static func parse(_ text: String) -> Double? {
        let plain = text.replacing("_", with: "")
        if let integer = integer(plain) { return Double(integer) }
        return NumberText.parse(plain)
    }

    /// Whether a text that `parse` refuses is a number all the same, only beyond what can be represented.
    static func isTooLarge(_ text: String) -> Bool {
        let end = text.firstIndex { $0 == "e" || $0 == "E" } ?? text.endIndex
        let exponent = text[end...].dropFirst().drop { $0 == "+" || $0 == "-" }
        let mantissa = text[..<end].utf8.filter { $0 != UInt8(ascii: "_") }
        return mantissa.count { $0 == UInt8(ascii: ".") } <= 1
            && mantissa.allSatisfy { Lexer.isDigit($0) || $0 == UInt8(ascii: ".") }
            && exponent.utf8.allSatisfy(Lexer.isDigit)
    }

    private static func integer(_ text: String) -> Int64? {
        guard text.hasPrefix("0"), text.utf8.count > 1 else { return Int64(text) }
        let rest = text.dropFirst(2)
        switch text.dropFirst().first {
        case "x", "X": return Int64(rest, radix: 16)
        case "b", "B": return Int64(rest, radix: 2)
        case "o", "O": return Int64(rest, radix: 8)
        default: return Int64(text.dropFirst(), radix: 8)
        }
    }
}
