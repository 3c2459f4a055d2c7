import SeriesModel

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
