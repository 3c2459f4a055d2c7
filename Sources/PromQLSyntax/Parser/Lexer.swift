private import SeriesModel

/// Cuts a query into tokens. What a character means depends on where it stands: inside braces words are label names,
/// inside brackets they are duration expressions.
///
/// Owned by one parser; a value.
struct Lexer {
    struct Failure: Error {
        var message: String
        /// Where the token that failed began.
        var start: Int
    }

    let input: [UInt8]
    var position = 0
    var start = 0
    private var parenthesisDepth = 0
    private var isInsideBraces = false
    private var isInsideBrackets = false
    /// The first number between the brackets is read; from there on other words and characters are told differently.
    private var hasNumber = false
    private var hasKeyword = false
    private var hasColon = false

    init(_ input: [UInt8]) { self.input = input }

    mutating func next() throws(Failure) -> Token {
        skipBlanksAndComments()
        start = position
        if isInsideBraces { return try insideBraces() }
        if isInsideBrackets, !hasNumber { return try bracketStart() }
        return try statement()
    }

    // MARK: Characters

    func peek(_ ahead: Int = 0) -> UInt8? {
        let index = position + ahead
        return index < input.count ? input[index] : nil
    }

    mutating func accept(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    mutating func accept(anyOf bytes: StaticString) -> Bool {
        guard let byte = peek(), bytes.withUTF8Buffer({ $0.contains(byte) }) else { return false }
        position += 1
        return true
    }

    func failure(_ message: String) -> Failure { Failure(message: message, start: start) }

    func token(_ kind: Token.Kind) -> Token {
        Token(
            kind: kind, text: String(decoding: input[start..<position], as: UTF8.self),
            range: SourceRange(start, position))
    }

    /// The character at the position as Go's `%q` writes a rune.
    func quotedCharacter(at index: Int) -> String {
        let character = String(decoding: input[min(index, input.count)...].prefix(4), as: UTF8.self).unicodeScalars
            .first
        switch character {
        case "'": return "'\\''"
        case "\"": return "'\"'"
        case let character?: return "'" + GoQuote.escaped(String(character)) + "'"
        case nil: return "'\u{FFFD}'"
        }
    }

    private mutating func skipBlanksAndComments() {
        while let byte = peek() {
            if Lexer.isSpace(byte) {
                position += 1
            } else if byte == UInt8(ascii: "#"), !isInsideBrackets || hasNumber {
                while let byte = peek(), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { position += 1 }
            } else {
                return
            }
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
    static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
    static func isAlpha(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
    }
    static func isAlphanumeric(_ byte: UInt8) -> Bool { isAlpha(byte) || isDigit(byte) }

    // MARK: States

    private mutating func statement() throws(Failure) -> Token {
        guard let byte = peek() else {
            if parenthesisDepth > 0 { throw failure("unclosed left parenthesis") }
            if isInsideBrackets { throw failure("unclosed left bracket") }
            return token(.end)
        }
        if Lexer.isDigit(byte) || (byte == UInt8(ascii: ".") && (peek(1).map(Lexer.isDigit) ?? false)) {
            return try numberOrDuration()
        }
        if Lexer.isAlpha(byte) || byte == UInt8(ascii: ":") {
            return isInsideBrackets ? try bracketWord() : word()
        }
        if let quoted = try quotedString(byte) { return quoted }
        position += 1
        switch byte {
        case UInt8(ascii: "("):
            parenthesisDepth += 1
            return token(.leftParenthesis)
        case UInt8(ascii: ")"): return try closeParenthesis()
        case UInt8(ascii: "{"):
            isInsideBraces = true
            return token(.leftBrace)
        case UInt8(ascii: "["):
            if isInsideBrackets { throw failure("unexpected left bracket '['") }
            isInsideBrackets = true
            hasColon = false
            hasNumber = false
            hasKeyword = false
            return token(.leftBracket)
        case UInt8(ascii: "]"):
            if !isInsideBrackets { throw failure("unexpected right bracket ']'") }
            isInsideBrackets = false
            return token(.rightBracket)
        case UInt8(ascii: ","): return token(.comma)
        case UInt8(ascii: "@"): return token(.at)
        default: return try operatorToken(byte)
        }
    }

    private mutating func operatorToken(_ byte: UInt8) throws(Failure) -> Token {
        switch byte {
        case UInt8(ascii: "+"): return token(.binary(.add))
        case UInt8(ascii: "-"): return token(.binary(.subtract))
        case UInt8(ascii: "*"): return token(.binary(.multiply))
        case UInt8(ascii: "/"): return token(.binary(.divide))
        case UInt8(ascii: "%"): return token(.binary(.modulo))
        case UInt8(ascii: "^"): return token(.binary(.power))
        case UInt8(ascii: "="):
            if accept(UInt8(ascii: "=")) { return token(.binary(.equal)) }
            if peek() == UInt8(ascii: "~") { throw failure("unexpected character after '=': '~'") }
            return token(.assign)
        case UInt8(ascii: "!"):
            if accept(UInt8(ascii: "=")) { return token(.binary(.notEqual)) }
            throw failure("unexpected character after '!': \(quotedCharacter(at: position))")
        case UInt8(ascii: "<"):
            if accept(UInt8(ascii: "=")) { return token(.binary(.lessOrEqual)) }
            if accept(UInt8(ascii: "/")) { return token(.binary(.trimUpper)) }
            return token(.binary(.less))
        case UInt8(ascii: ">"):
            if accept(UInt8(ascii: "=")) { return token(.binary(.greaterOrEqual)) }
            if accept(UInt8(ascii: "/")) { return token(.binary(.trimLower)) }
            return token(.binary(.greater))
        default: throw failure("unexpected character: \(quotedCharacter(at: start))")
        }
    }

    private mutating func closeParenthesis() throws(Failure) -> Token {
        parenthesisDepth -= 1
        if parenthesisDepth < 0 {
            // Upstream hands the parenthesis out before it notices: the place is the one behind it.
            start = position
            throw failure("unexpected right parenthesis ')'")
        }
        return token(.rightParenthesis)
    }

    private mutating func insideBraces() throws(Failure) -> Token {
        guard let byte = peek() else { throw failure("unexpected end of input inside braces") }
        if Lexer.isAlpha(byte) {
            while let byte = peek(), Lexer.isAlphanumeric(byte) { position += 1 }
            return token(.identifier)
        }
        if let quoted = try quotedString(byte) { return quoted }
        position += 1
        switch byte {
        case UInt8(ascii: ","): return token(.comma)
        case UInt8(ascii: "="):
            return accept(UInt8(ascii: "~")) ? token(.equalRegex) : token(.assign)
        case UInt8(ascii: "!"):
            if accept(UInt8(ascii: "~")) { return token(.notEqualRegex) }
            if accept(UInt8(ascii: "=")) { return token(.binary(.notEqual)) }
            throw failure("unexpected character after '!' inside braces: \(quotedCharacter(at: position))")
        case UInt8(ascii: "{"): throw failure("unexpected left brace '{'")
        case UInt8(ascii: "}"):
            isInsideBraces = false
            return token(.rightBrace)
        default: throw failure("unexpected character inside braces: \(quotedCharacter(at: start))")
        }
    }

    /// Behind a left bracket, until the first number.
    private mutating func bracketStart() throws(Failure) -> Token {
        guard let byte = peek() else { throw failure("unexpected end of input in duration expression") }
        if Lexer.isDigit(byte) || (byte == UInt8(ascii: ".") && (peek(1).map(Lexer.isDigit) ?? false)) {
            hasNumber = true
            return try numberOrDuration()
        }
        let character = quotedCharacter(at: position)
        if Lexer.isAlpha(byte) {
            if let keyword = durationKeyword() { return keyword }
            throw failure("unexpected character in duration expression: \(character)")
        }
        position += 1
        switch byte {
        case UInt8(ascii: "]"):
            isInsideBrackets = false
            return token(.rightBracket)
        case UInt8(ascii: ":"): return try earlyColon()
        case UInt8(ascii: "("):
            parenthesisDepth += 1
            return token(.leftParenthesis)
        case UInt8(ascii: ")"): return try closeParenthesis()
        case UInt8(ascii: ","): return token(.comma)
        case UInt8(ascii: "+"): return token(.binary(.add))
        case UInt8(ascii: "-"): return token(.binary(.subtract))
        case UInt8(ascii: "*"): return token(.binary(.multiply))
        case UInt8(ascii: "/"): return token(.binary(.divide))
        case UInt8(ascii: "%"): return token(.binary(.modulo))
        case UInt8(ascii: "^"): return token(.binary(.power))
        default: throw failure("unexpected character in duration expression: \(character)")
        }
    }

    /// A colon before any number; there must be a duration of another kind.
    private mutating func earlyColon() throws(Failure) -> Token {
        // As with parentheses, the place is the one behind it.
        if !hasKeyword || hasColon { start = position }
        if !hasKeyword { throw failure("unexpected colon before duration in duration expression") }
        if hasColon { throw failure("unexpected repeated colon in duration expression") }
        hasColon = true
        return token(.colon)
    }

    /// Between brackets, behind the first number: a colon or a word.
    private mutating func bracketWord() throws(Failure) -> Token {
        let character = quotedCharacter(at: position)
        if accept(UInt8(ascii: ":")) {
            if hasColon { throw failure("unexpected colon ':'") }
            hasColon = true
            return token(.colon)
        }
        if let keyword = durationKeyword() { return keyword }
        throw failure("unexpected character: \(character), expected ':'")
    }

    private mutating func durationKeyword() -> Token? {
        while let byte = peek(), Lexer.isAlpha(byte) { position += 1 }
        let word = token(.identifier)
        guard case .keyword(let keyword)? = Token.kind(ofWord: word.text),
            [.step, .range, .minOf, .maxOf].contains(keyword)
        else { return nil }
        hasKeyword = true
        return token(.keyword(keyword))
    }

    private mutating func word() -> Token {
        while let byte = peek(), Lexer.isAlphanumeric(byte) || byte == UInt8(ascii: ":") { position += 1 }
        let word = token(.identifier)
        if word.text.utf8.contains(UInt8(ascii: ":")) { return token(.metricIdentifier) }
        return Token.kind(ofWord: word.text).map(token) ?? word
    }
}
