private import SeriesModel

/// A piece of a template's text.
struct TemplateToken {
    enum Kind: Equatable {
        case failure, bool, character, characterConstant, assign, declare, end, field, identifier, leftDelimiter
        case leftParenthesis, number, pipe, rawString, rightDelimiter, rightParenthesis, space, string, text, variable
        case dot, none
        case keyword(TemplateKeyword)
    }

    var kind: Kind
    /// The message of a failure.
    var text: String
    var position: Int
    /// From 1.
    var line: Int

    /// As messages name it.
    var description: String {
        switch kind {
        case .end: return "EOF"
        case .failure: return text
        case .keyword, .dot, .none: return "<\(text)>"
        default:
            if text.unicodeScalars.count > 10 {
                return GoQuote.quote(String(String.UnicodeScalarView(text.unicodeScalars.prefix(10)))) + "..."
            }
            return GoQuote.quote(text)
        }
    }
}

enum TemplateKeyword: String {
    case block, `break`, `continue`, define, `else`, end, `if`, range, template, with
}

/// Splits a template into tokens: literal text, and inside `{{ }}` words, literals and signs. Blanks inside actions
/// are tokens, as they part arguments. The rules are those of Go's `text/template/parse/lex.go`.
struct TemplateLexer {
    private let input: [UInt8]
    private var position = 0
    private var line = 1
    private var isInsideAction = false
    private var parenthesisDepth = 0
    private var hasEnded = false

    init(_ text: String) { input = Array(text.utf8) }

    mutating func next() -> TemplateToken {
        if hasEnded { return TemplateToken(kind: .end, text: "", position: position, line: line) }
        if isInsideAction { return insideAction() }
        // A comment is no token: look again behind it.
        while true {
            if let token = outsideAction() { return token }
        }
    }

    // MARK: Text

    /// Nil where a comment was skipped.
    private mutating func outsideAction() -> TemplateToken? {
        let start = position
        guard let open = find("{{", from: start) else {
            hasEnded = true
            guard start < input.count else { return token(.end, from: start) }
            hasEnded = false
            position = input.count
            return token(.text, from: start)
        }
        let trims = hasLeftTrim(at: open)
        var end = open
        if trims { while end > start, isSpace(input[end - 1]) { end -= 1 } }
        if end > start {
            position = open
            return token(.text, from: start, to: end, advancingTo: open)
        }
        advanceLines(from: position, to: open)
        position = open
        let afterDelimiter = open + 2 + (trims ? 2 : 0)
        if starts(with: "/*", at: afterDelimiter) { return comment(from: afterDelimiter) }
        position = open + 2
        isInsideAction = true
        parenthesisDepth = 0
        let opening = TemplateToken(kind: .leftDelimiter, text: "{{", position: open, line: line)
        advanceLines(from: position, to: afterDelimiter)
        position = afterDelimiter
        return opening
    }

    private mutating func comment(from start: Int) -> TemplateToken? {
        position = start
        guard let close = find("*/", from: start) else { return failure("unclosed comment", at: start) }
        var end = close + 2
        let trims = hasRightTrim(at: end)
        if trims { end += 2 }
        guard starts(with: "}}", at: end) else {
            return failure("comment ends before closing delimiter", at: start)
        }
        end += 2
        if trims { while end < input.count, isSpace(input[end]) { end += 1 } }
        advanceLines(from: start, to: end)
        position = end
        return nil
    }

    // MARK: Actions

