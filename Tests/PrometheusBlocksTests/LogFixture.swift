import ByteCoding
import SeriesModel
import TestSupport

/// Writes what Prometheus writes into its log: records, and segments of them.
enum LogFixture {
    enum Compression: UInt8, CaseIterable {
        case none = 0
        case snappy = 0x08
    }

    /// Pages of 32 KiB with fragments of the records; the last page is as long as its content.
    static func segment(_ records: [[UInt8]], _ compression: Compression = .none) -> [UInt8] {
        var bytes: [UInt8] = []
        for record in records {
            var rest = (compression == .snappy ? Snappy.compress(record) : record)[...]
            var isFirst = true
            repeat {
                let left = 32768 - bytes.count % 32768
                if left < 7 {
                    bytes.append(contentsOf: repeatElement(0, count: left))
                    continue
                }
                let piece = rest.prefix(left - 7)
                rest = rest.dropFirst(piece.count)
                let kind: UInt8 = isFirst ? (rest.isEmpty ? 1 : 2) : (rest.isEmpty ? 4 : 3)
                isFirst = false
                var fragment = ByteBuilder()
                fragment.append(kind | compression.rawValue)
                fragment.appendBigEndian(UInt16(piece.count))
                fragment.appendBigEndian(CRC32C.checksum(piece))
                fragment.append(contentsOf: piece)
                bytes.append(contentsOf: fragment.bytes)
            } while !rest.isEmpty || isFirst
        }
        return bytes
    }

    static func series(_ series: [(reference: UInt64, labels: LabelSet)]) -> [UInt8] {
        var builder = ByteBuilder()
        builder.append(UInt8(1))
        for (reference, labels) in series {
            builder.appendBigEndian(reference)
            builder.appendVarint(labels.count)
            for label in labels {
                builder.appendSized(Array(label.name.utf8))
                builder.appendSized(Array(label.value.utf8))
            }
        }
        return builder.bytes
    }

    static func samples(_ samples: [(reference: UInt64, timestamp: Timestamp, value: Double)]) -> [UInt8] {
        var builder = ByteBuilder()
        builder.append(UInt8(2))
        guard let first = samples.first else { return builder.bytes }
        builder.appendBigEndian(first.reference)
        builder.appendBigEndian(first.timestamp)
        for sample in samples {
            builder.appendZigzag(Int64(bitPattern: sample.reference &- first.reference))
            builder.appendZigzag(sample.timestamp - first.timestamp)
            builder.appendBigEndian(sample.value.bitPattern)
        }
        return builder.bytes
    }

    /// The record of type 11; starts are differences to those before, 0 for none.
    static func samplesWithStarts(
        _ samples: [(reference: UInt64, timestamp: Timestamp, start: Timestamp, value: Double)]
    ) -> [UInt8] {
        var builder = ByteBuilder()
        builder.append(UInt8(11))
        appendRows(samples.map { ($0.reference, $0.timestamp, $0.start) }, to: &builder) { index, builder in
            builder.appendBigEndian(samples[index].value.bitPattern)
        }
        return builder.bytes
    }

    private static func appendRows(
        _ rows: [(reference: UInt64, timestamp: Timestamp, start: Timestamp)], to builder: inout ByteBuilder,
        _ value: (Int, inout ByteBuilder) -> Void
    ) {
        for (index, row) in rows.enumerated() {
            if index == 0 {
                builder.appendZigzag(Int64(bitPattern: row.reference))
                builder.appendZigzag(row.timestamp)
                builder.appendZigzag(row.start)
            } else {
                builder.appendZigzag(Int64(bitPattern: row.reference &- rows[index - 1].reference))
                builder.appendZigzag(row.timestamp - rows[0].timestamp)
                if row.start == 0 {
                    builder.append(UInt8(0))
                } else if row.start == rows[index - 1].start {
                    builder.append(UInt8(1))
                } else {
                    builder.append(UInt8(2))
                    builder.appendZigzag(row.start - rows[0].start)
                }
            }
            value(index, &builder)
        }
    }

    /// - Parameter type: 7 or 9 for whole counts, 8 or 10 for any; 12 and 13 the same with start timestamps.
    static func histograms(
        _ type: UInt8, _ samples: [(reference: UInt64, timestamp: Timestamp, histogram: NativeHistogram)]
    ) -> [UInt8] {
        let isWhole = [7, 9, 12].contains(type)
        var builder = ByteBuilder()
        builder.append(type)
        if type >= 12 {
            appendRows(samples.map { ($0.reference, $0.timestamp, $0.timestamp - 7) }, to: &builder) {
                append(samples[$0].histogram, isWhole, to: &$1)
            }
            return builder.bytes
        }
        builder.appendBigEndian(samples.first?.reference ?? 0)
        builder.appendBigEndian(samples.first?.timestamp ?? 0)
        for sample in samples {
            builder.appendZigzag(Int64(bitPattern: sample.reference &- samples[0].reference))
            builder.appendZigzag(sample.timestamp - samples[0].timestamp)
            append(sample.histogram, isWhole, to: &builder)
        }
        return builder.bytes
    }

    private static func append(_ histogram: NativeHistogram, _ isWhole: Bool, to builder: inout ByteBuilder) {
        let hints: [NativeHistogram.CounterResetHint: UInt8] = [.unknown: 0, .reset: 1, .notReset: 2, .gauge: 3]
        builder.append(hints[histogram.counterResetHint] ?? 0)
        builder.appendZigzag(Int64(histogram.schema))
        builder.appendBigEndian(histogram.zeroThreshold.bitPattern)
        for count in [histogram.zeroCount, histogram.count] {
            if isWhole { builder.appendVarint(UInt64(count)) } else { builder.appendBigEndian(count.bitPattern) }
        }
        builder.appendBigEndian(histogram.sum.bitPattern)
        for spans in [histogram.positiveSpans, histogram.negativeSpans] {
            builder.appendVarint(spans.count)
            for span in spans {
                builder.appendZigzag(Int64(span.offset))
                builder.appendVarint(UInt64(span.length))
            }
        }
        for buckets in [histogram.positiveBuckets, histogram.negativeBuckets] {
            builder.appendVarint(buckets.count)
            var last: Int64 = 0
            for count in buckets {
                if isWhole {
                    builder.appendZigzag(Int64(count) - last)
                    last = Int64(count)
                } else {
                    builder.appendBigEndian(count.bitPattern)
                }
            }
        }
        if histogram.usesCustomBounds {
            builder.appendVarint(histogram.customBounds.count)
            for bound in histogram.customBounds { builder.appendBigEndian(bound.bitPattern) }
        }
    }

    static func tombstone(_ reference: UInt64, _ range: TimeRange) -> [UInt8] {
        var builder = ByteBuilder()
        builder.append(UInt8(3))
        builder.appendBigEndian(reference)
        builder.appendZigzag(range.min)
        builder.appendZigzag(range.max)
        return builder.bytes
    }
}
