import ByteCoding
import SeriesModel

/// The state of a histogram chunk that is being written: the bits so far, and the last value of each column.
struct OpenHistogramChunk: Sendable {
    let encoding: ChunkEncoding
    let header: CounterResetHeader
    let layout: HistogramLayout
    private(set) var count = 1
    private(set) var lastTimestamp: Timestamp
    private var lastDelta: Int64 = 0
    /// In the chunk's buckets, with the hint that a reader gives it.
    private(set) var newest: NativeHistogram
    /// Full words, big-endian, and the bits that do not fill one yet.
    private var words: [UInt64] = []
    private var pendingWord: UInt64 = 0
    private var pendingBits: UInt64 = 0
    /// One of these, as the encoding says.
    private var whole: WholeFields?
    private var doubles: DoubleFields?

    /// Begins a chunk with its first sample.
    init(
        _ encoding: ChunkEncoding, _ header: CounterResetHeader, _ timestamp: Timestamp, _ histogram: NativeHistogram
    ) {
        precondition(encoding != .xor, "a chunk of floats takes no histogram")
        self.encoding = encoding
        self.header = header
        // A stale marker keeps nothing but its sum.
        let first = histogram.isStale ? NativeHistogram(sum: StaleMarker.value) : histogram
        layout = HistogramLayout(of: first)
        lastTimestamp = timestamp
        newest = first
        newest.counterResetHint = header.hint(isFirst: true)
        writeBits(layout.bitsMax + OpenHistogramChunk.bitsMax(ofSampleLike: first)) { chunk, writer in
            chunk.layout.write(to: &writer)
            writer.writeVarbit(timestamp)
            if encoding == .histogram {
                chunk.whole = WholeFields(first, to: &writer)
            } else {
                chunk.doubles = DoubleFields(first, to: &writer)
            }
        }
    }

    /// Adds a sample.
    /// - Precondition: it has the chunk's buckets, or is stale; the chunk is not full.
    mutating func write(_ timestamp: Timestamp, _ histogram: NativeHistogram) {
        let isStale = histogram.isStale
        let delta = timestamp &- lastTimestamp
        writeBits(OpenHistogramChunk.bitsMax(ofSampleLike: histogram)) { chunk, writer in
            writer.writeVarbit(delta &- chunk.lastDelta)
            if isStale {
                chunk.whole?.writeStaleMarker(to: &writer)
                chunk.doubles?.writeStaleMarker(to: &writer)
            } else {
                chunk.whole?.write(histogram, to: &writer)
                chunk.doubles?.write(histogram, to: &writer)
            }
        }
        lastTimestamp = timestamp
        lastDelta = delta
        count += 1
        newest = isStale ? NativeHistogram(sum: StaleMarker.value) : histogram
        newest.counterResetHint = header.hint(isFirst: false)
    }

    /// - Parameter bitsMax: the most that the body writes.
    private mutating func writeBits(
        _ bitsMax: Int, _ body: (inout OpenHistogramChunk, inout BitWriter) -> Void
    ) {
        // Up to 63 bits wait already.
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: bitsMax / 64 + 2) { room in
            guard let target = room.baseAddress else { return }
            var writer = BitWriter(word: pendingWord, used: pendingBits, target: target)
            body(&self, &writer)
            words.append(contentsOf: UnsafeBufferPointer(start: target, count: writer.target - target))
            pendingWord = writer.word
            pendingBits = writer.used
        }
    }

    // MARK: - Size

    private static func bitsMax(ofSampleLike histogram: NativeHistogram) -> Int {
        bitsMax(buckets: histogram.positiveBuckets.count + histogram.negativeBuckets.count)
    }

    /// Timestamp, count, zero count, sum and buckets.
    private static func bitsMax(buckets: Int) -> Int { (4 + buckets) * HistogramFormat.fieldBitsMax }

    /// Whether one more sample might make the chunk too large.
    func isFull(for histogram: NativeHistogram) -> Bool {
        isFull(buckets: histogram.positiveBuckets.count + histogram.negativeBuckets.count)
    }

    func isFull(for expansion: HistogramExpansion) -> Bool { isFull(buckets: expansion.bucketCount) }

    private func isFull(buckets: Int) -> Bool {
        // The spans of a union are not more than its buckets, and those of a sample hardly ever.
        let spansMax = layout.positiveSpans.count + layout.negativeSpans.count + buckets
        let layoutBits = layout.bitsMax + 2 * spansMax * HistogramFormat.fieldBitsMax
        let sampleBits = (count + 1) * OpenHistogramChunk.bitsMax(buckets: buckets)
        return count >= HistogramFormat.samplesMax || layoutBits + sampleBits > HistogramFormat.chunkBytesMax * 8
    }

    // MARK: - Bytes

    var byteCount: Int { HistogramFormat.headerBytes + words.count * 8 + (Int(pendingBits) + 7) / 8 }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        let number = UInt16(truncatingIfNeeded: count)
        bytes.append(UInt8(truncatingIfNeeded: number >> 8))
        bytes.append(UInt8(truncatingIfNeeded: number))
        bytes.append(header.rawValue)
        words.withUnsafeBytes { bytes.append(contentsOf: $0) }
        var rest = pendingWord
        for _ in 0..<(Int(pendingBits) + 7) / 8 {
            bytes.append(UInt8(truncatingIfNeeded: rest >> 56))
            rest <<= 8
        }
        return bytes
    }

    /// The chunk with the buckets of an expansion; nil where it cannot be read back.
    func rewritten(for expansion: HistogramExpansion) -> OpenHistogramChunk? {
        var samples = SampleBuffer()
        do throws(ChunkError) {
            try encoding.decode(bytes, into: &samples)
        } catch {
            return nil
        }
        // A stale marker ends its chunk: there is none before a sample that brings buckets.
        guard samples.count == 0, let first = samples.histograms.first, let start = samples.histogramTimestamps.first
        else { return nil }
        var out = OpenHistogramChunk(encoding, header, start, expansion.applied(toEarlier: first))
        for (timestamp, histogram) in zip(samples.histogramTimestamps, samples.histograms).dropFirst() {
            out.write(timestamp, expansion.applied(toEarlier: histogram))
        }
        return out
    }
}
