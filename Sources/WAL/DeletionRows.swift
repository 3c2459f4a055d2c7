import ByteCoding
import SeriesModel

/// The payload of a record of deletions: see `docs/formats/wal.md`. Decoding it needs no state of the file.
enum DeletionRows {
    /// - Precondition: the batch has nothing but deletions, each of a span that is not empty.
    static func encode(_ batch: LogBatch, into payload: inout ByteBuilder) {
        precondition(batch.newSeries.isEmpty && batch.count == 0, "deletions beside samples in one record")
        payload.appendVarint(batch.deletions.count)
        var (slot, start): (Int64, Timestamp) = (0, 0)
        for deletion in batch.deletions {
            precondition(deletion.slot < LogFormat.slotLimit, "slot \(deletion.slot) is beyond the format's limit")
            precondition(deletion.range.min <= deletion.range.max, "a deletion of no time")
            payload.appendZigzag(Int64(deletion.slot) - slot)
            payload.appendVarint(UInt64(deletion.generation))
            payload.appendZigzag(deletion.range.min &- start)
            payload.appendVarint(UInt64(bitPattern: deletion.range.max &- deletion.range.min))
            (slot, start) = (Int64(deletion.slot), deletion.range.min)
        }
    }

    static func decode(_ cursor: inout ByteCursor, into batch: inout LogBatch) throws(ByteError) {
        // A deletion takes a byte for each of its four fields at least.
        let count = try cursor.varint(atMost: cursor.remaining / 4, "number of deletions")
        guard count > 0 else { throw .outOfBounds(offset: cursor.position, what: "number of deletions") }
        batch.deletions.reserveCapacity(count)
        var (slot, start): (Int64, Timestamp) = (0, 0)
        for _ in 0..<count {
            let offset = cursor.position
            slot = slot.addingClamped(try cursor.zigzag())
            guard slot >= 0, slot < Int64(LogFormat.slotLimit) else { throw .outOfBounds(offset: offset, what: "slot") }
            let generation = UInt32(try cursor.varint(atMost: Int(UInt32.max), "generation"))
            start = start &+ (try cursor.zigzag())
            let end = start &+ Int64(bitPattern: try cursor.varint())
            guard start <= end else { throw .outOfBounds(offset: offset, what: "deleted span") }
            batch.deletions.append(
                LogBatch.Deletion(
                    slot: UInt32(slot), generation: generation, range: TimeRange(min: start, max: end)))
        }
        guard cursor.isAtEnd else { throw .outOfBounds(offset: cursor.position, what: "payload") }
    }
}
