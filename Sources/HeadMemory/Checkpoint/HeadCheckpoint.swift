import ByteCoding
import ChunkEncoding
import SeriesModel
package import StorageAPI
package import WAL

/// The whole head at one moment, to be written out without haste. Labels stand in batches of the log's own form, what
/// the series hold in records of states: see `docs/formats/checkpoint.md`.
package struct HeadCheckpoint: @unchecked Sendable {
    private struct Row {
        let generation: UInt32
        let labels: UnsafeMutablePointer<UInt32>
        let labelCount: Int
        let state: SeriesState
    }

    private let rows: [Row]
    private let place: HeadChunkPlace
    private let view: HeadView
    private let deletions: [LogBatch.Deletion]
    private let exemplars: [SeriesExemplar]
    /// Slots that had been left when it was taken: see `Head.freeLeftSlots`.
    package let leftSlotCount: Int

    /// A record of states holds about so many series.
    private static let seriesPerRecord = 2000
    private static let deletionsPerRecord = 500_000
    private static let exemplarsPerRecord = 10_000
    /// Of the labels in a record of exemplars.
    private static let exemplarBytesPerRecord = 4 << 20

    /// On the committer, which need not hold the gate.
    package init(_ head: Head) {
        let stay = head.epochs.enter()
        view = HeadView(head, stay)
        place = head.chunkPlace
        deletions = head.tombstones.deletions
        exemplars = head.exemplars.all
        leftSlotCount = head.leftSlotCount
        var rows: [Row] = []
        rows.reserveCapacity(head.seriesCount)
        for slot in 0..<UInt32(head.records.count) {
            guard let record = head.record(at: slot), let labels = record.pointee.labels else { continue }
            rows.append(
                Row(
                    generation: record.pointee.generation, labels: labels,
                    labelCount: Int(record.pointee.labelCount), state: SeriesState(record.pointee, slot)))
        }
        self.rows = rows
    }

    package var seriesCount: Int { rows.count }

    /// Any thread.
    /// - Parameter isCancelled: looked at between records.
    package func write(to writer: inout CheckpointWriter) throws(StorageError) {
        var output = ByteBuilder()
        HeadState(place: place).append(to: &output)
        try writer.add(.headState, output.bytes)
        var batch = LogBatch()
        var first = 0
        while first < rows.count {
            let part = rows[first..<min(first + HeadCheckpoint.seriesPerRecord, rows.count)]
            batch.removeAll()
            for row in part {
                batch.newSeries.append(
                    .init(
                        slot: row.state.slot, generation: row.generation,
                        labels: view.head.labels(row.labels, row.labelCount)))
            }
            try writer.add(batch)
            output.removeAll()
            SeriesState.append(part.map(\.state), view.head.blockRange, to: &output)
            try writer.add(.seriesStates, output.bytes)
            first += part.count
        }
        for first in stride(from: 0, to: deletions.count, by: HeadCheckpoint.deletionsPerRecord) {
            batch.removeAll()
            batch.deletions = Array(deletions[first..<min(first + HeadCheckpoint.deletionsPerRecord, deletions.count)])
            try writer.add(batch)
        }
        try writeExemplars(to: &writer)
    }

    private func writeExemplars(to writer: inout CheckpointWriter) throws(StorageError) {
        var batch = LogBatch()
        var bytes = 0
        for row in exemplars {
            batch.exemplars.append(row)
            bytes += row.series.packed.count + row.exemplar.labels.packed.count
            if batch.exemplars.count < HeadCheckpoint.exemplarsPerRecord,
                bytes < HeadCheckpoint.exemplarBytesPerRecord
            {
                continue
            }
            try writer.add(batch)
            batch.removeAll()
            bytes = 0
        }
        if !batch.isEmpty { try writer.add(batch) }
    }
}

/// What a checkpoint says once.
struct HeadState {
    /// The head-chunk files before are the checkpoint's; what stands there and behind is written anew by the replay.
    var place: HeadChunkPlace

    init(place: HeadChunkPlace) { self.place = place }

    init(_ payload: [UInt8]) throws(ByteError) {
        place = try ByteCursor.read(payload) { (cursor: inout ByteCursor) throws(ByteError) in
            let file = try cursor.varint(atMost: Int(HeadChunkFormat.numberLimit), "head-chunk file")
            let offset = try cursor.varint(atMost: Int(UInt32.max), "offset of head chunks")
            guard cursor.isAtEnd else { throw .outOfBounds(offset: cursor.position, what: "head state") }
            return HeadChunkPlace(file: UInt32(file), offset: UInt32(offset))
        }
    }

    func append(to output: inout ByteBuilder) {
        output.appendVarint(UInt64(place.file))
        output.appendVarint(UInt64(place.offset))
    }
}