    private mutating func insideAction() -> TemplateToken {
        let start = position
        let trims = hasRightTrim(at: start)
        if starts(with: "}}", at: trims ? start + 2 : start) {
            if parenthesisDepth > 0 { return failure("unclosed left paren", at: start) }
            return rightDelimiter(trims: trims)
        }
        guard start < input.count else { return failure("unclosed action", at: start) }
        let byte = input[start]
        position += 1
        switch byte {
        case 0x20, 0x09, 0x0D, 0x0A:
            position = start
            return space()
        case UInt8(ascii: "="): return token(.assign, from: start)
        case UInt8(ascii: ":"):
            guard peek() == UInt8(ascii: "=") else { return failure("expected :=", at: start) }
            position += 1
            return token(.declare, from: start)
        case UInt8(ascii: "|"): return token(.pipe, from: start)
        case UInt8(ascii: "\""): return quoted(byte, .string, "unterminated quoted string")
        case UInt8(ascii: "'"): return quoted(byte, .characterConstant, "unterminated character constant")
        case UInt8(ascii: "`"): return rawString()
        case UInt8(ascii: "$"): return fieldOrVariable(.variable, from: start)
        case UInt8(ascii: "."):
            if let next = peek(), !isDigit(next) { return fieldOrVariable(.field, from: start) }
            return number(from: start)
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number(from: start)
        case UInt8(ascii: "("):
            parenthesisDepth += 1
            return token(.leftParenthesis, from: start)
        case UInt8(ascii: ")"):
            parenthesisDepth -= 1
            if parenthesisDepth < 0 { return failure("unexpected right paren", at: start) }
            return token(.rightParenthesis, from: start)
        default: return word(from: start)
        }
    }

    private mutating func rightDelimiter(trims: Bool) -> TemplateToken {
        let start = trims ? position + 2 : position
        advanceLines(from: position, to: start)
        let closing = TemplateToken(kind: .rightDelimiter, text: "}}", position: start, line: line)
        position = start + 2
        if trims {
            let from = position
            while position < input.count, isSpace(input[position]) { position += 1 }
            advanceLines(from: from, to: position)
        }
        isInsideAction = false
        return closing
    }

    private mutating func space() -> TemplateToken {
        let start = position
        while position < input.count, isSpace(input[position]) {
            // The blank of " -}}" belongs to the delimiter.
            if hasRightTrim(at: position), starts(with: "}}", at: position + 2) { break }
            position += 1
        }
        if position == start { return insideAction() }
        return token(.space, from: start)
    }

    private mutating func quoted(_ quote: UInt8, _ kind: TemplateToken.Kind, _ complaint: String) -> TemplateToken {
        let start = position - 1
        while let byte = peek() {
            position += 1
            if byte == UInt8(ascii: "\\"), let escaped = peek(), escaped != UInt8(ascii: "\n") {
                position += 1
            } else if byte == UInt8(ascii: "\n") {
                break
            } else if byte == quote {
                return token(kind, from: start)
            }
        }
        return failure(complaint, at: start)
    }

    private mutating func rawString() -> TemplateToken {
        let start = position - 1
        while let byte = peek() {
            position += 1
            if byte == UInt8(ascii: "`") { return token(.rawString, from: start) }
        }
        return failure("unterminated raw quoted string", at: start)
    }

    private mutating func fieldOrVariable(_ kind: TemplateToken.Kind, from start: Int) -> TemplateToken {
        let length = wordLength(at: position)
        if length == 0, kind == .field { return token(.dot, from: start) }
        position += length
        if let complaint = badTerminator() { return failure(complaint, at: start) }
        return token(kind, from: start)
    }

    private mutating func word(from start: Int) -> TemplateToken {
        position = start
        let length = wordLength(at: start)
        guard length > 0 else {
            let scalar = scalar(at: start)
            if scalar.value > 0x20, scalar.value < 0x7F {
                position += 1
                return token(.character, from: start)
            }
            return failure("unrecognized character in action: " + TemplateLexer.name(scalar), at: start)
        }
        position += length
        let text = String(decoding: input[start..<position], as: UTF8.self)
        if let complaint = badTerminator() { return failure(complaint, at: start) }
        if let keyword = TemplateKeyword(rawValue: text) { return token(.keyword(keyword), from: start) }
        switch text {
        case "true", "false": return token(.bool, from: start)
        case "nil": return token(.none, from: start)
        default: return token(.identifier, from: start)
        }
    }

