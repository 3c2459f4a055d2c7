import SeriesModel

/// Constants of the head-chunk files: see `docs/formats/head-chunks.md`.
enum HeadChunkFormat {
    static let magic: [UInt8] = Array("HEARTHHC".utf8)
    static let version: UInt32 = 1
    /// Magic, version, number of the file, checksum of these.
    static let fileHeaderBytes = 24
    static let directoryName = "chunks_head"
    /// Of a new file. Bytes.
    static let fileBytes = 64 << 20
    /// Checksum, four varints of at most five bytes, encoding, flags.
    static let recordHeaderBytesMax = 4 + 3 * 5 + 2
    /// A record takes no more. Bytes.
    static let recordBytesMax = 8 << 20
    /// File numbers stay below, so that place and number share a word.
    static let numberLimit: UInt32 = 1 << 30

    static func name(_ number: UInt32) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    static func number(_ name: String) -> UInt32? {
        guard name.utf8.count >= 8, name.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return UInt32(name).flatMap { $0 < numberLimit ? $0 : nil }
    }
}

/// Where in the head-chunk files a record lies.
package struct HeadChunkPlace: Sendable, Hashable, Comparable {
    package var file: UInt32
    package var offset: UInt32

    package init(file: UInt32, offset: UInt32) {
        self.file = file
        self.offset = offset
    }

    package static func < (a: HeadChunkPlace, b: HeadChunkPlace) -> Bool {
        (a.file, a.offset) < (b.file, b.offset)
    }
}

/// A chunk that is not written any more, in a head-chunk file. 24 bytes, in lists without an object each.
struct ClosedChunk {
    var place: HeadChunkPlace
    /// ms; of the first sample.
    var start: Timestamp
    /// From the first to the last sample, ms; the largest number stands for that and more.
    var span: UInt32
    /// Of the whole record. Bytes.
    var length: UInt32

    init(place: HeadChunkPlace, range: TimeRange, length: Int) {
        self.place = place
        start = range.min
        span = UInt32(clamping: range.max.subtractingClamped(range.min))
        self.length = UInt32(clamping: length)
    }

    init(place: HeadChunkPlace, start: Timestamp, span: UInt32, length: UInt32) {
        self.place = place
        self.start = start
        self.span = span
        self.length = length
    }

    /// At least what the samples span.
    var range: TimeRange {
        TimeRange(min: start, max: span == .max ? .max : start.addingClamped(Int64(span)))
    }
}
