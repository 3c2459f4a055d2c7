/// Recognises patterns that are nothing but literals joined by `|`, perhaps inside one group: what dashboards' template
/// variables produce. Their matches are looked up instead of tried one value after the other.
enum LiteralAlternation {
    /// More alternatives than this are left to the automaton.
    private static let alternativesMax = 4096

    static func parse(_ pattern: String) -> [String]? {
        var bytes = Array(pattern.utf8)[...]
        if bytes.starts(with: "(?:".utf8), bytes.last == UInt8(ascii: ")") {
            bytes = bytes.dropFirst(3).dropLast()
        } else if bytes.first == UInt8(ascii: "("), bytes.last == UInt8(ascii: ")") {
            bytes = bytes.dropFirst().dropLast()
        }
        var alternatives: [[UInt8]] = [[]]
        var isEscaped = false
        for byte in bytes {
            if isEscaped {
                // A backslash makes punctuation literal; before a letter or digit it means a class or an assertion.
                guard isPunctuation(byte) else { return nil }
                alternatives[alternatives.count - 1].append(byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "|") {
                guard alternatives.count < alternativesMax else { return nil }
                alternatives.append([])
            } else if isMeta(byte) {
                return nil
            } else {
                alternatives[alternatives.count - 1].append(byte)
            }
        }
        guard !isEscaped else { return nil }
        return alternatives.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func isMeta(_ byte: UInt8) -> Bool {
        ".+*?()[]{}^$".utf8.contains(byte)
    }

    private static func isPunctuation(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
        default: return false
        }
    }
}
