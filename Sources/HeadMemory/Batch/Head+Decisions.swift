import ChunkEncoding
package import SeriesModel
import StorageAPI
package import WAL

/// What the committer notes of a slot while it decides a batch: forgotten with the next batch, without being cleared.
struct SlotNote {
    private var batch: UInt32 = 0
    private var row: UInt32 = 0
    private var createdBatch: UInt32 = 0
    private var created: UInt32 = 0

    mutating func note(row: Int, batch: UInt32) { (self.row, self.batch) = (UInt32(truncatingIfNeeded: row), batch) }

    mutating func note(created index: Int, batch: UInt32) {
        (created, createdBatch) = (UInt32(truncatingIfNeeded: index), batch)
    }

    func row(in batch: UInt32) -> Int? { self.batch == batch ? Int(row) : nil }
    func created(in batch: UInt32) -> Int? { createdBatch == batch ? Int(created) : nil }
}

/// The notes of all slots. The committer's alone.
final class SlotNotes {
    private let notes = StableTable<SlotNote>()
    private var batch: UInt32 = 0

    /// - Parameter slotCount: as `makeRoom`.
    func begin(slotCount: Int) -> UInt32 {
        makeRoom(slotCount)
        batch &+= 1
        if batch == 0 {
            // The numbers begin anew: no old note may look like a new one.
            for slot in 0..<notes.count { notes[UInt32(slot)].pointee = SlotNote() }
            batch = 1
        }
        return batch
    }

    /// The slots below may be noted.
    func makeRoom(_ slotCount: Int) {
        while notes.count < slotCount { notes.append(SlotNote()) }
    }

    /// - Precondition: there is room for the slot.
    @inline(__always)
    subscript(slot: UInt32) -> UnsafeMutablePointer<SlotNote> { notes[slot] }
}

/// Records that a replay met of slots that nobody has.
package struct UnknownSlots: Sendable, Hashable {
    package var floats = 0
    package var histograms = 0
    package var deletions = 0
}

extension Head {
    func nextBatchNumber() -> UInt32 { notes.begin(slotCount: records.count) }

    /// The row of the batch's log that holds the newest sample decided for a slot.
    @inline(__always)
    func decidedRow(_ slot: UInt32, batch: UInt32) -> Int? { notes[slot].pointee.row(in: batch) }

    @inline(__always)
    func noteDecided(_ slot: UInt32, batch: UInt32, row: Int) {
        notes[slot].pointee.note(row: row, batch: batch)
    }

    func createdIndex(_ slot: UInt32, batch: UInt32) -> Int? { notes[slot].pointee.created(in: batch) }

    func noteCreated(_ slot: UInt32, batch: UInt32, index: Int) {
        notes[slot].pointee.note(created: index, batch: batch)
    }

    func newestHistogram(_ slot: UInt32) -> NativeHistogram? {
        records[slot].pointee.side?._withUnsafeGuaranteedRef { $0.newestHistogram }
    }

    /// Exclusive. The samples of a batch, as decided.
    func apply(_ log: LogBatch) {
        if log.histogramRows.isEmpty, log.outOfOrderRows.isEmpty {
            applyFloats(log)
            return
        }
        var late = log.outOfOrderRows[...]
        func isLate(_ row: Int) -> Bool {
            guard late.first == row else { return false }
            late.removeFirst()
            return true
        }
        log.forEach(
            float: { row, value in
                let (slot, timestamp) = (log.slots[row], log.timestamps[row])
                if isLate(row) {
                    insert(records[slot], slot, OutOfOrderSample(timestamp: timestamp, value: value))
                } else {
                    append(records[slot], slot, timestamp, value)
                }
            },
            histogram: { row, histogram in
                let (slot, timestamp) = (log.slots[row], log.timestamps[row])
                if isLate(row) {
                    insert(
                        records[slot], slot,
                        OutOfOrderSample(timestamp: timestamp, value: 0, histogram: histogram))
                } else {
                    append(records[slot], slot, timestamp, histogram)
                }
            })
    }

