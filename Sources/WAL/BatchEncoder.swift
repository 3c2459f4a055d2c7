import ByteCoding
import SeriesModel

/// Turns batches into payloads. Values are XOR-ed with the same slot's previous value in the same file, so that a file
/// decodes from its start with nothing else; the table of previous values is the encoder's state.
///
/// A payload that could not be written is taken back with `undo`, before the next one is encoded.
struct BatchEncoder {
    private var previousBits: [UInt64] = []
    /// What the last call to `encode` changed, in order: whose bits, and what they were.
    private var changedSlots: [UInt32] = []
    private var changedBits: [UInt64] = []
    private var mentions = SlotMentions()

    /// In the file, on average for each series that has any there.
    var samplesPerSeries: Int { mentions.samplesPerSlot }

    /// Begins a new file.
    mutating func reset() {
        for index in previousBits.indices { previousBits[index] = 0 }
        mentions.removeAll()
        forgetChanges()
    }

    private mutating func forgetChanges() {
        changedSlots.removeAll(keepingCapacity: true)
        changedBits.removeAll(keepingCapacity: true)
    }

    /// Appends the payload.
    /// - Precondition: slots are below `LogFormat.slotLimit`, the columns are of one length.
    mutating func encode(_ batch: LogBatch, into payload: inout ByteBuilder) {
        precondition(
            batch.slots.count == batch.timestamps.count && batch.slots.count == batch.values.count,
            "columns of \(batch.slots.count), \(batch.timestamps.count) and \(batch.values.count) samples")
        forgetChanges()
        if !batch.deletions.isEmpty {
            DeletionRows.encode(batch, into: &payload)
            return
        }
        if !batch.exemplars.isEmpty {
            ExemplarRows.encode(batch, into: &payload)
            return
        }
        payload.appendVarint(batch.newSeries.count)
        for series in batch.newSeries {
            payload.appendVarint(UInt64(series.slot))
            payload.appendVarint(UInt64(series.generation))
            payload.appendSized(series.labels.packed)
            makeRoom(for: series.slot)
            change(series.slot, 0)
        }
        payload.appendVarint(batch.count)
        if batch.count == 0 { return }
        mentions.add(batch.slots)
        makeRoom(for: batch.slots.max() ?? 0)
        var previousSlot: Int64 = 0
        for slot in batch.slots {
            payload.appendZigzag(Int64(slot) - previousSlot)
            previousSlot = Int64(slot)
        }
        encodeTimestamps(batch.timestamps, into: &payload)
        encodeValues(batch, into: &payload)
        if !batch.histogramRows.isEmpty { HistogramRows.encode(batch, into: &payload) }
        if !batch.outOfOrderRows.isEmpty {
            payload.appendVarint(batch.outOfOrderRows.count)
            var previous = -1
            for row in batch.outOfOrderRows {
                payload.appendVarint(row - previous - 1)
                previous = row
            }
        }
    }

    /// Takes the last `encode` back; its samples count on, as they are going to come again.
    mutating func undo() {
        for (slot, bits) in zip(changedSlots, changedBits).reversed() { previousBits[Int(slot)] = bits }
        forgetChanges()
    }

    private func encodeTimestamps(_ timestamps: [Timestamp], into payload: inout ByteBuilder) {
        let first = timestamps[0]
        let isShared = timestamps.allSatisfy { $0 == first }
        payload.append(isShared ? 1 : 0)
        payload.appendZigzag(first)
        if isShared { return }
        var previous = first
        for timestamp in timestamps.dropFirst() {
            payload.appendZigzag(timestamp &- previous)
            previous = timestamp
        }
    }

    /// The tags stand together, before the bytes: LZ4 makes short work of a run of equal ones.
    private mutating func encodeValues(_ batch: LogBatch, into payload: inout ByteBuilder) {
        var rows = batch.histogramRows[...]
        // Whole words are stored and the unused end of each overwritten by the next: hence the room for one more.
        let room = batch.count * 9 + 8
        changedSlots.reserveCapacity(changedSlots.count + batch.count)
        changedBits.reserveCapacity(changedBits.count + batch.count)
        withUnsafeTemporaryAllocation(byteCount: room, alignment: 8) { room in
            let tags = UnsafeMutableRawBufferPointer(rebasing: room[..<batch.count])
            let significant = UnsafeMutableRawBufferPointer(rebasing: room[batch.count...])
            var length = 0
            previousBits.withUnsafeMutableBufferPointer { previous in
                for index in 0..<batch.count {
                    if rows.first == index {
                        // No value: that of the slot stays as it is.
                        rows.removeFirst()
                        tags[index] = 0x80
                        continue
                    }
                    let (slot, bits) = (batch.slots[index], batch.values[index].bitPattern)
                    let old = previous[Int(slot)]
                    changedSlots.append(slot)
                    changedBits.append(old)
                    previous[Int(slot)] = bits
                    let xor = bits ^ old
                    let leading = xor.leadingZeroBitCount / 8
                    if leading == 8 {
                        tags[index] = 0x80
                        continue
                    }
                    let trailing = xor.trailingZeroBitCount / 8
                    tags[index] = UInt8(truncatingIfNeeded: leading << 4 | trailing)
                    let word = xor >> UInt64(trailing * 8)
                    significant.storeBytes(of: word.littleEndian, toByteOffset: length, as: UInt64.self)
                    length += 8 - leading - trailing
                }
            }
            payload.append(contentsOf: tags)
            payload.append(contentsOf: significant[..<length])
        }
    }

    /// There are previous values up to a slot.
    private mutating func makeRoom(for slot: UInt32) {
        precondition(slot < LogFormat.slotLimit, "slot \(slot) is beyond the format's limit")
        let missing = Int(slot) + 1 - previousBits.count
        if missing > 0 { previousBits.append(contentsOf: repeatElement(0, count: missing)) }
    }

    /// Notes a slot's new bits. - Precondition: there is room for the slot.
    private mutating func change(_ slot: UInt32, _ bits: UInt64) {
        changedSlots.append(slot)
        changedBits.append(previousBits[Int(slot)])
        previousBits[Int(slot)] = bits
    }
}
