import ChunkEncoding
import SeriesModel

/// One series of the head: its labels, closed chunks, and the open one. Changed by the committer under the gate held
/// exclusively; read under the gate.
final class HeadSeries {
    let labels: LabelSet
    let hash: UInt64
    let slot: UInt32
    let generation: UInt32
    private(set) var closed: [HeadChunk] = []
    private var open = XORAppender()
    private var words: [UInt64] = []
    /// ms; of the open chunk's first sample.
    private var openStart: Timestamp = 0
    /// The newest sample, whichever chunk holds it; nil before the first.
    private(set) var last: (timestamp: Timestamp, bits: UInt64)?
    /// What `last` will be once the batch under decision is applied. Only the committer looks at it.
    var decided: (timestamp: Timestamp, bits: UInt64)?

    /// Chunks of the head are closed at this number of samples, as upstream's.
    static let chunkSamplesMax = 120

    init(labels: LabelSet, slot: UInt32, generation: UInt32) {
        self.labels = labels
        hash = labels.stableHash
        self.slot = slot
        self.generation = generation
    }

    /// - Parameter blockRange: ms. No chunk reaches from one block's range into the next, so blocks take whole chunks.
    /// - Returns: whether a chunk was begun.
    func append(_ timestamp: Timestamp, _ value: Double, blockRange: Int64) -> Bool {
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
        last = (timestamp, value.bitPattern)
        return begins
    }

    private func close() {
        closed.append(
            HeadChunk(
                range: TimeRange(min: openStart, max: open.lastTimestamp), sampleCount: open.count,
                bytes: open.chunk(words: words)))
        open = XORAppender()
        words.removeAll(keepingCapacity: true)
    }

    var chunkCount: Int { closed.count + (open.count > 0 ? 1 : 0) }

    /// ms; nil where the series has no sample in the head.
    var firstTimestamp: Timestamp? { closed.first?.range.min ?? (open.count > 0 ? openStart : nil) }

    /// Takes what another object of the same series holds.
    func takeOver(from other: HeadSeries) {
        closed = other.closed
        open = other.open
        words = other.words
        openStart = other.openStart
        last = other.last
    }

    /// Bytes of the chunks.
    var chunkBytes: Int { closed.reduce(open.count > 0 ? open.byteCount : 0) { $0 + $1.bytes.count } }

    /// Forgets chunks that end before a time. - Returns: how many went.
    func truncate(before time: Timestamp) -> Int {
        let before = chunkCount
        closed.removeAll { $0.range.max < time }
        if open.count > 0, open.lastTimestamp < time {
            open = XORAppender()
            words = []
        }
        return before - chunkCount
    }

    /// All chunks as they are now; costs no copy of samples.
    func snapshot() -> HeadSnapshot {
        let openRange = TimeRange(min: openStart, max: open.lastTimestamp)
        return HeadSnapshot(closed: closed, open: open, words: words, openRange: openRange)
    }
}

/// A chunk that is not written any more.
struct HeadChunk: Sendable {
    let range: TimeRange
    let sampleCount: Int
    let bytes: [UInt8]
}

/// The chunks of one series at one moment, to be decoded without locks.
struct HeadSnapshot: Sendable {
    fileprivate let closed: [HeadChunk]
    private let open: XORAppender
    private let words: [UInt64]
    private let openRange: TimeRange

    fileprivate init(closed: [HeadChunk], open: XORAppender, words: [UInt64], openRange: TimeRange) {
        self.closed = closed
        self.open = open
        self.words = words
        self.openRange = openRange
    }

    func overlaps(_ range: TimeRange) -> Bool {
        closed.contains { $0.range.overlaps(range) } || (open.count > 0 && openRange.overlaps(range))
    }

    /// The chunks that overlap a range, the open one as the bytes it has now.
    func chunks(in range: TimeRange) -> [HeadChunk] {
        var chunks = closed.filter { $0.range.overlaps(range) }
        if open.count > 0, openRange.overlaps(range) {
            chunks.append(HeadChunk(range: openRange, sampleCount: open.count, bytes: open.chunk(words: words)))
        }
        return chunks
    }

    /// Appends the samples in the range.
    func read(_ range: TimeRange, into buffer: inout SampleBuffer) throws(ChunkError) {
        for chunk in closed where chunk.range.overlaps(range) {
            try XORDecoder.decode(chunk.bytes, into: &buffer, range: range)
        }
        guard open.count > 0, openRange.overlaps(range) else { return }
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
        var samples = SampleBuffer()
        try read(range, into: &samples)
        if let time = samples.timestamps.last, let value = samples.values.last { buffer.append(time, value) }
    }
}

extension Timestamp {
    /// The number of the aligned window of so many ms that a time lies in.
    static func window(of time: Timestamp, _ width: Int64) -> Int64 {
        let quotient = time / width
        return time % width < 0 ? quotient - 1 : quotient
    }
}
