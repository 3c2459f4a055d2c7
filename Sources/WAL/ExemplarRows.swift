import ByteCoding
import SeriesModel

/// The payload of a record of exemplars: see `docs/formats/wal.md`. Decoding it needs no state of the file.
enum ExemplarRows {
    /// What a row takes at least: series, time, value, length of the labels. Bytes.
    private static let rowBytesMin = 11

    /// - Precondition: the batch has nothing but exemplars, none of a series without labels.
    static func encode(_ batch: LogBatch, into payload: inout ByteBuilder) {
        precondition(
            batch.newSeries.isEmpty && batch.count == 0 && batch.deletions.isEmpty,
            "exemplars beside something else in one record")
        payload.appendVarint(batch.exemplars.count)
        var numbers: [LabelSet: Int] = [:]
        var time: Timestamp = 0
        for row in batch.exemplars {
            precondition(!row.series.isEmpty, "an exemplar of no series")
            if let number = numbers[row.series] {
                payload.appendVarint(number)
            } else {
                payload.appendVarint(numbers.count)
                payload.appendSized(row.series.packed)
                numbers[row.series] = numbers.count
            }
            payload.appendZigzag(row.exemplar.timestamp &- time)
            payload.appendLittleEndian(row.exemplar.value.bitPattern)
            payload.appendSized(row.exemplar.labels.packed)
            time = row.exemplar.timestamp
        }
    }

    static func decode(_ cursor: inout ByteCursor, into batch: inout LogBatch) throws(ByteError) {
        let count = try cursor.varint(atMost: cursor.remaining / rowBytesMin, "number of exemplars")
        guard count > 0 else { throw .outOfBounds(offset: cursor.position, what: "number of exemplars") }
        batch.exemplars.reserveCapacity(count)
        var series: [LabelSet] = []
        var time: Timestamp = 0
        for _ in 0..<count {
            let number = try cursor.varint(atMost: series.count, "series of an exemplar")
            if number == series.count {
                let offset = cursor.position
                let labels = try labels(&cursor)
                guard !labels.isEmpty else { throw .outOfBounds(offset: offset, what: "series of an exemplar") }
                series.append(labels)
            }
            time = time &+ (try cursor.zigzag())
            let value = Double(bitPattern: try cursor.littleEndian(UInt64.self))
            batch.exemplars.append(
                SeriesExemplar(
                    series: series[number],
                    exemplar: Exemplar(labels: try labels(&cursor), value: value, timestamp: time)))
        }
        guard cursor.isAtEnd else { throw .outOfBounds(offset: cursor.position, what: "payload") }
    }

    private static func labels(_ cursor: inout ByteCursor) throws(ByteError) -> LabelSet {
        let offset = cursor.position
        let bytes = try cursor.sizedBytes()
        guard PackedLabels.isWellFormed(bytes) else { throw .outOfBounds(offset: offset, what: "labels") }
        return LabelSet(trusted: Array(bytes))
    }
}
