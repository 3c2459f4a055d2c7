import ChunkEncoding
import SeriesModel
import StorageAPI

/// The chunks of one series at one moment, to be decoded without locks while the view lives that it was taken for.
package struct SeriesSnapshot: @unchecked Sendable {
    let slot: UInt32
    private let closedCount: UInt32
    private let closed: UnsafeMutablePointer<ClosedChunk>?
    private let words: UnsafeMutablePointer<UInt64>?
    private let openStart: Timestamp
    private let open: XORAppender
    private let side: Side?

    /// What the series' side held; immutable.
    private final class Side: Sendable {
        let openHistograms: HistogramAppender?
        let pending: [MemoryChunk]
        let outOfOrder: [OutOfOrderSample]
        let outOfOrderChunks: [ClosedChunk]
        let outOfOrderPending: [MemoryChunk]

        init(_ side: SeriesSide) {
            openHistograms = side.openHistograms
            pending = side.pending
            outOfOrder = side.outOfOrder
            outOfOrderChunks = side.outOfOrderChunks
            outOfOrderPending = side.outOfOrderPending
        }

        var hasOutOfOrder: Bool { !outOfOrder.isEmpty || !outOfOrderChunks.isEmpty || !outOfOrderPending.isEmpty }
    }

    /// Under the gate.
    init(_ record: SeriesRecord, _ slot: UInt32) {
        self.slot = slot
        closedCount = record.closedCount
        closed = record.closed
        words = record.words
        openStart = record.openStart
        open = record.open
        side = record.side.map { $0._withUnsafeGuaranteedRef { Side($0) } }
    }

    private var openHistograms: HistogramAppender? { side?.openHistograms }

    private var openRange: TimeRange { TimeRange(min: openStart, max: open.lastTimestamp) }

    private func isOpenChunk(in range: TimeRange) -> Bool {
        (open.count > 0 || openHistograms != nil) && openRange.overlaps(range)
    }

    /// Whether anything may lie in the range.
    /// - Parameter inOrder: the part of the range that the head answers for as to samples in order.
    func overlaps(_ range: TimeRange, inOrder: TimeRange) -> Bool {
        if isOpenChunk(in: inOrder) { return true }
        if let closed {
            // Newest first: most questions are about the present.
            for index in (0..<Int(closedCount)).reversed() where closed[index].range.overlaps(inOrder) { return true }
        }
        guard let side else { return false }
        return side.pending.contains { $0.range.overlaps(inOrder) }
            || side.outOfOrder.contains { range.contains($0.timestamp) }
            || side.outOfOrderChunks.contains { $0.range.overlaps(range) }
            || side.outOfOrderPending.contains { $0.range.overlaps(range) }
    }

    var hasOutOfOrder: Bool { side?.hasOutOfOrder ?? false }

    /// The times of the oldest and newest sample, at least; nil for none.
    var heldRange: TimeRange? {
        var held: TimeRange?
        forEachRange { range in
            held = TimeRange(min: min(held?.min ?? range.min, range.min), max: max(held?.max ?? range.max, range.max))
        }
        return held
    }

    /// The range of each chunk, and of each sample that waits out of order.
    func forEachRange(_ body: (TimeRange) -> Void) {
        if open.count > 0 || openHistograms != nil { body(openRange) }
        if let closed {
            for index in 0..<Int(closedCount) { body(closed[index].range) }
        }
        guard let side else { return }
        for chunk in side.pending { body(chunk.range) }
        for chunk in side.outOfOrderChunks { body(chunk.range) }
        for chunk in side.outOfOrderPending { body(chunk.range) }
        for sample in side.outOfOrder { body(TimeRange(min: sample.timestamp, max: sample.timestamp)) }
    }

    // MARK: - Reading

    /// Appends the samples in the range, in order of time.
    /// - Parameters:
    ///   - inOrder: as for `overlaps`.
    ///   - damaged: gets what is wrong with a chunk in a file, which is left out then unless it throws; nil to
    ///     throw it.
    func read(
        _ range: TimeRange, inOrder: TimeRange, _ files: HeadChunkFileSet, into buffer: inout SampleBuffer,
        damaged: ((StorageError) throws(StorageError) -> Void)? = nil
    ) throws(StorageError) {
        func read(_ chunk: ClosedChunk, _ range: TimeRange) throws(StorageError) {
            do throws(StorageError) {
                try files.read(chunk, of: slot, range, into: &buffer)
            } catch {
                guard let damaged else { throw error }
                try damaged(error)
            }
        }
        var marks = [BufferMark(buffer)]
        if let closed {
            for index in 0..<Int(closedCount) where closed[index].range.overlaps(inOrder) {
                try read(closed[index], inOrder)
            }
        }
        try readInMemory(inOrder, into: &buffer)
        guard let side, side.hasOutOfOrder else { return }
        marks.append(BufferMark(buffer))
        for chunk in side.outOfOrderChunks where chunk.range.overlaps(range) {
            try read(chunk, range)
            marks.append(BufferMark(buffer))
        }
        for chunk in side.outOfOrderPending where chunk.range.overlaps(range) {
            try SeriesSnapshot.decode(chunk, range, into: &buffer)
            marks.append(BufferMark(buffer))
        }
        let before = BufferMark(buffer)
        for sample in side.outOfOrder where range.contains(sample.timestamp) {
            if let histogram = sample.histogram {
                buffer.append(sample.timestamp, histogram)
            } else {
                buffer.append(sample.timestamp, sample.value)
            }
        }
        if BufferMark(buffer) != before { marks.append(BufferMark(buffer)) }
        if marks.count > 2 { buffer.merge(marks) }
    }

    /// What is in order and in no file yet.
    private func readInMemory(_ range: TimeRange, into buffer: inout SampleBuffer) throws(StorageError) {
        if let side {
            for chunk in side.pending where chunk.range.overlaps(range) {
                try SeriesSnapshot.decode(chunk, range, into: &buffer)
            }
        }
        guard isOpenChunk(in: range) else { return }
        do throws(ChunkError) {
            if let open = openHistograms {
                if range.min == openRange.max || open.count == 1 {
                    if range.contains(openRange.max) { buffer.append(openRange.max, open.newest) }
                } else {
                    try open.encoding.decode(open.bytes, into: &buffer, range: range)
                }
            } else if range.min == openRange.max || open.count == 1 {
                // The newest sample is in the state: nothing to decode.
                if range.contains(open.lastTimestamp) { buffer.append(open.lastTimestamp, open.lastValue) }
            } else {
                try open.decode(words: words, into: &buffer, range: range)
            }
        } catch {
            throw .corruption(file: "head", offset: 0, reason: "open chunk of slot \(slot): \(error)")
        }
    }

    private static func decode(
        _ chunk: MemoryChunk, _ range: TimeRange, into buffer: inout SampleBuffer
    ) throws(StorageError) {
        do throws(ChunkError) {
            try chunk.encoding.decode(chunk.bytes, into: &buffer, range: range)
        } catch {
            throw .corruption(file: "head", offset: 0, reason: error.description)
        }
    }

    /// Appends the newest sample in the range alone.
    func readNewest(
        _ range: TimeRange, inOrder: TimeRange, _ files: HeadChunkFileSet, into buffer: inout SampleBuffer
    ) throws(StorageError) {
        if inOrder.contains(open.lastTimestamp) {
            if open.count > 0 {
                buffer.append(open.lastTimestamp, open.lastValue)
                return
            }
            if let open = openHistograms {
                buffer.append(openRange.max, open.newest)
                return
            }
        }
        var samples = SampleBuffer()
        try read(range, inOrder: inOrder, files, into: &samples)
        let (float, histogram) = (samples.timestamps.last, samples.histogramTimestamps.last)
        if let time = histogram, let histogram = samples.histograms.last, time > float ?? .min {
            buffer.append(time, histogram)
        } else if let time = float, let value = samples.values.last {
            buffer.append(time, value)
        }
    }
}
