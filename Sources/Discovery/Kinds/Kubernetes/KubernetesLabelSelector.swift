import SeriesModel

/// The syntax of label selectors (Kubernetes API concepts, "Label selectors"): requirements between commas, each `key`,
/// `!key`, `key = value`, `key == value`, `key != value`, `key > 1`, `key < 1`, `key in (a, b)` or `key notin (a, b)`.
/// It is checked when the configuration is loaded: the server's refusal would only be a failing list.
struct KubernetesLabelSelector {
    private enum Token: Equatable {
        case word(String)
        case symbol(String)
        case end

        var text: String {
            switch self {
            case .word(let text), .symbol(let text): GoQuote.quote(text)
            case .end: "the end"
            }
        }
    }

    private struct Mistake: Error { var text: String }

    private var tokens: [Token]
    private var position = 0

    /// What is wrong; nil for a selector that the server understands.
    static func complaint(_ text: String) -> String? {
        var parser = KubernetesLabelSelector(tokens: tokens(text))
        do throws(Mistake) {
            try parser.parse()
            return nil
        } catch {
            return error.text
        }
    }

    private static func tokens(_ text: String) -> [Token] {
        var tokens: [Token] = []
        var word: [UInt8] = []
        func end() {
            if !word.isEmpty { tokens.append(.word(String(decoding: word, as: UTF8.self))) }
            word = []
        }
        var bytes = text.utf8.makeIterator()
        var next = bytes.next()
        while let byte = next {
            next = bytes.next()
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: end()
            case UInt8(ascii: "="), UInt8(ascii: "!"):
                end()
                // `==` and `!=` are one each.
                let isDouble = next == UInt8(ascii: "=")
                if isDouble { next = bytes.next() }
                tokens.append(.symbol(String(UnicodeScalar(byte)) + (isDouble ? "=" : "")))
            case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ","), UInt8(ascii: "<"), UInt8(ascii: ">"):
                end()
                tokens.append(.symbol(String(UnicodeScalar(byte))))
            default: word.append(byte)
            }
        }
        end()
        return tokens
    }

    private var token: Token { position < tokens.count ? tokens[position] : .end }

    private mutating func take(_ symbol: String) -> Bool {
        guard token == .symbol(symbol) else { return false }
        position += 1
        return true
    }

    private mutating func parse() throws(Mistake) {
        if token == .end { return }
        while true {
            try parseRequirement()
            if token == .end { return }
            guard take(",") else { throw Mistake(text: "unexpected \(token.text), expected a comma or the end") }
        }
    }

    private mutating func parseRequirement() throws(Mistake) {
        let isNegated = take("!")
        guard case .word(let key) = token, key != "in", key != "notin" else {
            throw Mistake(text: "unexpected \(token.text), expected a label name")
        }
        position += 1
        guard KubernetesName.isQualified(key) else {
            throw Mistake(text: "\(GoQuote.quote(key)) is not a valid label name")
        }
        if isNegated { return }
        let `operator` = token
        switch `operator` {
        case .end, .symbol(","): return
        case .symbol("="), .symbol("=="), .symbol("!="):
            position += 1
            try parseValue()
        case .symbol("<"), .symbol(">"):
            position += 1
            guard case .word(let number) = token, Int64(number) != nil else {
                throw Mistake(text: "unexpected \(token.text), expected an integer")
            }
            position += 1
        case .word("in"), .word("notin"):
            position += 1
            try parseValues()
        default: throw Mistake(text: "unexpected \(`operator`.text), expected an operator")
        }
    }

    /// One value, which may be empty.
    private mutating func parseValue() throws(Mistake) {
        guard case .word(let value) = token else {
            guard [.end, .symbol(","), .symbol(")")].contains(token) else {
                throw Mistake(text: "unexpected \(token.text), expected a value")
            }
            return
        }
        position += 1
        guard KubernetesName.isLabelValue(value) else {
            throw Mistake(text: "\(GoQuote.quote(value)) is not a valid label value")
        }
    }

    private mutating func parseValues() throws(Mistake) {
        guard take("(") else { throw Mistake(text: "unexpected \(token.text), expected \"(\"") }
        guard token != .symbol(")") else { throw Mistake(text: "no values between the parentheses") }
        while true {
            try parseValue()
            if take(")") { return }
            guard take(",") else { throw Mistake(text: "unexpected \(token.text), expected \",\" or \")\"") }
        }
    }
}