    private mutating func number(from start: Int) -> TemplateToken {
        position = start
        if let byte = peek(), byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { position += 1 }
        while let byte = peek() {
            let isExponentSign =
                (byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")) && position > start + 1
                && "eEpP".utf8.contains(input[position - 1]) && !starts(with: "0x", at: start)
            guard isWordByte(byte) || byte == UInt8(ascii: ".") || isExponentSign else { break }
            position += 1
        }
        let text = String(decoding: input[start..<position], as: UTF8.self)
        guard TemplateNumber(text) != nil else {
            return failure("bad number syntax: " + GoQuote.quote(text), at: start)
        }
        return token(.number, from: start)
    }

    /// After a name only certain signs may stand.
    private func badTerminator() -> String? {
        guard position < input.count, !isSpace(input[position]) else { return nil }
        if ".,|:)(=".utf8.contains(input[position]) || starts(with: "}}", at: position) { return nil }
        return "bad character " + TemplateLexer.name(scalar(at: position))
    }

    // MARK: Bytes

    private mutating func token(
        _ kind: TemplateToken.Kind, from start: Int, to end: Int? = nil, advancingTo next: Int? = nil
    ) -> TemplateToken {
        let text = String(decoding: input[start..<(end ?? position)], as: UTF8.self)
        let token = TemplateToken(kind: kind, text: text, position: start, line: line)
        advanceLines(from: start, to: next ?? position)
        return token
    }

    private mutating func failure(_ message: String, at start: Int) -> TemplateToken {
        hasEnded = true
        return TemplateToken(kind: .failure, text: message, position: start, line: line)
    }

    private mutating func advanceLines(from start: Int, to end: Int) {
        guard start < end else { return }
        for byte in input[start..<end] where byte == UInt8(ascii: "\n") { line += 1 }
    }

    private func peek() -> UInt8? { position < input.count ? input[position] : nil }

    private func starts(with text: StaticString, at index: Int) -> Bool {
        text.withUTF8Buffer { wanted in
            index >= 0 && index + wanted.count <= input.count
                && input[index..<(index + wanted.count)].elementsEqual(wanted)
        }
    }

    private func find(_ text: StaticString, from start: Int) -> Int? {
        var index = start
        while index < input.count {
            if starts(with: text, at: index) { return index }
            index += 1
        }
        return nil
    }

    private func hasLeftTrim(at index: Int) -> Bool {
        starts(with: "-", at: index + 2) && index + 3 < input.count && isSpace(input[index + 3])
    }

    private func hasRightTrim(at index: Int) -> Bool {
        index + 1 < input.count && isSpace(input[index]) && input[index + 1] == UInt8(ascii: "-")
            && starts(with: "}}", at: index + 2)
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private func isWordByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: "_")
            || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
    }

    /// The bytes of the letters, digits and `_` from here on.
    private func wordLength(at start: Int) -> Int {
        var index = start
        while index < input.count {
            if input[index] < 0x80 {
                guard isWordByte(input[index]) else { break }
                index += 1
            } else {
                let scalar = scalar(at: index)
                switch scalar.properties.generalCategory {
                case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
                    .decimalNumber:
                    index += String(Character(scalar)).utf8.count
                default: return index - start
                }
            }
        }
        return index - start
    }

    private func scalar(at index: Int) -> Unicode.Scalar {
        String(decoding: input[index..<min(index + 4, input.count)], as: UTF8.self).unicodeScalars.first ?? "\u{FFFD}"
    }

    /// Go's `%#U`: `U+0041 'A'`, without the sign where it does not print.
    private static func name(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
        let quoted = GoQuote.quote(String(Character(scalar)))
        return quoted.contains("\\") && scalar != "\\" && scalar != "\"" ? code : code + " '\(scalar)'"
    }
}