    private func applyFloats(_ log: LogBatch) {
        log.slots.withUnsafeBufferPointer { slots in
            log.timestamps.withUnsafeBufferPointer { timestamps in
                log.values.withUnsafeBufferPointer { values in
                    var (oldest, newest) = (Timestamp.max, Timestamp.min)
                    for row in 0..<slots.count {
                        appendUnnoted(records[slots[row]], slots[row], timestamps[row], values[row])
                        oldest = min(oldest, timestamps[row])
                        newest = max(newest, timestamps[row])
                    }
                    if oldest <= newest {
                        noteTime(oldest)
                        noteTime(newest)
                    }
                }
            }
        }
    }

    // MARK: - Replay

    /// Applies one record of the log, as it was decided then. Before the threads start.
    /// - Parameters:
    ///   - isInBlock: whether a block has a sample out of order of that time.
    /// - Returns: the samples whose slot nobody has.
    package func replay(
        _ batch: LogBatch, isInBlock: (Timestamp) -> Bool
    ) -> UnknownSlots {
        if !batch.deletions.isEmpty {
            let known = batch.deletions.filter { contains(SeriesRef(slot: $0.slot, generation: $0.generation)) }
            tombstones.add(known)
            return UnknownSlots(deletions: batch.deletions.count - known.count)
        }
        if !batch.exemplars.isEmpty {
            exemplars.add(batch.exemplars)
            return UnknownSlots()
        }
        for series in batch.newSeries {
            replaySeries(series.labels, slot: series.slot, generation: series.generation)
        }
        if batch.histogramRows.isEmpty, batch.outOfOrderRows.isEmpty {
            return UnknownSlots(floats: replayFloats(batch))
        }
        var unknown = UnknownSlots()
        var late = batch.outOfOrderRows[...]
        func isLate(_ row: Int) -> Bool {
            guard late.first == row else { return false }
            late.removeFirst()
            return true
        }
        batch.forEach(
            float: { row, value in
                let isLate = isLate(row)
                let (slot, timestamp) = (batch.slots[row], batch.timestamps[row])
                guard let record = record(at: slot) else {
                    unknown.floats += 1
                    return
                }
                if isLate {
                    if !BatchDecision.times.contains(timestamp) || isInBlock(timestamp) { return }
                    insert(record, slot, OutOfOrderSample(timestamp: timestamp, value: value))
                } else if isWanted(record, timestamp, value.bitPattern) {
                    append(record, slot, timestamp, value)
                }
            },
            histogram: { row, histogram in
                let isLate = isLate(row)
                let (slot, timestamp) = (batch.slots[row], batch.timestamps[row])
                guard let record = record(at: slot) else {
                    unknown.histograms += 1
                    return
                }
                if isLate {
                    if !BatchDecision.times.contains(timestamp) || isInBlock(timestamp) { return }
                    insert(
                        record, slot, OutOfOrderSample(timestamp: timestamp, value: 0, histogram: histogram))
                } else if isWanted(record, timestamp, 0) {
                    append(record, slot, timestamp, histogram)
                }
            })
        return unknown
    }

    /// - Returns: the samples whose slot nobody has.
    private func replayFloats(_ batch: LogBatch) -> Int {
        var unknown = 0
        var (oldest, newest) = (Timestamp.max, Timestamp.min)
        batch.slots.withUnsafeBufferPointer { slots in
            batch.timestamps.withUnsafeBufferPointer { timestamps in
                batch.values.withUnsafeBufferPointer { values in
                    for row in 0..<slots.count {
                        guard let record = record(at: slots[row]) else {
                            unknown += 1
                            continue
                        }
                        guard isWanted(record, timestamps[row], values[row].bitPattern) else { continue }
                        appendUnnoted(record, slots[row], timestamps[row], values[row])
                        oldest = min(oldest, timestamps[row])
                        newest = max(newest, timestamps[row])
                    }
                }
            }
        }
        if oldest <= newest {
            noteTime(oldest)
            noteTime(newest)
        }
        return unknown
    }

