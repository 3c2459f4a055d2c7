import SeriesModel

/// Why a body is not an exposition, and where. One such error fails the whole scrape.
package struct ExpositionError: Error, Hashable, Sendable {
    /// From 1; 0 where no single line is meant.
    package let line: Int
    /// In upstream's words. What is quoted of the body is cut to a bounded length.
    package let message: String

    package init(line: Int, message: String) {
        self.line = line
        self.message = message
    }

    /// Quotes a header or the like, cut to a bounded length.
    static func quote(_ text: String) -> String {
        Array(text.utf8).withUnsafeBytes { quote($0, 0..<$0.count) }
    }

    /// Quotes bytes of a body, at most about 240 of them: the beginning says which series it is, the end where the
    /// reader stopped.
    static func quote(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> String {
        let range = range.clamped(to: 0..<bytes.count)
        let edge = 120
        guard range.count > 2 * edge + 16 else { return GoQuote.quote(bytes: bytes[range]) }
        let head = GoQuote.quote(bytes: bytes[range.prefix(edge)]).dropLast()
        let tail = GoQuote.quote(bytes: bytes[range.suffix(edge)]).dropFirst()
        return head + "..." + tail
    }
}

extension ExpositionError: CustomStringConvertible {
    package var description: String { line > 0 ? "line \(line): \(message)" : message }
}
