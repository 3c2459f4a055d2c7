extension Lexer {
    // MARK: Numbers and durations

    mutating func numberOrDuration() throws(Failure) -> Token {
        if scanNumber() { return token(.number) }
        if scanDuration() { return token(.duration) }
        throw failure("bad number or duration syntax: \"\(String(decoding: input[start..<position], as: UTF8.self))\"")
    }

    /// Decimal or hexadecimal with fraction, exponent and `_` between digits. False, with the position behind what
    /// was a number so far, where something follows that cannot. What it lets through need not be a number yet:
    /// that is seen when it is parsed.
    private mutating func scanNumber() -> Bool {
        var isHex = false
        if accept(UInt8(ascii: "0")), accept(anyOf: "xX") {
            isHex = true
            _ = accept(UInt8(ascii: "_"))
        }
        _ = accept(UInt8(ascii: "."))
        scanDigits(isHex: isHex)
        var hasDot = false
        var hasExponent = false
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "."):
                position += 1
                if hasDot || isHex || accept(anyOf: "_.") { return false }
                hasDot = true
            case UInt8(ascii: "_"):
                position += 1
                if accept(anyOf: "._eE") || peek() == nil { return false }
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                position += 1
                if hasExponent { return false }
                hasExponent = true
                _ = accept(anyOf: "+-")
                if accept(anyOf: "._eE") || peek() == nil { return false }
            case _ where Lexer.isDigit(byte) || (isHex && Lexer.isHexLetter(byte)): scanDigits(isHex: isHex)
            default: return !Lexer.isAlphanumeric(byte)
            }
        }
        return true
    }

    private mutating func scanDigits(isHex: Bool) {
        while let byte = peek(), Lexer.isDigit(byte) || (isHex && Lexer.isHexLetter(byte)) { position += 1 }
    }

    private static func isHexLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    /// The rest of a duration whose first digits were read. Wrong units and orders are found when it is parsed.
    private mutating func scanDuration() -> Bool {
        guard accept(anyOf: "smhdwy") else { return false }
        _ = accept(UInt8(ascii: "s"))
        while let byte = peek(), Lexer.isDigit(byte) {
            while let byte = peek(), Lexer.isDigit(byte) { position += 1 }
            guard accept(anyOf: "smhdw") else { return false }
            _ = accept(UInt8(ascii: "s"))
        }
        guard let byte = peek(), Lexer.isAlphanumeric(byte) else { return true }
        position += 1
        return false
    }

    // MARK: Strings

    /// A quoted string that begins here, nil where none does.
    mutating func quotedString(_ quote: UInt8) throws(Failure) -> Token? {
        switch quote {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            position += 1
            try scanQuoted(quote)
            return token(.string)
        case UInt8(ascii: "`"):
            position += 1
            guard let end = input[position...].firstIndex(of: quote) else {
                position = input.count
                throw failure("unterminated raw string")
            }
            if !isValidUTF8(position..<end) { throw failure("invalid UTF-8 rune") }
            position = end + 1
            return token(.string)
        default: return nil
        }
    }

    private mutating func scanQuoted(_ quote: UInt8) throws(Failure) {
        var textStart = position
        while let byte = peek() {
            switch byte {
            case quote:
                if !isValidUTF8(textStart..<position) { throw failure("invalid UTF-8 rune") }
                position += 1
                return
            case UInt8(ascii: "\\"):
                if !isValidUTF8(textStart..<position) { throw failure("invalid UTF-8 rune") }
                position += 1
                try scanEscape(quote)
                textStart = position
            case UInt8(ascii: "\n"): throw failure("unterminated quoted string")
            default: position += 1
            }
        }
        throw failure("unterminated quoted string")
    }

    private mutating func scanEscape(_ quote: UInt8) throws(Failure) {
        guard let mark = peek() else { throw failure("escape sequence not terminated") }
        let shape: (digits: Int, base: UInt32, max: UInt32)
        switch mark {
        case UInt8(ascii: "a"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"),
            UInt8(ascii: "t"), UInt8(ascii: "v"), UInt8(ascii: "\\"), quote:
            position += 1
            return
        case UInt8(ascii: "0")...UInt8(ascii: "7"): shape = (3, 8, 255)
        case UInt8(ascii: "x"): shape = (2, 16, 255)
        case UInt8(ascii: "u"): shape = (4, 16, 0x10FFFF)
        case UInt8(ascii: "U"): shape = (8, 16, 0x10FFFF)
        default: throw failure("unknown escape sequence \(describeRune(at: position))")
        }
        if shape.base == 16 { position += 1 }
        var value: UInt32 = 0
        for _ in 0..<shape.digits {
            guard let byte = peek() else { throw failure("escape sequence not terminated") }
            guard let digit = Lexer.digitValue(byte), digit < shape.base else {
                throw failure("illegal character \(describeRune(at: position)) in escape sequence")
            }
            value = value &* shape.base &+ digit
            position += 1
        }
        if value > shape.max || (0xD800..<0xE000).contains(value) {
            throw failure("escape sequence is an invalid Unicode code point")
        }
    }

    static func digitValue(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    private func isValidUTF8(_ range: Range<Int>) -> Bool {
        String(validating: input[range], as: UTF8.self) != nil
    }

    /// A character as Go's `%#U` writes it: `U+0063 'c'`.
    private func describeRune(at index: Int) -> String {
        let scalar = String(decoding: input[index...].prefix(4), as: UTF8.self).unicodeScalars.first ?? "\u{FFFD}"
        let hex = String(scalar.value, radix: 16, uppercase: true)
        let padded = String(repeating: "0", count: max(0, 4 - hex.count)) + hex
        return "U+\(padded) '\(scalar)'"
    }
}
