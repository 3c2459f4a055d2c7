/// Pieces of HTTP's grammar over bytes (RFC 9110, 5.6).
enum HTTPBytes {
    /// Whether a byte may stand in a name of a header.
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "^"), UInt8(ascii: "`"),
            UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// Whether a byte may stand in the value of a header: no control character but the tab.
    static func isFieldByte(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }

    /// Without spaces and tabs at either end.
    static func trimmed(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Slice<UnsafeBufferPointer<UInt8>> {
        var bytes = bytes.drop { $0 == 0x20 || $0 == 0x09 }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return bytes
    }

    /// Whether bytes are a word, in whatever case.
    /// - Parameter word: in lower case.
    static func equal(_ bytes: some Collection<UInt8>, _ word: StaticString) -> Bool {
        guard bytes.count == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { word in
            zip(bytes, word).allSatisfy { byte, wanted in
                byte == wanted || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) && byte | 0x20 == wanted
            }
        }
    }

    /// Whether bytes are the same but for the case of letters.
    static func equal(_ bytes: some Collection<UInt8>, ignoringCaseOf others: some Collection<UInt8>) -> Bool {
        func lower(_ byte: UInt8) -> UInt8 {
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
        }
        return bytes.count == others.count && zip(bytes, others).allSatisfy { lower($0) == lower($1) }
    }

    /// Calls with each word of a list with commas.
    static func forEachWord(
        in list: Slice<UnsafeBufferPointer<UInt8>>, _ body: (Slice<UnsafeBufferPointer<UInt8>>) -> Void
    ) {
        var rest = list
        while true {
            let end = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
            let word = trimmed(rest[..<end])
            if !word.isEmpty { body(word) }
            guard end < rest.endIndex else { return }
            rest = rest[(end + 1)...]
        }
    }
}

/// The lines of a head, up to the empty one. Lines that begin with a space belong to the one before.
struct HeadLines {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    /// Whether the line last given is several.
    private(set) var isFolded = false

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// Nil at the end.
    mutating func next() -> Slice<UnsafeBufferPointer<UInt8>>? {
        guard position < bytes.count else { return nil }
        let start = position
        var end = lineEnd(from: start)
        isFolded = false
        // The status line, and the empty line, have no continuation.
        while start > 0, end > start, end + 1 < bytes.count, bytes[end + 1] == 0x20 || bytes[end + 1] == 0x09 {
            isFolded = true
            end = lineEnd(from: end + 1)
        }
        position = end + 1
        var line = bytes[start..<min(end, bytes.count)]
        if line.last == 0x0D { line.removeLast() }
        return line.allSatisfy { $0 == 0x0D } ? nil : line
    }

    /// The next line feed, or the end.
    private func lineEnd(from start: Int) -> Int { bytes[start...].firstIndex(of: 0x0A) ?? bytes.count }
}

/// Names that most responses have: texts that need not be made anew.
enum KnownHeaders {
    /// By their length.
    private static let names: [[String]] = {
        var names = [[String]](repeating: [], count: 18)
        let known = [
            "Date", "Vary", "Server", "Connection", "Content-Type", "Content-Length", "Content-Encoding",
            "Transfer-Encoding",
        ]
        for name in known { names[name.utf8.count].append(name) }
        return names
    }()

    static func text(_ name: Slice<UnsafeBufferPointer<UInt8>>) -> String {
        if name.count < names.count {
            for known in names[name.count] where known.utf8.elementsEqual(name) { return known }
        }
        return String(decoding: name, as: UTF8.self)
    }
}
