import SeriesModel

#if canImport(Glibc)
    import Glibc
#endif

/// The two text grammars: they share their tokens and differ in white space, line ends and what may follow a value.
enum TextGrammar {
    case prometheus
    case openMetrics

    /// Whether tabs and spaces may stand between any two tokens.
    @inline(__always) var allowsBlanks: Bool { self == .prometheus }
}

/// Walks over a body in place: the tokens that both grammars are made of. Every index is checked against the body's
/// end before it is used; where the text grammar wants a last newline, the end of the body stands for it.
struct BodyScanner {
    let bytes: UnsafeRawBufferPointer
    let grammar: TextGrammar
    /// Where the line being read begins, for error texts.
    var lineStart = 0
    var position = 0

    /// The byte at an index; nil behind the end.
    @inline(__always)
    func byte(_ index: Int) -> UInt8? {
        index < bytes.count ? bytes[index] : nil
    }

    @inline(__always)
    func skipBlanks(_ index: Int) -> Int {
        var index = index
        while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 { index &+= 1 }
        return index
    }

    /// The end of a metric name (letters, digits, `_`, `:`) that begins at an index; the index itself where none does.
    @inline(__always)
    func skipMetricName(_ start: Int) -> Int {
        guard let first = byte(start), ByteClass.isNameStart(first) || first == UInt8(ascii: ":") else { return start }
        var index = start &+ 1
        while index < bytes.count, ByteClass.isName(bytes[index]) || bytes[index] == UInt8(ascii: ":") { index &+= 1 }
        return index
    }

    /// The same for label names: no colon.
    @inline(__always)
    func skipLabelName(_ start: Int) -> Int {
        guard let first = byte(start), ByteClass.isNameStart(first) else { return start }
        var index = start &+ 1
        while index < bytes.count, ByteClass.isName(bytes[index]) { index &+= 1 }
        return index
    }

    /// What may stand inside a quoted text besides escapes.
    struct StringRules {
        var allowsNewline: Bool
        var allowsNUL: Bool
    }

    /// Reads a quoted text from its opening quote.
    /// - Returns: the index behind the closing quote and whether there are bytes beyond ASCII; nil where the text is
    ///   not closed or holds what it may not.
    @inline(__always)
    func skipQuoted(_ start: Int, _ rules: StringRules) -> (end: Int, isASCII: Bool)? {
        guard byte(start) == UInt8(ascii: "\"") else { return nil }
        var seen: UInt8 = 0
        var index = start &+ 1
        while index < bytes.count {
            let byte = bytes[index]
            seen |= byte
            index &+= 1
            if byte == UInt8(ascii: "\"") { return (index, seen < 0x80) }
            if byte == UInt8(ascii: "\\") {
                guard index < bytes.count, bytes[index] != UInt8(ascii: "\n") else { return nil }
                if bytes[index] == 0, !rules.allowsNUL { return nil }
                seen |= bytes[index]
                index &+= 1
            } else if byte == UInt8(ascii: "\n"), !rules.allowsNewline {
                return nil
            } else if byte == 0, !rules.allowsNUL {
                return nil
            }
        }
        return nil
    }

    /// The end of the line from an index: that of its newline, or of the body.
    func lineEnd(_ start: Int) -> Int {
        guard start < bytes.count, let base = bytes.baseAddress,
            let newline = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
        else { return bytes.count }
        return UnsafeRawPointer(newline) - base
    }

    func isUTF8(_ range: Range<Int>) -> Bool {
        UTF8Text.isValid(UnsafeRawBufferPointer(rebasing: bytes[range.clamped(to: 0..<bytes.count)]))
    }
}

enum ByteClass {
    @inline(__always)
    static func isNameStart(_ byte: UInt8) -> Bool {
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 26 || byte == UInt8(ascii: "_")
    }

    @inline(__always)
    static func isName(_ byte: UInt8) -> Bool { isNameStart(byte) || isDigit(byte) }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
