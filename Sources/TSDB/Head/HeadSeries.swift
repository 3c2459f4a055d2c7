import ChunkEncoding
import SeriesModel

/// One series of the head: its labels, closed chunks, and the open one. Changed by the committer under the gate held
/// exclusively; read under the gate.
///
/// Floats and histograms go into chunks of their own; of the two kinds one chunk at most is open, so that chunks follow
/// each other in time. A stale marker goes into whichever is open.
final class HeadSeries {
    let labels: LabelSet
    let hash: UInt64
    let slot: UInt32
    let generation: UInt32
    private(set) var closed: [HeadChunk] = []
    private var open = XORAppender()
    private var words: [UInt64] = []
    /// The open chunk, if it is one of histograms; then `open` is empty.
    private var openHistograms: HistogramAppender?
    /// ms; of the open chunk's first sample.
    private var openStart: Timestamp = 0
    /// The newest sample, whichever chunk holds it; nil before the first.
    private(set) var last: NewestSample?
    /// Nil where `last` is a float.
    private(set) var lastHistogram: NativeHistogram?
    /// What `last` will be once the batch under decision is applied. Only the committer looks at it.
    var decided: NewestSample?
    /// As `lastHistogram`, for `decided`.
    var decidedHistogram: NativeHistogram?

    /// Chunks of the head are closed at this number of samples, as upstream's.
    static let chunkSamplesMax = 120
    /// Chunks of histograms are closed when they are so large and have so many samples: a query decodes whole chunks.
    static let histogramChunkBytesMin = 4096
    static let histogramChunkSamplesMin = 20

    init(labels: LabelSet, slot: UInt32, generation: UInt32) {
        self.labels = labels
        hash = labels.stableHash
        self.slot = slot
        self.generation = generation
    }

    /// - Parameter blockRange: ms. No chunk reaches from one block's range into the next, so blocks take whole chunks.
    /// - Returns: whether a chunk was begun.
    func append(_ timestamp: Timestamp, _ value: Double, blockRange: Int64) -> Bool {
        if openHistograms != nil {
            if StaleMarker.isStale(value) {
                return append(timestamp, NativeHistogram(sum: value), blockRange: blockRange)
            }
            closeHistograms()
        }
        var begins = open.count == 0
        if open.count >= HeadSeries.chunkSamplesMax
            || (open.count > 0
                && Timestamp.window(of: timestamp, blockRange) != Timestamp.window(of: openStart, blockRange))
        {
            close()
            begins = true
        }
        if begins { openStart = timestamp }
        open.append(timestamp, value, to: &words)
        last = NewestSample(timestamp, value)
        if lastHistogram != nil { lastHistogram = nil }
        return begins
    }

    /// As the one for floats.
    func append(_ timestamp: Timestamp, _ histogram: NativeHistogram, blockRange: Int64) -> Bool {
        if open.count > 0 { close() }
        let header: CounterResetHeader? =
            if openHistograms == nil {
                .unknown
            } else if areHistogramsFull
                || Timestamp.window(of: timestamp, blockRange) != Timestamp.window(of: openStart, blockRange)
            {
                openHistograms?.headerOfNext(histogram)
            } else {
                openHistograms?.append(timestamp, histogram)
            }
        if let header {
            closeHistograms()
            openStart = timestamp
            openHistograms = HistogramAppender(
                HistogramAppender.encoding(for: histogram), header, timestamp, histogram)
        }
        if histogram.isStale {
            last = NewestSample(timestamp, StaleMarker.value)
            lastHistogram = nil
        } else {
            last = NewestSample(histogramAt: timestamp)
            // Shares its memory with the chunk's.
            lastHistogram = openHistograms?.newest ?? histogram
        }
        return header != nil
    }

    private var areHistogramsFull: Bool {
        guard let open = openHistograms else { return false }
        return open.count >= HeadSeries.chunkSamplesMax
            || open.count >= HeadSeries.histogramChunkSamplesMin
                && open.byteCount >= HeadSeries.histogramChunkBytesMin
    }

    private func closeHistograms() {
        guard let full = openHistograms else { return }
        closed.append(
            HeadChunk(
                encoding: full.encoding, range: TimeRange(min: openStart, max: full.lastTimestamp),
                sampleCount: full.count, bytes: full.bytes))
        openHistograms = nil
    }

    private func close() {
        closed.append(
            HeadChunk(
                encoding: .xor, range: TimeRange(min: openStart, max: open.lastTimestamp), sampleCount: open.count,
                bytes: open.chunk(words: words)))
        open = XORAppender()
        words.removeAll(keepingCapacity: true)
    }

    private var hasOpenChunk: Bool { open.count > 0 || openHistograms != nil }

    var chunkCount: Int { closed.count + (hasOpenChunk ? 1 : 0) }

    /// ms; nil where the series has no sample in the head.
    var firstTimestamp: Timestamp? { closed.first?.range.min ?? (hasOpenChunk ? openStart : nil) }

    /// Takes what another object of the same series holds.
    func takeOver(from other: HeadSeries) {
        closed = other.closed
        open = other.open
        words = other.words
        openHistograms = other.openHistograms
        openStart = other.openStart
        last = other.last
        lastHistogram = other.lastHistogram
    }

    /// Bytes of the chunks.
    var chunkBytes: Int {
        closed.reduce(openHistograms?.byteCount ?? (open.count > 0 ? open.byteCount : 0)) { $0 + $1.bytes.count }
    }

