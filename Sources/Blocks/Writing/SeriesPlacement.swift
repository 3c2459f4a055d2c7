import ByteCoding
import ChunkEncoding
import SeriesModel

/// Where the samples of a series lie, as its row in the index says.
struct SeriesPlacement {
    struct Flags: OptionSet {
        let rawValue: UInt8

        static let floats = Flags(rawValue: 1)
        static let base = Flags(rawValue: 2)
        static let starts = Flags(rawValue: 4)
        static let histograms = Flags(rawValue: 8)
        static let histogramStarts = Flags(rawValue: 16)
        static let all: Flags = [floats, base, starts, histograms, histogramStarts]
    }

    /// Of the first page in the data file.
    var offset: Int
    /// Of the floats' timestamps.
    var layout: UInt32 = 0
    /// How many series before this one the one lies whose values its pages may need; 0 for none.
    var base: UInt32 = 0
    /// Of the pages of floats. Bytes.
    var pages: [Int] = []
    /// Of the pages of start timestamps; empty where there are none.
    var pageStarts: [Int] = []
    var chunks: [HistogramChunk] = []
    var chunkStarts: [Int] = []

    init(offset: Int) { self.offset = offset }

    /// - Parameter start: of the block. ms
    func append(to row: inout ByteBuilder, start: Timestamp) {
        var flags: Flags = []
        if !pages.isEmpty { flags.insert(.floats) }
        if base > 0 { flags.insert(.base) }
        if !pageStarts.isEmpty { flags.insert(.starts) }
        if !chunks.isEmpty { flags.insert(.histograms) }
        if !chunkStarts.isEmpty { flags.insert(.histogramStarts) }
        row.append(flags.rawValue)
        if base > 0 { row.appendVarint(UInt64(base)) }
        for length in pages { row.appendVarint(length) }
        for length in pageStarts { row.appendVarint(length) }
        if chunks.isEmpty { return }
        row.appendVarint(chunks.count)
        var previous = start
        for chunk in chunks {
            row.appendVarint(chunk.sampleCount << 1 | (chunk.encoding == .floatHistogram ? 1 : 0))
            row.appendZigzag(chunk.range.min &- previous)
            row.appendVarint(UInt64(bitPattern: chunk.range.max &- chunk.range.min))
            row.appendVarint(chunk.bytes.count)
            previous = chunk.range.max
        }
        for length in chunkStarts { row.appendVarint(length) }
    }
}
