import ByteCoding
import SeriesModel

/// Makes requests of rows: a `prometheus.WriteRequest` or an `io.prometheus.write.v2.Request`, one series message a row,
/// as upstream does. The memory is used again.
///
/// Numbers of fields: prompb/types.proto and prompb/io/prometheus/write/v2/types.proto upstream.
struct RowEncoder {
    private let version: RemoteWriteSection.Message
    private var request = WireWriter()
    /// Of version 2, until the symbols before them are known.
    private var allSeries = WireWriter()
    private var series = WireWriter()
    private var part = WireWriter()
    private var numbers = WireWriter()
    private var histogram = HistogramWriter()
    private var symbols = SymbolTable()

    init(_ version: RemoteWriteSection.Message) { self.version = version }

    /// - Parameter table: knows the rows' slots.
    /// - Returns: the message, not compressed.
    mutating func encode(_ rows: SampleRows, _ table: inout SeriesTable, _ book: MetadataBook) -> [UInt8] {
        request.removeAll()
        switch version {
        case .version1: encodeVersion1(rows, table)
        case .version2: encodeVersion2(rows, &table, book)
        }
        return request.bytes
    }

    private mutating func writeSample(_ field: UInt64, _ timestamp: Timestamp, _ value: Double) {
        part.removeAll()
        // Zero is what a field that is left out means; the sign of a zero is not.
        if value.bitPattern != 0 { part.double(1, value) }
        if timestamp != 0 { part.varint(2, UInt64(bitPattern: timestamp)) }
        series.sized(field, part.bytes)
    }

    // MARK: Version 1

    private mutating func encodeVersion1(_ rows: SampleRows, _ table: SeriesTable) {
        var next = 0
        for row in rows.slots.indices {
            series.removeAll()
            if next < rows.histogramRows.count, rows.histogramRows[next] == row {
                histogram.write(rows.histograms[next], at: rows.timestamps[row])
                series.sized(4, histogram.message.bytes)
                next += 1
            } else {
                writeSample(2, rows.timestamps[row], rows.values[row])
            }
            table.withBytes(of: rows.slots[row]) { endSeriesVersion1($0) }
        }
        for row in rows.exemplars {
            series.removeAll()
            part.removeAll()
            part.append(SeriesPreparation.labelFields(row.exemplar.labels))
            writeExemplar(row.exemplar, valueField: 2, timestampField: 3)
            series.sized(3, part.bytes)
            row.series.withUnsafeBytes { endSeriesVersion1($0) }
        }
    }

    /// Labels in front of what the series has.
    private mutating func endSeriesVersion1(_ labels: UnsafeRawBufferPointer) {
        request.beginSized(1, labels.count + series.count)
        request.append(labels)
        request.append(series.bytes)
    }

    private mutating func writeExemplar(_ exemplar: Exemplar, valueField: UInt64, timestampField: UInt64) {
        if exemplar.value.bitPattern != 0 { part.double(valueField, exemplar.value) }
        if exemplar.timestamp != 0 { part.varint(timestampField, UInt64(bitPattern: exemplar.timestamp)) }
    }

    // MARK: Version 2

    private mutating func encodeVersion2(_ rows: SampleRows, _ table: inout SeriesTable, _ book: MetadataBook) {
        symbols.removeAll()
        allSeries.removeAll()
        var next = 0
        for row in rows.slots.indices {
            let slot = rows.slots[row]
            series.removeAll()
            table.withBytes(of: slot) { collectReferences($0) }
            if numbers.count > 0 { series.sized(1, numbers.bytes) }
            if next < rows.histogramRows.count, rows.histogramRows[next] == row {
                histogram.write(rows.histograms[next], at: rows.timestamps[row])
                series.sized(3, histogram.message.bytes)
                next += 1
            } else {
                writeSample(2, rows.timestamps[row], rows.values[row])
            }
            if let index = table.metadata(of: slot, in: book) { writeMetadata(book.entries[index]) }
            allSeries.sized(5, series.bytes)
        }
        for row in rows.exemplars {
            series.removeAll()
            row.series.withUnsafeBytes { collectReferences($0) }
            if numbers.count > 0 { series.sized(1, numbers.bytes) }
            part.removeAll()
            row.exemplar.labels.packed.withUnsafeBytes { collectReferences($0) }
            if numbers.count > 0 { part.sized(1, numbers.bytes) }
            writeExemplar(row.exemplar, valueField: 2, timestampField: 3)
            series.sized(4, part.bytes)
            allSeries.sized(5, series.bytes)
        }
        // Receivers that read a request in one pass refuse numbers of symbols that they have not seen.
        symbols.write(field: 4, to: &request)
        request.append(allSeries.bytes)
    }

    /// A packed label set as numbers of symbols: name, value, name, value … into `numbers`.
    private mutating func collectReferences(_ packed: UnsafeRawBufferPointer) {
        numbers.removeAll()
        var position = 0
        while position < packed.count {
            let text = packed[LabelSet.nextText(in: packed, at: &position)]
            numbers.append(varint: UInt64(symbols.number(UnsafeRawBufferPointer(rebasing: text))))
        }
    }

    private mutating func writeMetadata(_ entry: MetadataBook.Entry) {
        part.removeAll()
        if entry.kind != 0 { part.varint(1, entry.kind) }
        if !entry.help.isEmpty { part.varint(3, UInt64(entry.help.withUnsafeBytes { symbols.number($0) })) }
        if !entry.unit.isEmpty { part.varint(4, UInt64(entry.unit.withUnsafeBytes { symbols.number($0) })) }
        if part.count > 0 { series.sized(5, part.bytes) }
    }
}
