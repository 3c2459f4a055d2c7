import ByteCoding
import ChunkEncoding
import FileIO
package import SeriesModel
package import StorageAPI
import StorageFiles
package import WAL

/// Builds a head from what a replay reads, in the order in which it comes: the state of the whole, series, states of
/// series, then the log.
package final class HeadRestore {
    private let options: HeadOptions
    private var made: Head?
    /// ms
    private let start: Timestamp
    private let hasCheckpoint: Bool

    /// - Parameters:
    ///   - start: what lies before is in blocks. ms
    ///   - hasCheckpoint: there is one, of which the state of the whole may be damaged: what it names is in the
    ///     head-chunk files still.
    package init(_ options: HeadOptions, start: Timestamp, hasCheckpoint: Bool = false) {
        self.options = options
        self.start = start
        self.hasCheckpoint = hasCheckpoint
    }

    /// The head, which is made where there was no checkpoint.
    package func head() throws(StorageError) -> Head {
        if let made { return made }
        return try make(continuingAt: hasCheckpoint ? try placeBehindAllFiles() : nil)
    }

    private func placeBehindAllFiles() throws(StorageError) -> HeadChunkPlace? {
        let directory = FilePath.join(options.dataDirectory, options.chunkDirectoryName)
        let fileSystem = options.fileSystem
        guard fileSystem.exists(directory) else { return nil }
        let names = try StorageError.wrapping { () throws(FileError) in try fileSystem.list(directory) }
        return names.compactMap(HeadChunkFormat.number).max().map { HeadChunkPlace(file: $0 + 1, offset: 0) }
    }

    private func make(continuingAt place: HeadChunkPlace?) throws(StorageError) -> Head {
        let head = try Head(options, continuingAt: place)
        head.raiseStart(to: start)
        made = head
        return head
    }

    /// A record of a checkpoint that is no batch.
    /// - Throws: `StorageError.corruption` where the bytes are not what their kind says; of states before the bad place
    ///   the head has taken what there was.
    package func restore(_ type: LogFormat.RecordType, _ payload: [UInt8]) throws(StorageError) {
        let place: HeadChunkPlace?
        do throws(ByteError) {
            place = type == .headState ? try HeadState(payload).place : nil
        } catch {
            throw .corruption(error, file: "checkpoint", base: 0)
        }
        if let place {
            if made == nil { _ = try make(continuingAt: place) }
            return
        }
        let head = try head()
        do throws(ByteError) {
            try ByteCursor.read(payload) { (cursor: inout ByteCursor) throws(ByteError) in
                var reader = StateReader(head)
                try reader.read(&cursor)
            }
        } catch {
            throw .corruption(error, file: "checkpoint", base: 0)
        }
    }
}

/// Reads a record of states into series that are entered.
private struct StateReader {
    private let head: Head
    private var slot: UInt32 = 0
    private var time: Timestamp = 0
    private var chunks = ChunkListReader()

    init(_ head: Head) { self.head = head }

    mutating func read(_ cursor: inout ByteCursor) throws(ByteError) {
        let count = try cursor.varint(atMost: cursor.remaining / 2, "number of series")
        for _ in 0..<count { try readSeries(&cursor) }
        guard cursor.isAtEnd else { throw .outOfBounds(offset: cursor.position, what: "states") }
    }

    private mutating func readSeries(_ cursor: inout ByteCursor) throws(ByteError) {
        let offset = cursor.position
        slot &+= UInt32(try cursor.varint(atMost: Int(UInt32.max), "slot"))
        let parts = SeriesState.Parts(rawValue: try cursor.byte())
        guard parts.isSubset(of: .known), !parts.contains(.openFloats) || parts.contains(.newest) else {
            throw .outOfBounds(offset: offset, what: "parts of a series")
        }
        // A series that is not there: its labels were in a record that is damaged.
        let record = head.record(at: slot)
        if let record, record.pointee.closedCount > 0 || record.pointee.open.count > 0 || record.pointee.side != nil {
            throw .outOfBounds(offset: offset, what: "slot")
        }
        if parts.contains(.newest) { try readNewest(&cursor, parts, record) }
        if parts.contains(.openFloats) { try readOpen(&cursor, record) }
        if parts.contains(.closed) {
            try chunks.read(&cursor) { chunk in
                guard let record, chunk.range.max >= head.start else { return }
                head.restoreClosed(record, chunk)
            }
        }
        if parts.contains(.side) { try readSide(&cursor, record) }
    }