    /// Forgets chunks that end before a time. - Returns: how many went.
    func truncate(before time: Timestamp) -> Int {
        let before = chunkCount
        closed.removeAll { $0.range.max < time }
        if open.count > 0, open.lastTimestamp < time {
            open = XORAppender()
            words = []
        }
        if let histograms = openHistograms, histograms.lastTimestamp < time { openHistograms = nil }
        return before - chunkCount
    }

    /// All chunks as they are now; costs no copy of samples.
    func snapshot() -> HeadSnapshot {
        let openRange = TimeRange(min: openStart, max: openHistograms?.lastTimestamp ?? open.lastTimestamp)
        return HeadSnapshot(
            closed: closed, open: open, words: words, openHistograms: openHistograms, openRange: openRange)
    }
}

/// The newest sample of a series: what the next one has to be newer than, or equal to. A histogram itself stands beside
/// it, so that floats are decided without counting references.
struct NewestSample: Sendable {
    let timestamp: Timestamp
    /// Of the float; 0 for a histogram.
    let bits: UInt64
    let isHistogram: Bool

    init(_ timestamp: Timestamp, _ value: Double) {
        self.timestamp = timestamp
        bits = value.bitPattern
        isHistogram = false
    }

    init(histogramAt timestamp: Timestamp) {
        self.timestamp = timestamp
        bits = 0
        isHistogram = true
    }

    /// Nil for a histogram.
    var value: Double? { isHistogram ? nil : Double(bitPattern: bits) }
}

extension NativeHistogram {
    /// Whether both hold the same, bit for bit; empty buckets do not count.
    func holdsSame(as other: NativeHistogram) -> Bool {
        if self == other { return true }
        var (a, b) = (self, other)
        a.compact()
        b.compact()
        return a == b
    }
}

/// A chunk that is not written any more.
struct HeadChunk: Sendable {
    let encoding: ChunkEncoding
    let range: TimeRange
    let sampleCount: Int
    let bytes: [UInt8]
}

/// The chunks of one series at one moment, to be decoded without locks.
struct HeadSnapshot: Sendable {
    fileprivate let closed: [HeadChunk]
    private let open: XORAppender
    private let words: [UInt64]
    private let openHistograms: HistogramAppender?
    private let openRange: TimeRange

    fileprivate init(
        closed: [HeadChunk], open: XORAppender, words: [UInt64], openHistograms: HistogramAppender?,
        openRange: TimeRange
    ) {
        self.closed = closed
        self.open = open
        self.words = words
        self.openHistograms = openHistograms
        self.openRange = openRange
    }

    func overlaps(_ range: TimeRange) -> Bool {
        closed.contains { $0.range.overlaps(range) } || isOpenChunk(in: range)
    }

    private func isOpenChunk(in range: TimeRange) -> Bool {
        (open.count > 0 || openHistograms != nil) && openRange.overlaps(range)
    }

    /// The chunks that overlap a range, the open one as the bytes it has now.
    func chunks(in range: TimeRange) -> [HeadChunk] {
        var chunks = closed.filter { $0.range.overlaps(range) }
        guard isOpenChunk(in: range) else { return chunks }
        if let open = openHistograms {
            chunks.append(
                HeadChunk(encoding: open.encoding, range: openRange, sampleCount: open.count, bytes: open.bytes))
        } else {
            chunks.append(
                HeadChunk(
                    encoding: .xor, range: openRange, sampleCount: open.count, bytes: open.chunk(words: words)))
        }
        return chunks
    }

    /// Appends the samples in the range.
    func read(_ range: TimeRange, into buffer: inout SampleBuffer) throws(ChunkError) {
        for index in closed.indices where closed[index].range.overlaps(range) {
            try closed[index].encoding.decode(closed[index].bytes, into: &buffer, range: range)
        }
        guard isOpenChunk(in: range) else { return }
        if let open = openHistograms {
            if range.min == openRange.max || open.count == 1 {
                if range.contains(openRange.max) { buffer.append(openRange.max, open.newest) }
            } else {
                try open.encoding.decode(open.bytes, into: &buffer, range: range)
            }
            return
        }
        if range.min == openRange.max || open.count == 1 {
            // The newest sample is in the state: nothing to decode.
            if range.contains(open.lastTimestamp) { buffer.append(open.lastTimestamp, open.lastValue) }
            return
        }
        try XORDecoder.decode(open.chunk(words: words), into: &buffer, range: range)
    }

    /// Appends the newest sample in the range alone.
    func readNewest(_ range: TimeRange, into buffer: inout SampleBuffer) throws(ChunkError) {
        if open.count > 0, range.contains(open.lastTimestamp) {
            buffer.append(open.lastTimestamp, open.lastValue)
            return
        }
        if let open = openHistograms, range.contains(openRange.max) {
            buffer.append(openRange.max, open.newest)
            return
        }
        var samples = SampleBuffer()
        try read(range, into: &samples)
        let (float, histogram) = (samples.timestamps.last, samples.histogramTimestamps.last)
        if let time = histogram, let histogram = samples.histograms.last, time > float ?? .min {
            buffer.append(time, histogram)
        } else if let time = float, let value = samples.values.last {
            buffer.append(time, value)
        }
    }
}

extension Timestamp {
    /// The number of the aligned window of so many ms that a time lies in.
    static func window(of time: Timestamp, _ width: Int64) -> Int64 {
        let quotient = time / width
        return time % width < 0 ? quotient - 1 : quotient
    }
}
