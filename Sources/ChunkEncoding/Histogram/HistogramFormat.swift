import SeriesModel

/// Constants of the histogram chunks: see `docs/formats/histogram-chunk.md`.
package enum HistogramFormat {
    /// The number of samples, big-endian, and the byte of flags before the bits.
    static let headerBytes = 3
    static let flagsOffset = 2
    /// What the header can count. The head closes its chunks long before.
    static let samplesMax = Int(UInt16.max)
    /// No chunk that might become larger is gone on with. Bytes.
    static let chunkBytesMax = 512 << 10
    /// The most that a field takes: 13 bits of window and 64 of value. Bits.
    static let fieldBitsMax = 77
    /// A histogram may have as many buckets, spans and custom bounds, so that a sample always fits into a chunk.
    package static let partsMax = 10_000
    /// Counts above are not exact as doubles, so they do not come from whole numbers.
    static let wholeCountMax = Double(1 << 53)
    /// Custom bounds of so many thousandths are written in short.
    static let shortBoundMax = 33_554_430.0
}

/// What is known of a counter reset before a chunk: the two highest bits of its flags.
package enum CounterResetHeader: UInt8, Sendable, CaseIterable {
    /// Nothing: who reads has to compare.
    case unknown = 0b0000_0000
    /// The first sample does not fall below the last one of the chunk before.
    case notReset = 0b0100_0000
    /// The chunk was begun because a counter was reset.
    case reset = 0b1000_0000
    /// The samples are gauges, which may fall.
    case gauge = 0b1100_0000

    static let mask: UInt8 = 0b1100_0000

    /// Of a chunk's bytes; nil where not even the header is there.
    package init?(chunk: [UInt8]) {
        guard chunk.count >= HistogramFormat.headerBytes else { return nil }
        self.init(flags: chunk[HistogramFormat.flagsOffset])
    }

    init(flags: UInt8) { self = CounterResetHeader(rawValue: flags & CounterResetHeader.mask) ?? .unknown }

    /// What a reader knows of a sample. Whatever the header says, the first one's predecessor may be gone by now, or come
    /// from another source: so nothing is known of it, as upstream has it.
    func hint(isFirst: Bool) -> NativeHistogram.CounterResetHint {
        switch self {
        case .gauge: .gauge
        case .reset, .unknown, .notReset: isFirst ? .unknown : .notReset
        }
    }
}