    private mutating func readNewest(
        _ cursor: inout ByteCursor, _ parts: SeriesState.Parts, _ record: UnsafeMutablePointer<SeriesRecord>?
    ) throws(ByteError) {
        time = try cursor.sampleTime(after: time)
        let isHistogram = parts.contains(.isNewestHistogram)
        let bits = isHistogram ? 0 : try cursor.littleEndian(UInt64.self)
        guard let record else { return }
        record.pointee.open.note(time, bits)
        record.pointee.flags = isHistogram ? [.hasNewest, .isNewestHistogram] : .hasNewest
        head.restoreNewest(time)
    }

    private func readOpen(
        _ cursor: inout ByteCursor, _ record: UnsafeMutablePointer<SeriesRecord>?
    ) throws(ByteError) {
        let offset = cursor.position
        let start = time &- (try cursor.zigzag())
        let samples = try cursor.varint(atMost: XORFormat.samplesMax, "number of samples")
        let lastDelta = UInt64(bitPattern: try cursor.zigzag())
        let (leading, trailing) = (try cursor.byte(), try cursor.byte())
        let pendingBits = try cursor.byte()
        guard pendingBits < 64 else { throw .outOfBounds(offset: offset, what: "open chunk") }
        var word: UInt64 = 0
        for index in 0..<(Int(pendingBits) + 7) / 8 { word |= UInt64(try cursor.byte()) &<< UInt64(56 - index * 8) }
        let count = try cursor.varint(atMost: cursor.remaining / 8, "number of words")
        let bytes = try cursor.bytes(count * 8)
        guard let record else { return }
        let fields = XORAppenderFields(
            lastDelta: lastDelta, pendingWord: word, samples: UInt16(truncatingIfNeeded: samples),
            pendingBits: pendingBits, leading: leading, trailing: trailing)
        let open = XORAppender(
            lastTimestamp: record.pointee.open.lastTimestamp, lastValueBits: record.pointee.open.lastValueBits,
            wordCount: UInt32(truncatingIfNeeded: count), fields: fields)
        guard let open, samples > 0, BatchDecision.timestampMin <= start, start <= record.pointee.open.lastTimestamp
        else {
            throw .outOfBounds(offset: offset, what: "open chunk")
        }
        // What a block holds already.
        if open.lastTimestamp < head.start { return }
        head.restoreOpen(record, open, start, bytes)
    }

    private mutating func readSide(
        _ cursor: inout ByteCursor, _ record: UnsafeMutablePointer<SeriesRecord>?
    ) throws(ByteError) {
        let isOpen = try cursor.byte()
        guard isOpen <= 1 else { throw .outOfBounds(offset: cursor.position - 1, what: "open histograms") }
        var pending = try readMemoryChunks(&cursor)
        guard isOpen == 0 || !pending.isEmpty else { throw .outOfBounds(offset: cursor.position, what: "histograms") }
        let open = isOpen == 1 ? pending.removeLast() : nil
        let latePending = try readMemoryChunks(&cursor)
        let late = try readMemoryChunks(&cursor)
        var lateChunks: [ClosedChunk] = []
        try chunks.read(&cursor) { lateChunks.append($0) }
        guard let record else { return }
        head.restoreSide(record, slot, pending: pending, open: open, latePending: latePending + late, lateChunks)
    }

    private func readMemoryChunks(_ cursor: inout ByteCursor) throws(ByteError) -> [MemoryChunk] {
        let count = try cursor.varint(atMost: cursor.remaining / 4, "number of chunks")
        var chunks: [MemoryChunk] = []
        for _ in 0..<count {
            let offset = cursor.position
            guard let encoding = ChunkEncoding(rawValue: try cursor.byte()) else {
                throw .outOfBounds(offset: offset, what: "encoding")
            }
            let start = try cursor.sampleTime(after: 0)
            let end = try cursor.sampleTime(after: start)
            let bytes = Array(try cursor.sizedBytes())
            guard start <= end else { throw .outOfBounds(offset: offset, what: "range of a chunk") }
            chunks.append(MemoryChunk(encoding: encoding, range: TimeRange(min: start, max: end), bytes: bytes))
        }
        return chunks
    }
}

private struct ChunkListReader {
    private var file: Int64 = 0
    private var offset: Int64 = 0
    private var time: Timestamp = 0

    mutating func read(_ cursor: inout ByteCursor, _ body: (ClosedChunk) -> Void) throws(ByteError) {
        let count = try cursor.varint(atMost: cursor.remaining / 5, "number of closed chunks")
        for _ in 0..<count {
            let position = cursor.position
            file = file.addingClamped(try cursor.zigzag())
            offset = offset.addingClamped(try cursor.zigzag())
            time = try cursor.sampleTime(after: time)
            let span = try cursor.varint(atMost: Int(UInt32.max), "span of a chunk")
            let length = try cursor.varint(atMost: HeadChunkFormat.recordBytesMax, "length of a chunk")
            guard let file = UInt32(exactly: file), let offset = UInt32(exactly: offset) else {
                throw .outOfBounds(offset: position, what: "place of a chunk")
            }
            body(
                ClosedChunk(
                    place: HeadChunkPlace(file: file, offset: offset), start: time, span: UInt32(span),
                    length: UInt32(length)))
        }
    }
}

