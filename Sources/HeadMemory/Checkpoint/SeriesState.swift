import ByteCoding
import ChunkEncoding
import SeriesModel

/// What the head holds of one series, without its labels, on the way into a checkpoint. A copy of the record; the
/// pointers are good while the view lives.
struct SeriesState: @unchecked Sendable {
    let slot: UInt32
    fileprivate let record: SeriesRecord
    fileprivate let side: SideState?

    /// Of a side, immutable.
    fileprivate final class SideState: Sendable {
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
    }

    /// On the committer, or under the gate.
    init(_ record: SeriesRecord, _ slot: UInt32) {
        self.slot = slot
        self.record = record
        side = record.side.map { $0._withUnsafeGuaranteedRef { SideState($0) } }
    }

    /// What follows in a series' entry.
    struct Parts: OptionSet {
        let rawValue: UInt8
        static let newest = Parts(rawValue: 1)
        static let isNewestHistogram = Parts(rawValue: 2)
        static let openFloats = Parts(rawValue: 4)
        static let closed = Parts(rawValue: 8)
        static let side = Parts(rawValue: 16)
        static let known: Parts = [.newest, .isNewestHistogram, .openFloats, .closed, .side]
    }

    /// Appends a record of states.
    static func append(_ states: [SeriesState], _ blockRange: Int64, to output: inout ByteBuilder) {
        var writer = StateWriter(blockRange: blockRange)
        output.appendVarint(states.count)
        for state in states { writer.append(state, to: &output) }
    }
}

/// Times and places are written as differences from the ones before: series of one target have the same.
private struct StateWriter {
    let blockRange: Int64
    private var slot: UInt32 = 0
    private var time: Timestamp = 0
    private var chunks = ChunkListWriter()

    init(blockRange: Int64) { self.blockRange = blockRange }

    mutating func append(_ state: SeriesState, to output: inout ByteBuilder) {
        let record = state.record
        output.appendVarint(UInt64(state.slot &- slot))
        slot = state.slot
        var parts: SeriesState.Parts = []
        if record.flags.contains(.hasNewest) { parts.insert(.newest) }
        if record.flags.contains(.isNewestHistogram) { parts.insert(.isNewestHistogram) }
        if record.open.count > 0 { parts.insert(.openFloats) }
        if record.closedCount > 0 { parts.insert(.closed) }
        if state.side != nil { parts.insert(.side) }
        output.append(parts.rawValue)
        if parts.contains(.newest) {
            output.appendZigzag(record.open.lastTimestamp &- time)
            time = record.open.lastTimestamp
            if !parts.contains(.isNewestHistogram) { output.appendLittleEndian(record.open.lastValueBits) }
        }
        if parts.contains(.openFloats) { appendOpen(record, to: &output) }
        if parts.contains(.closed), let closed = record.closed {
            chunks.append(UnsafeBufferPointer(start: closed, count: Int(record.closedCount)), to: &output)
        }
        if let side = state.side { append(side, start: record.openStart, to: &output) }
    }

    private func appendOpen(_ record: SeriesRecord, to output: inout ByteBuilder) {
        let fields = record.open.fields
        output.appendZigzag(record.open.lastTimestamp &- record.openStart)
        output.appendVarint(UInt64(fields.samples))
        output.appendZigzag(Int64(bitPattern: fields.lastDelta))
        output.append(fields.leading)
        output.append(fields.trailing)
        output.append(fields.pendingBits)
        var rest = fields.pendingWord
        for _ in 0..<(Int(fields.pendingBits) + 7) / 8 {
            output.append(UInt8(truncatingIfNeeded: rest >> 56))
            rest <<= 8
        }
        let words = Int(record.open.wordCount)
        output.appendVarint(words)
        output.append(contentsOf: UnsafeRawBufferPointer(start: record.words, count: words * 8))
    }

    private mutating func append(_ side: SeriesState.SideState, start: Timestamp, to output: inout ByteBuilder) {
        var pending = side.pending
        let isOpen = side.openHistograms != nil
        if let open = side.openHistograms {
            pending.append(
                MemoryChunk(
                    encoding: open.encoding, range: TimeRange(min: start, max: open.lastTimestamp), bytes: open.bytes))
        }
        output.append(isOpen ? 1 : 0)
        append(pending, to: &output)
        append(side.outOfOrderPending, to: &output)
        append(OutOfOrderSample.chunks(of: side.outOfOrder, blockRange), to: &output)
        side.outOfOrderChunks.withUnsafeBufferPointer { chunks.append($0, to: &output) }
    }

    private func append(_ chunks: [MemoryChunk], to output: inout ByteBuilder) {
        output.appendVarint(chunks.count)
        for chunk in chunks {
            output.append(chunk.encoding.rawValue)
            output.appendZigzag(chunk.range.min)
            output.appendZigzag(chunk.range.max &- chunk.range.min)
            output.appendSized(chunk.bytes)
        }
    }
}

/// A list of closed chunks: each begins where the one before ends, nearly.
private struct ChunkListWriter {
    private var place = HeadChunkPlace(file: 0, offset: 0)
    private var time: Timestamp = 0

    mutating func append(_ chunks: UnsafeBufferPointer<ClosedChunk>, to output: inout ByteBuilder) {
        output.appendVarint(chunks.count)
        for chunk in chunks {
            output.appendZigzag(Int64(chunk.place.file) - Int64(place.file))
            output.appendZigzag(Int64(chunk.place.offset) - Int64(place.offset))
            output.appendZigzag(chunk.start &- time)
            output.appendVarint(UInt64(chunk.span))
            output.appendVarint(UInt64(chunk.length))
            place = chunk.place
            time = chunk.start
        }
    }
}
