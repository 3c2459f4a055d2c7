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

/// The syntax of field selectors: terms `field=value`, `field==value` or `field!=value` between commas. In a value
/// `\\`, `\,` and `\=` stand for what is behind the backslash.
enum KubernetesFieldSelector {
    /// What is wrong; nil for a selector that the server understands.
    static func complaint(_ text: String) -> String? {
        for term in terms(Array(text.utf8)) where !term.isEmpty {
            if let complaint = complaint(term: term) { return complaint }
        }
        return nil
    }

    /// Split at commas that have no backslash in front.
    private static func terms(_ bytes: [UInt8]) -> [[UInt8]] {
        var terms: [[UInt8]] = [[]]
        var isEscaped = false
        for byte in bytes {
            if byte == UInt8(ascii: ","), !isEscaped {
                terms.append([])
                continue
            }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
            terms[terms.count - 1].append(byte)
        }
        return terms
    }

    private static func complaint(term: [UInt8]) -> String? {
        let text = GoQuote.quote(String(decoding: term, as: UTF8.self))
        let equals = UInt8(ascii: "=")
        guard let first = term.firstIndex(of: equals) else { return "no operator in \(text)" }
        let isDouble = first + 1 < term.count && term[first + 1] == equals
        let isNegated = first > 0 && term[first - 1] == UInt8(ascii: "!")
        var value = term[(first + (isDouble && !isNegated ? 2 : 1))...]
        while let byte = value.popFirst() {
            switch byte {
            case equals: return "an \"=\" without a backslash in the value of \(text)"
            case UInt8(ascii: "\\"):
                guard let escaped = value.popFirst(), [UInt8(ascii: "\\"), UInt8(ascii: ","), equals].contains(escaped)
                else { return "an invalid escape sequence in the value of \(text)" }
            default: break
            }
        }
        return nil
    }
}

/// Names and values that Kubernetes allows in labels.
private enum KubernetesName {
    /// A name of at most 63 bytes, or a DNS name of at most 253 in front of a slash and such a name.
    static func isQualified(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let name = parts.last, parts.count <= 2, !name.isEmpty, isName(Array(name), { isNameByte($0) }) else {
            return false
        }
        guard parts.count == 2 else { return true }
        let labels = parts[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts[0].count <= 253
            && labels.allSatisfy { label in
                !label.isEmpty
                    && isName(Array(label), max: 253) {
                        isAlphanumeric($0) && !isUpper($0) || $0 == UInt8(ascii: "-")
                    }
            }
    }

    static func isLabelValue(_ text: String) -> Bool { isName(Array(text.utf8)) { isNameByte($0) } }

    /// Begins and ends with a letter or digit.
    private static func isName(_ bytes: [UInt8], max: Int = 63, _ isAllowed: (UInt8) -> Bool) -> Bool {
        guard let first = bytes.first, let last = bytes.last else { return true }
        return bytes.count <= max && isAlphanumeric(first) && isAlphanumeric(last) && bytes.allSatisfy(isAllowed)
    }

    private static func isUpper(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isUpper(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains(byte)
    }
}