extension ByteCursor {
    /// A time that a sample can have: one near the ends of the scale has no aligned window.
    fileprivate mutating func sampleTime(after last: Timestamp) throws(ByteError) -> Timestamp {
        let offset = position
        let time = last &+ (try zigzag())
        guard BatchDecision.timestampMin <= time, time <= -BatchDecision.timestampMin else {
            throw .outOfBounds(offset: offset, what: "time")
        }
        return time
    }
}

extension Head {
    fileprivate func restoreNewest(_ time: Timestamp) {
        if time >= start { noteTime(time) }
        // As the log's samples do: it bounds what may come, even where a block holds the sample.
        newestTime = max(newestTime ?? time, time)
    }

    fileprivate func restoreClosed(_ record: UnsafeMutablePointer<SeriesRecord>, _ chunk: ClosedChunk) {
        appendClosed(record, chunk)
        chunks.note(chunk)
        chunkCount += 1
        closedBytes += Int(chunk.length)
        noteTime(max(chunk.start, start))
    }

    fileprivate func restoreOpen(
        _ record: UnsafeMutablePointer<SeriesRecord>, _ open: XORAppender, _ openStart: Timestamp,
        _ words: UnsafeRawBufferPointer
    ) {
        let bytes = SlabAllocator.room(for: max(words.count, 64))
        let room = slabs.allocate(bytes).bindMemory(to: UInt64.self, capacity: bytes / 8)
        UnsafeMutableRawBufferPointer(start: room, count: bytes).copyMemory(from: words)
        record.pointee.open = open
        record.pointee.openStart = openStart
        record.pointee.words = room
        record.pointee.wordRoom = UInt32(bytes / 8)
        chunkCount += 1
        noteTime(max(openStart, start))
    }

    fileprivate func restoreSide(
        _ record: UnsafeMutablePointer<SeriesRecord>, _ slot: UInt32, pending: [MemoryChunk], open: MemoryChunk?,
        latePending: [MemoryChunk], _ lateChunks: [ClosedChunk]
    ) {
        let side = SeriesSide()
        side.pending = pending.filter { $0.range.max >= start }
        side.outOfOrderPending = latePending
        // A block was cut after the checkpoint, and the file went with what it held.
        let lateChunks = lateChunks.filter { $0.range.max >= start || chunks.holdsFile(of: $0) }
        side.outOfOrderChunks = lateChunks
        if let open, open.range.max >= start {
            let (full, appender) = HistogramAppender.resume(open)
            side.pending += full
            side.openHistograms = appender
            if record.pointee.flags.contains(.isNewestHistogram) { side.newestHistogram = appender?.newest }
            record.pointee.openStart = open.range.min
            noteTime(max(open.range.min, start))
        }
        guard side.isNeeded else { return }
        record.pointee.side = .passRetained(side)
        if !side.pending.isEmpty || !side.outOfOrderPending.isEmpty { pendingSlots.append(slot) }
        if side.hasOutOfOrder { outOfOrderSeriesCount += 1 }
        for chunk in lateChunks {
            chunks.note(chunk)
            closedBytes += Int(chunk.length)
            extendRange(to: chunk.start)
        }
        for chunk in latePending { extendRange(to: chunk.range.min) }
        for chunk in side.pending { noteTime(max(chunk.range.min, start)) }
        closedBytes += (side.pending + latePending).reduce(0) { $0 + $1.bytes.count }
        chunkCount += side.chunkCount
    }
}

extension HistogramAppender {
    /// Opens a chunk again so that more can be appended. What cannot be written on stays a chunk of its own.
    fileprivate static func resume(_ chunk: MemoryChunk) -> (closed: [MemoryChunk], open: HistogramAppender?) {
        var samples = SampleBuffer()
        guard (try? chunk.encoding.decode(chunk.bytes, into: &samples)) != nil else { return ([], nil) }
        var rows = zip(samples.histogramTimestamps, samples.histograms).map { ($0, $1) }
        // A stale marker stands in the other column.
        rows += samples.timestamps.map { ($0, NativeHistogram(sum: StaleMarker.value)) }
        rows.sort { $0.0 < $1.0 }
        guard let first = rows.first, let header = CounterResetHeader(chunk: chunk.bytes) else { return ([], nil) }
        var appender = HistogramAppender(chunk.encoding, header, first.0, first.1)
        for (timestamp, histogram) in rows.dropFirst() where appender.append(timestamp, histogram) != nil {
            return ([chunk], nil)
        }
        return ([], appender)
    }
}
