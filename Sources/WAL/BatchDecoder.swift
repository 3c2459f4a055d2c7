import ByteCoding
import SeriesModel

/// The way back from payload to batch: see `BatchEncoder`. One decoder for each file, which is read from its start.
///
/// Takes any bytes: what no encoder writes is an error.
struct BatchDecoder {
    private var previousBits: [UInt64] = []

    /// Replaces the batch's content.
    /// - Parameter type: of the record; not the end of a checkpoint.
    mutating func decode(
        _ payload: [UInt8], _ type: LogFormat.RecordType = .batch, into batch: inout LogBatch
    ) throws(ByteError) {
        batch.removeAll()
        try ByteCursor.read(payload) { (cursor: inout ByteCursor) throws(ByteError) in
            try decode(&cursor, type, into: &batch)
        }
    }

    private mutating func decode(
        _ cursor: inout ByteCursor, _ type: LogFormat.RecordType, into batch: inout LogBatch
    ) throws(ByteError) {
        if type == .deletions {
            try DeletionRows.decode(&cursor, into: &batch)
            return
        }
        if type == .exemplars {
            try ExemplarRows.decode(&cursor, into: &batch)
            return
        }
        try decodeNewSeries(&cursor, into: &batch)
        // A sample takes a byte of slot and a tag at least.
        let count = try cursor.varint(atMost: cursor.remaining / 2, "number of samples")
        if count > 0 {
            try decodeSlots(&cursor, count, into: &batch)
            try decodeTimestamps(&cursor, count, into: &batch)
            try decodeValues(&cursor, count, into: &batch)
        }
        if type.hasHistograms { try HistogramRows.decode(&cursor, into: &batch) }
        if type.hasOutOfOrderRows { try decodeOutOfOrderRows(&cursor, count, into: &batch) }
        guard cursor.isAtEnd else { throw .outOfBounds(offset: cursor.position, what: "payload") }
    }

    private func decodeOutOfOrderRows(
        _ cursor: inout ByteCursor, _ count: Int, into batch: inout LogBatch
    ) throws(ByteError) {
        let rows = try cursor.varint(atMost: count, "number of rows out of order")
        guard rows > 0 else { throw .outOfBounds(offset: cursor.position, what: "number of rows out of order") }
        batch.outOfOrderRows.reserveCapacity(rows)
        var next = 0
        for _ in 0..<rows {
            let row = next + (try cursor.varint(atMost: count - 1 - next, "row out of order"))
            batch.outOfOrderRows.append(row)
            next = row + 1
        }
    }

    private mutating func decodeNewSeries(_ cursor: inout ByteCursor, into batch: inout LogBatch) throws(ByteError) {
        let count = try cursor.varint(atMost: cursor.remaining / 3, "number of series")
        batch.newSeries.reserveCapacity(count)
        for _ in 0..<count {
            let slot = UInt32(try cursor.varint(atMost: Int(LogFormat.slotLimit) - 1, "slot"))
            let generation = UInt32(try cursor.varint(atMost: Int(UInt32.max), "generation"))
            let offset = cursor.position
            let bytes = try cursor.sizedBytes()
            guard PackedLabels.isWellFormed(bytes) else { throw .outOfBounds(offset: offset, what: "labels") }
            batch.newSeries.append(
                LogBatch.NewSeries(slot: slot, generation: generation, labels: LabelSet(trusted: Array(bytes))))
            exchange(slot, 0)
        }
    }

    private func decodeSlots(
        _ cursor: inout ByteCursor, _ count: Int, into batch: inout LogBatch
    ) throws(ByteError) {
        batch.slots.reserveCapacity(count)
        var slot: Int64 = 0
        for _ in 0..<count {
            let offset = cursor.position
            slot = slot.addingClamped(try cursor.zigzag())
            guard slot >= 0, slot < Int64(LogFormat.slotLimit) else { throw .outOfBounds(offset: offset, what: "slot") }
            batch.slots.append(UInt32(slot))
        }
    }

    private func decodeTimestamps(
        _ cursor: inout ByteCursor, _ count: Int, into batch: inout LogBatch
    ) throws(ByteError) {
        let offset = cursor.position
        let mode = try cursor.byte()
        guard mode <= 1 else { throw .outOfBounds(offset: offset, what: "timestamp mode") }
        var timestamp = try cursor.zigzag()
        if mode == 1 {
            batch.timestamps.append(contentsOf: repeatElement(timestamp, count: count))
            return
        }
        batch.timestamps.reserveCapacity(count)
        batch.timestamps.append(timestamp)
        for _ in 1..<count {
            timestamp = timestamp &+ (try cursor.zigzag())
            batch.timestamps.append(timestamp)
        }
    }

    private mutating func decodeValues(
        _ cursor: inout ByteCursor, _ count: Int, into batch: inout LogBatch
    ) throws(ByteError) {
        let tagsOffset = cursor.position
        let tags = try cursor.bytes(count)
        batch.values.reserveCapacity(count)
        for index in 0..<count {
            let leading = Int(tags[index] >> 4)
            let trailing = Int(tags[index] & 15)
            let size = 8 - leading - trailing
            guard size >= 0, size > 0 || tags[index] == 0x80 else {
                throw .outOfBounds(offset: tagsOffset + index, what: "value tag")
            }
            var xor: UInt64 = 0
            let bytes = try cursor.bytes(size)
            for position in 0..<size { xor |= UInt64(bytes[position]) << UInt64((trailing + position) * 8) }
            let bits = previous(batch.slots[index]) ^ xor
            exchange(batch.slots[index], bits)
            batch.values.append(Double(bitPattern: bits))
        }
    }

    private func previous(_ slot: UInt32) -> UInt64 {
        Int(slot) < previousBits.count ? previousBits[Int(slot)] : 0
    }

    private mutating func exchange(_ slot: UInt32, _ bits: UInt64) {
        let index = Int(slot)
        if index >= previousBits.count {
            previousBits.append(contentsOf: repeatElement(0, count: index + 1 - previousBits.count))
        }
        previousBits[index] = bits
    }
}