    /// Whether a sample in order is to be appended. What a block holds already is not the head's any more.
    private func isWanted(
        _ record: UnsafeMutablePointer<SeriesRecord>, _ timestamp: Timestamp, _ bits: UInt64
    ) -> Bool {
        if let newest = record.pointee.newest, timestamp <= newest.timestamp { return false }
        if timestamp >= start { return BatchDecision.times.contains(timestamp) }
        if record.pointee.open.count == 0, record.pointee.side == nil {
            record.pointee.open.note(timestamp, bits)
            record.pointee.flags = .hasNewest
        }
        return false
    }

    /// Takes a slot for a series as the log says, whoever had it before. Only before the threads start.
    package func replaySeries(_ labels: LabelSet, slot: UInt32, generation: UInt32) {
        // No decision lets such a set pass: its samples are those of an unknown slot.
        guard labels.count <= BatchDecision.labelsMax else { return }
        makeRoom(for: slot)
        if let old = record(at: slot) {
            if old.pointee.generation == generation, hasLabels(old.pointee, labels) { return }
            leave(slot)
        }
        let hash = labels.stableHash
        // The same series under another slot had left the head when the log went on. What it had may be in no block,
        // if that block was lost: it is kept.
        let other = self.slot(of: labels, hash: hash)
        let held = other.map { holdings(of: $0) }
        if let other { leave(other) }
        enter(labels, .init(slot: slot, generation: generation), hash: hash)
        if let held { give(held, to: slot) }
    }

    /// What a series holds, without the slot that its chunks in files name.
    private struct Holdings {
        var newest: NewestSample?
        let side: SeriesSide
        var chunkCount: Int
    }

    private func holdings(of slot: UInt32) -> Holdings {
        let record = records[slot]
        let newest = record.pointee.newest
        if record.pointee.open.count > 0 { closeFloats(record, slot) }
        closeHistograms(record, slot)
        let side = SeriesSide()
        func inMemory(_ chunk: ClosedChunk) -> MemoryChunk? {
            // One that cannot be read is lost with the block that had it.
            guard let found = try? chunks.files.chunk(chunk, of: slot) else { return nil }
            return MemoryChunk(encoding: found.encoding, range: chunk.range, bytes: found.bytes)
        }
        if let closed = record.pointee.closed {
            for index in 0..<Int(record.pointee.closedCount) {
                if let chunk = inMemory(closed[index]) { side.pending.append(chunk) }
            }
        }
        record.pointee.side?._withUnsafeGuaranteedRef { old in
            side.pending += old.pending
            side.newestHistogram = old.newestHistogram
            side.outOfOrder = old.outOfOrder
            side.outOfOrderPending = old.outOfOrderChunks.compactMap(inMemory) + old.outOfOrderPending
        }
        return Holdings(
            newest: newest, side: side, chunkCount: side.pending.count + side.outOfOrderPending.count)
    }

    private func give(_ held: Holdings, to slot: UInt32) {
        let record = records[slot]
        if let newest = held.newest {
            record.pointee.open.note(newest.timestamp, newest.bits)
            record.pointee.flags = newest.isHistogram ? [.hasNewest, .isNewestHistogram] : .hasNewest
        }
        guard held.side.isNeeded else { return }
        record.pointee.side = .passRetained(held.side)
        pendingSlots.append(slot)
        if held.side.hasOutOfOrder { outOfOrderSeriesCount += 1 }
        chunkCount += held.chunkCount
        closedBytes += (held.side.pending + held.side.outOfOrderPending).reduce(0) { $0 + $1.bytes.count }
    }
}
