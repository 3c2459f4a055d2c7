import ByteCoding
import SeriesModel

/// A record of Prometheus' log (`prometheus/tsdb/record`), as far as its content is of use here.
enum LogRecord {
    struct Series {
        var reference: UInt64
        /// Packed as in `LabelSet`, not checked.
        var labels: [UInt8]
    }

    struct Sample {
        var reference: UInt64
        var timestamp: Timestamp
        var value: Double
    }

    struct Histogram {
        var reference: UInt64
        var timestamp: Timestamp
        var histogram: NativeHistogram
    }

    struct Tombstone {
        var reference: UInt64
        var range: TimeRange
    }

    case series([Series])
    case samples([Sample])
    case histograms([Histogram])
    case tombstones([Tombstone])
    /// Exemplars, metadata, markers.
    case other
    case unknown(type: UInt8)

    /// The byte that a record begins with.
    enum Kind: UInt8 {
        case series = 1
        case samples = 2
        case tombstones = 3
        case exemplars = 4
        case markers = 5
        case metadata = 6
        case histograms = 7
        case floatHistograms = 8
        case customHistograms = 9
        case customFloatHistograms = 10
        case samplesWithStarts = 11
        case histogramsWithStarts = 12
        case floatHistogramsWithStarts = 13
        case minValidTime = 14
    }

    init(_ bytes: [UInt8]) throws(ByteError) {
        self = try ByteCursor.read(bytes) { (cursor: inout ByteCursor) throws(ByteError) in
            let type = try cursor.byte()
            return switch Kind(rawValue: type) {
            case .series: .series(try LogRecord.series(&cursor))
            case .samples: .samples(try LogRecord.samples(&cursor, hasStarts: false))
            case .samplesWithStarts: .samples(try LogRecord.samples(&cursor, hasStarts: true))
            case .tombstones: .tombstones(try LogRecord.tombstones(&cursor))
            case .histograms, .customHistograms:
                .histograms(try LogRecord.histograms(&cursor, isWhole: true, hasStarts: false))
            case .floatHistograms, .customFloatHistograms:
                .histograms(try LogRecord.histograms(&cursor, isWhole: false, hasStarts: false))
            case .histogramsWithStarts:
                .histograms(try LogRecord.histograms(&cursor, isWhole: true, hasStarts: true))
            case .floatHistogramsWithStarts:
                .histograms(try LogRecord.histograms(&cursor, isWhole: false, hasStarts: true))
            case .exemplars, .markers, .metadata, .minValidTime: .other
            case nil: .unknown(type: type)
            }
        }
    }

    private static func series(_ cursor: inout ByteCursor) throws(ByteError) -> [Series] {
        var series: [Series] = []
        while !cursor.isAtEnd {
            let reference = try cursor.bigEndian(UInt64.self)
            var labels: [UInt8] = []
            for _ in 0..<(try cursor.varint(atMost: cursor.remaining / 2, "number of labels") * 2) {
                let text = try cursor.sizedBytes()
                LabelSet.appendLength(text.count, to: &labels)
                labels.append(contentsOf: text)
            }
            series.append(Series(reference: reference, labels: labels))
        }
        return series
    }

    private static func samples(
        _ cursor: inout ByteCursor, hasStarts: Bool
    ) throws(ByteError) -> [Sample] {
        var samples: [Sample] = []
        // A sample takes ten bytes at least.
        samples.reserveCapacity(cursor.remaining / 10)
        var rows = RecordRows(hasStarts: hasStarts)
        while !cursor.isAtEnd {
            guard let row = try rows.next(&cursor) else { break }
            let value = Double(bitPattern: try cursor.bigEndian(UInt64.self))
            samples.append(Sample(reference: row.reference, timestamp: row.timestamp, value: value))
        }
        return samples
    }

    private static func tombstones(_ cursor: inout ByteCursor) throws(ByteError) -> [Tombstone] {
        var tombstones: [Tombstone] = []
        while !cursor.isAtEnd {
            let reference = try cursor.bigEndian(UInt64.self)
            let range = TimeRange(min: try cursor.zigzag(), max: try cursor.zigzag())
            tombstones.append(Tombstone(reference: reference, range: range))
        }
        return tombstones
    }

    private static func histograms(
        _ cursor: inout ByteCursor, isWhole: Bool, hasStarts: Bool
    ) throws(ByteError) -> [Histogram] {
        var histograms: [Histogram] = []
        var rows = RecordRows(hasStarts: hasStarts)
        while !cursor.isAtEnd {
            guard let row = try rows.next(&cursor) else { break }
            let histogram = try cursor.histogram(isWhole: isWhole)
            histograms.append(Histogram(reference: row.reference, timestamp: row.timestamp, histogram: histogram))
        }
        return histograms
    }
}

/// What stands before each value of a record: series and time, as differences. Start timestamps are read and left out:
/// the store has no place for them.
private struct RecordRows {
    let hasStarts: Bool
    private var isFirst = true
    private var reference: UInt64 = 0
    private var firstTimestamp: Timestamp = 0

    init(hasStarts: Bool) { self.hasStarts = hasStarts }

    /// - Returns: nil for a record without rows.
    mutating func next(
        _ cursor: inout ByteCursor
    ) throws(ByteError) -> (reference: UInt64, timestamp: Timestamp)? {
        hasStarts ? try nextWithStart(&cursor) : try nextPlain(&cursor)
    }

    /// Differences to the first row, which stands in front in full.
    private mutating func nextPlain(
        _ cursor: inout ByteCursor
    ) throws(ByteError) -> (reference: UInt64, timestamp: Timestamp)? {
        if isFirst {
            reference = try cursor.bigEndian(UInt64.self)
            firstTimestamp = try cursor.bigEndian(Int64.self)
            isFirst = false
            if cursor.isAtEnd { return nil }
        }
        let row = reference &+ UInt64(bitPattern: try cursor.zigzag())
        return (row, firstTimestamp &+ (try cursor.zigzag()))
    }

    /// Series as the difference to the row before, times to the first; of the starts, a marker of one byte says "none",
    /// "as before" or that one follows.
    private mutating func nextWithStart(
        _ cursor: inout ByteCursor
    ) throws(ByteError) -> (reference: UInt64, timestamp: Timestamp)? {
        if isFirst {
            isFirst = false
            reference = UInt64(bitPattern: try cursor.zigzag())
            firstTimestamp = try cursor.zigzag()
            _ = try cursor.zigzag()
            return (reference, firstTimestamp)
        }
        reference = reference &+ UInt64(bitPattern: try cursor.zigzag())
        let timestamp = firstTimestamp &+ (try cursor.zigzag())
        if try cursor.byte() > 1 { _ = try cursor.zigzag() }
        return (reference, timestamp)
    }
}
