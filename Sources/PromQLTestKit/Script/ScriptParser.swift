import SeriesModel

/// Reads scripts, line by line. All queries are parsed here, so that a script is known to be sound before it runs.
struct ScriptParser {
    typealias SyntaxError = TestScript.SyntaxError

    /// Trimmed; comments are empty.
    private let lines: [String]
    /// The line that is read next, from 0.
    private var next = 0

    init(_ text: String) {
        lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            let trimmed = ScriptParser.trimmed(String(Substring(line)))
            return trimmed.utf8.first == UInt8(ascii: "#") ? "" : trimmed
        }
    }

    mutating func script() throws(SyntaxError) -> [TestScript.Command] {
        var commands: [TestScript.Command] = []
        while next < lines.count {
            let head = lines[next]
            next += 1
            if head.isEmpty { continue }
            let word = String(head.prefix { $0 != " " && $0 != "\t" }).lowercased()
            if word == "clear" {
                commands.append(.clear)
            } else if word.hasPrefix("load") {
                commands.append(.load(try load(head)))
            } else if word.hasPrefix("eval") {
                commands.append(.evaluate(try evaluation(head)))
            } else {
                throw error("invalid command \(GoQuote.quote(word))")
            }
        }
        return commands
    }

    /// The next line of the block, nil at its end.
    mutating func nextInBlock() -> String? {
        guard next < lines.count, !lines[next].isEmpty else { return nil }
        next += 1
        return lines[next - 1]
    }

    /// The number of the line read last, from 1.
    var line: Int { next }

    func error(_ message: String) -> SyntaxError { SyntaxError(line: line, message: message) }

    func duration(_ text: String) throws(SyntaxError) -> Int64 {
        do {
            return try DurationText.parse(text)
        } catch {
            throw self.error("invalid duration: \(error)")
        }
    }

    static func trimmed(_ text: String) -> String {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }
        let bytes = Array(text.utf8)
        guard let first = bytes.firstIndex(where: { !isSpace($0) }),
            let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(decoding: bytes[first...last], as: UTF8.self)
    }
}
