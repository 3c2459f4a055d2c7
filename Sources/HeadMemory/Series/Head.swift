import ChunkEncoding
import FileIO
package import SeriesModel
package import StorageAPI
import StorageFiles
import Synchronization
import WAL

/// The newest samples, in memory. Slots name series; a slot that is free is given to another series under the next
/// generation, once no checkpoint and no log needs the old one.
///
/// Mechanism: one record a slot in a table whose rows never move; labels as numbers of interned pairs; open chunks,
/// lists of closed chunks and label lists in slabs; closed chunks in files. Nothing is an object of its own but what few
/// series have (`SeriesSide`).
///
/// The committer alone changes the head, one thread at a time, and only with the gate held exclusively; so it may read
/// without the gate. Everybody else takes a view with the gate held shared, and follows its pointers afterwards without any lock:
/// what a view can reach is retired and freed when the view has ended (`ViewEpochs`).
package final class Head: @unchecked Sendable {
    package let gate = Gate()
    package let epochs = ViewEpochs()
    /// ms
    package let blockRange: Int64
    let slabs = SlabAllocator()
    let pairs: PairTable
    let records = StableTable<SeriesRecord>()
    var index = LabelHashIndex()
    let chunks: HeadChunkWriter
    let notes = SlotNotes()
    var allSlots = SlotSet()
    /// Slots that may be given to a series.
    private var freeSlots: [UInt32] = []
    /// Slots whose series have left: free once a checkpoint without them is durable.
    private var leftSlots: [UInt32] = []
    private var retired: [Retired] = []
    private var retiredStart = 0
    /// Slots that have closed chunks, in or out of order, that are in no file yet.
    var pendingSlots: [UInt32] = []
    /// Chunks closed and open.
    package internal(set) var chunkCount = 0
    /// Bytes of the closed chunks in files and of the pending ones.
    package internal(set) var closedBytes = 0
    /// The times of the oldest and newest sample, those out of order included; nil while empty. ms
    package internal(set) var range: TimeRange?
    /// The times of the oldest and newest sample in order; nil while there is none. ms
    package internal(set) var oldestTime: Timestamp?
    package internal(set) var newestTime: Timestamp?
    /// In-order samples before are not the head's to answer for: a block has them, if anybody. ms
    package private(set) var start: Timestamp = .min
    /// New samples before this are refused. It is ahead of `start` while a block is being cut. ms
    private var appendStart: Timestamp = .min
    /// How far behind the newest time a sample may come; 0: not at all. ms
    package var outOfOrderWindow: Int64 = 0
    package let exemplars: ExemplarStore
    /// What was deleted of the series. Changed under the gate held exclusively.
    package internal(set) var tombstones = HeadTombstones()
    /// Series that hold samples out of order.
    package internal(set) var outOfOrderSeriesCount = 0

    private enum Piece {
        case memory(UnsafeMutableRawPointer, Int)
        case pair(UInt32)
    }

    private struct Retired {
        let epoch: UInt64
        let piece: Piece
    }

    private var retiring: [Piece] = []

    /// Chunks of the head are closed at this number of samples, as upstream's.
    static let chunkSamplesMax = 120
    /// Chunks of histograms are closed when they are so large and have so many samples: a query decodes whole chunks.
    static let histogramChunkBytesMin = 4096
    static let histogramChunkSamplesMin = 20
    /// Samples out of order that wait in memory, for each series.
    static let outOfOrderSamplesMax = 32

    /// - Parameter place: where the head-chunk files are written on, from a checkpoint; nil without one.
    /// - Throws: `StorageError` where the head-chunk files cannot be opened.
    package init(_ options: HeadOptions, continuingAt place: HeadChunkPlace? = nil) throws(StorageError) {
        blockRange = options.blockRange
        exemplars = ExemplarStore(capacity: options.exemplarsMax)
        pairs = PairTable(slabs)
        chunks = try HeadChunkWriter(
            fileSystem: options.fileSystem, dataDirectory: options.dataDirectory,
            directoryName: options.chunkDirectoryName, fileBytes: options.chunkFileBytes, place: place,
            isReadOnly: options.isReadOnly)
    }

    deinit {
        for slot in 0..<UInt32(records.count) {
            let record = records[slot]
            record.pointee.side?.release()
            freeLarge(record.pointee)
        }
    }

    /// Pieces that do not lie in slabs.
    private func freeLarge(_ record: SeriesRecord) {
        if let words = record.words, Int(record.wordRoom) * 8 > SlabAllocator.pieceBytesMax { words.deallocate() }
        let closedBytes = Int(record.closedRoom) * MemoryLayout<ClosedChunk>.stride
        if let closed = record.closed, closedBytes > SlabAllocator.pieceBytesMax { closed.deallocate() }
        if let labels = record.labels, Int(record.labelCount) * 4 > SlabAllocator.pieceBytesMax { labels.deallocate() }
    }

    package var seriesCount: Int { index.count }
    package var labelPairCount: Int { pairs.count }
    /// Slots that exist, taken or not.
    package var slotCount: Int { records.count }
    /// Memory in slabs and large pieces. Bytes.
    package var memoryBytes: Int { slabs.bytesTaken }
    /// Of the head-chunk files. Bytes.
    package var chunkFileBytes: Int { chunks.size }

    /// The lower bound for new in-order samples: half a block below the newest one, and never where a block already is.
    package var lowerBound: Timestamp {
        guard let newestTime else { return appendStart }
        return max(appendStart, newestTime.subtractingClamped(blockRange / 2))
    }

    /// The lower bound for samples out of order; nil where none are taken.
    var outOfOrderBound: Timestamp? {
        guard outOfOrderWindow > 0, let newestTime else { return nil }
        return newestTime.subtractingClamped(outOfOrderWindow)
    }

    // MARK: Series

    /// The record of a series, nil when it has left.
    @inline(__always)
    func record(_ ref: SeriesRef) -> UnsafeMutablePointer<SeriesRecord>? {
        guard Int(ref.slot) < records.count else { return nil }
        let record = records[ref.slot]
        return record.pointee.labels != nil && record.pointee.generation == ref.generation ? record : nil
    }

    /// The record of whoever has the slot.
    @inline(__always)
    func record(at slot: UInt32) -> UnsafeMutablePointer<SeriesRecord>? {
        guard Int(slot) < records.count else { return nil }
        let record = records[slot]
        return record.pointee.labels != nil ? record : nil
    }

    package func contains(_ ref: SeriesRef) -> Bool { record(ref) != nil }

    /// The slot of a series that is entered.
    func slot(of labels: LabelSet, hash: UInt64) -> UInt32? {
        index.find(hash) { slot in
            let record = records[slot].pointee
            return record.hash == hash && hasLabels(record, labels)
        }
    }

    package func ref(of labels: LabelSet) -> SeriesRef? {
        slot(of: labels, hash: labels.stableHash).map {
            SeriesRef(slot: $0, generation: records[$0].pointee.generation)
        }
    }

    func hasLabels(_ record: SeriesRecord, _ labels: LabelSet) -> Bool {
        guard let numbers = record.labels else { return false }
        return labels.packed.withUnsafeBytes { packed in
            var position = 0
            for index in 0..<Int(record.labelCount) {
                let pair = pairs.packed(numbers[index])
                guard pair.count <= packed.count - position,
                    UnsafeRawBufferPointer(rebasing: packed[position..<position + pair.count]).hasSameBytes(as: pair)
                else { return false }
                position += pair.count
            }
            return position == packed.count
        }
    }

    /// The labels of a record, put together of its pairs. For readers too.
    func labels(_ numbers: UnsafeMutablePointer<UInt32>, _ count: Int) -> LabelSet {
        var bytes = 0
        for index in 0..<count { bytes += Int(pairs[numbers[index]].pointee.length) }
        return LabelSet(
            trusted: [UInt8](unsafeUninitializedCapacity: bytes) { buffer, initialized in
                var position = 0
                for index in 0..<count {
                    let pair = pairs.packed(numbers[index])
                    UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(buffer)[position..<position + pair.count]
                    ).copyMemory(from: pair)
                    position += pair.count
                }
                initialized = position
            })
    }

    /// A slot for a series that is not entered yet. Nil when all slots are taken.
    func reserve() -> SeriesRef? {
        if let slot = freeSlots.popLast() {
            records[slot].pointee.generation &+= 1
            return SeriesRef(slot: slot, generation: records[slot].pointee.generation)
        }
        guard records.count < Int(LogFormat.slotLimit) else { return nil }
        var record = SeriesRecord()
        record.generation = 1
        records.append(record)
        notes.makeRoom(records.count)
        return SeriesRef(slot: UInt32(records.count - 1), generation: 1)
    }

    /// A reserved slot is not needed.
    func giveBack(_ ref: SeriesRef) { freeSlots.append(ref.slot) }

    /// Exclusive.
    func enter(_ labels: LabelSet, _ ref: SeriesRef, hash: UInt64) {
        let record = records[ref.slot]
        let count = labels.count
        let numbers = slabs.allocate(max(count, 1) * 4).bindMemory(to: UInt32.self, capacity: max(count, 1))
        labels.packed.withUnsafeBytes { packed in
            var ranges = labels.ranges
            var start = 0
            var index = 0
            while let (name, value) = ranges.next() {
                let pair = UnsafeRawBufferPointer(rebasing: packed[start..<value.upperBound])
                let number = pairs.enter(pair, name: name.lowerBound - start..<name.upperBound - start)
                numbers[index] = number
                pairs[number].pointee.slots.insert(ref.slot)
                index += 1
                start = value.upperBound
            }
        }
        record.pointee.hash = hash
        record.pointee.generation = ref.generation
        record.pointee.labelCount = UInt16(count)
        record.pointee.labels = numbers
        index.insert(ref.slot, hash: hash) { [records] in records[$0].pointee.hash }
        allSlots.insert(ref.slot)
    }

    /// Exclusive. The series leaves, with all it holds.
    func leave(_ slot: UInt32) {
        let record = records[slot]
        guard let numbers = record.pointee.labels else { return }
        chunkCount -= record.pointee.chunkCount
        for index in 0..<Int(record.pointee.labelCount) {
            let number = numbers[index]
            pairs[number].pointee.slots.remove(slot)
            if pairs[number].pointee.slots.count == 0 {
                pairs.remove(number)
                retiring.append(.pair(number))
            }
        }
        index.remove(slot, hash: record.pointee.hash) { [records] in records[$0].pointee.hash }
        allSlots.remove(slot)
        retire(UnsafeMutableRawPointer(numbers), Int(max(record.pointee.labelCount, 1)) * 4)
        retireWords(record)
        dropClosed(record, before: Int(record.pointee.closedCount))
        if record.pointee.side.map({ $0._withUnsafeGuaranteedRef { $0.hasOutOfOrder } }) ?? false {
            outOfOrderSeriesCount -= 1
        }
        record.pointee.side?._withUnsafeGuaranteedRef { side in
            closedBytes -= (side.pending + side.outOfOrderPending).reduce(0) { $0 + $1.bytes.count }
            closedBytes -= side.outOfOrderChunks.reduce(0) { $0 + Int($1.length) }
        }
        record.pointee.side?.release()
        let generation = record.pointee.generation
        record.pointee = SeriesRecord()
        record.pointee.generation = generation
        leftSlots.append(slot)
    }

    func retireWords(_ record: UnsafeMutablePointer<SeriesRecord>) {
        guard let words = record.pointee.words else { return }
        retire(UnsafeMutableRawPointer(words), Int(record.pointee.wordRoom) * 8)
        record.pointee.words = nil
        record.pointee.wordRoom = 0
    }

    func retireClosed(_ record: UnsafeMutablePointer<SeriesRecord>) {
        guard let closed = record.pointee.closed else { return }
        retire(UnsafeMutableRawPointer(closed), Int(record.pointee.closedRoom) * MemoryLayout<ClosedChunk>.stride)
        record.pointee.closed = nil
        record.pointee.closedRoom = 0
        record.pointee.closedCount = 0
    }

    // MARK: Memory that views may still look at

    func retire(_ piece: UnsafeMutableRawPointer, _ bytes: Int) { retiring.append(.memory(piece, bytes)) }

    /// Outside of the gate, after each change: frees what no view can reach any more.
    package func reclaim() {
        if !retiring.isEmpty {
            let epoch = epochs.advance()
            for piece in retiring { retired.append(Retired(epoch: epoch, piece: piece)) }
            retiring.removeAll(keepingCapacity: true)
        }
        guard retiredStart < retired.count else { return }
        let oldest = epochs.oldest
        while retiredStart < retired.count, retired[retiredStart].epoch < oldest {
            switch retired[retiredStart].piece {
            case .memory(let piece, let bytes): slabs.deallocate(piece, bytes)
            case .pair(let number): pairs.release(number)
            }
            retiredStart += 1
        }
        if retiredStart == retired.count {
            retired.removeAll(keepingCapacity: retired.count < 4096)
            retiredStart = 0
        } else if retiredStart > 65_536, retiredStart > retired.count / 2 {
            retired.removeFirst(retiredStart)
            retiredStart = 0
        }
    }

    /// Slots of series that have left, to be freed once a checkpoint made now is durable.
    package var leftSlotCount: Int { leftSlots.count }

    /// A checkpoint without the first so many left slots is durable, and the log before it is gone.
    package func freeLeftSlots(_ count: Int) {
        freeSlots.append(contentsOf: leftSlots.prefix(count).reversed())
        leftSlots.removeFirst(min(count, leftSlots.count))
    }

    // MARK: Bounds

    /// Exclusive. New samples before are refused from now on, and nothing changes for readers: a block is going to be
    /// written of what lies before.
    package func raiseStartForAppends(to time: Timestamp) { appendStart = max(appendStart, time) }

    /// Exclusive. What lies before is no longer the head's.
    package func raiseStart(to time: Timestamp) {
        start = max(start, time)
        appendStart = max(appendStart, time)
    }

    /// Of a sample in order.
    @inline(__always)
    func noteTime(_ timestamp: Timestamp) {
        if let oldestTime, let newestTime, oldestTime <= timestamp, timestamp <= newestTime { return }
        oldestTime = min(oldestTime ?? timestamp, timestamp)
        newestTime = max(newestTime ?? timestamp, timestamp)
        extendRange(to: timestamp)
    }

    func extendRange(to timestamp: Timestamp) {
        if let known = range {
            if timestamp < known.min || timestamp > known.max {
                range = TimeRange(min: min(known.min, timestamp), max: max(known.max, timestamp))
            }
        } else {
            range = TimeRange(min: timestamp, max: timestamp)
        }
    }

    // MARK: Replay

    /// After the replay: which slots are free.
    package func finishReplay() {
        freeSlots = []
        leftSlots = []
        forgetTombstones()
        for slot in (0..<UInt32(records.count)).reversed() where records[slot].pointee.labels == nil {
            freeSlots.append(slot)
        }
    }

    /// Makes rows up to a slot.
    func makeRoom(for slot: UInt32) {
        while records.count <= Int(slot) { records.append(SeriesRecord()) }
    }
}
