import ByteCoding
import SeriesModel

/// Encodes a `prometheus.Histogram` message, which is the same in both versions of remote write: with integer counts
/// where all counts are whole, as counted histograms' are, else with float counts.
struct HistogramWriter: Sendable {
    /// Field numbers (prompb/types.proto upstream).
    private enum Field {
        static let countInteger: UInt64 = 1
        static let countFloat: UInt64 = 2
        static let sum: UInt64 = 3
        static let schema: UInt64 = 4
        static let zeroThreshold: UInt64 = 5
        static let zeroCountInteger: UInt64 = 6
        static let zeroCountFloat: UInt64 = 7
        static let negativeSpans: UInt64 = 8
        static let negativeDeltas: UInt64 = 9
        static let negativeCounts: UInt64 = 10
        static let positiveSpans: UInt64 = 11
        static let positiveDeltas: UInt64 = 12
        static let positiveCounts: UInt64 = 13
        static let resetHint: UInt64 = 14
        static let timestamp: UInt64 = 15
        static let customBounds: UInt64 = 16
        static let spanOffset: UInt64 = 1
        static let spanLength: UInt64 = 2
    }

    /// The message written last.
    private(set) var message = WireWriter()
    private var part = WireWriter()

    /// - Parameter timestamp: ms
    mutating func write(_ histogram: NativeHistogram, at timestamp: Timestamp) {
        message.removeAll()
        let isFloat = !histogram.hasWholeCounts
        if isFloat {
            message.double(Field.countFloat, histogram.count)
        } else {
            message.varint(Field.countInteger, UInt64(histogram.count))
        }
        if histogram.sum.bitPattern != 0 { message.double(Field.sum, histogram.sum) }
        if histogram.schema != 0 { message.zigzag(Field.schema, Int64(histogram.schema)) }
        if histogram.zeroThreshold.bitPattern != 0 { message.double(Field.zeroThreshold, histogram.zeroThreshold) }
        if isFloat {
            message.double(Field.zeroCountFloat, histogram.zeroCount)
        } else {
            message.varint(Field.zeroCountInteger, UInt64(histogram.zeroCount))
        }
        write(histogram.negative, Field.negativeSpans, isFloat ? Field.negativeCounts : Field.negativeDeltas, isFloat)
        write(histogram.positive, Field.positiveSpans, isFloat ? Field.positiveCounts : Field.positiveDeltas, isFloat)
        if histogram.counterResetHint != .unknown {
            message.varint(Field.resetHint, UInt64(histogram.counterResetHint.rawValue))
        }
        if timestamp != 0 { message.varint(Field.timestamp, UInt64(bitPattern: timestamp)) }
        if histogram.usesCustomBounds { writeDoubles(Field.customBounds, histogram.customBounds) }
    }

    private mutating func write(_ side: HistogramSide, _ spans: UInt64, _ buckets: UInt64, _ isFloat: Bool) {
        for span in side.spans {
            part.removeAll()
            if span.offset != 0 { part.zigzag(Field.spanOffset, Int64(span.offset)) }
            if span.length != 0 { part.varint(Field.spanLength, UInt64(span.length)) }
            message.sized(spans, part.bytes)
        }
        guard !side.counts.isEmpty else { return }
        if isFloat { return writeDoubles(buckets, side.counts) }
        part.removeAll()
        var last: Int64 = 0
        for count in side.counts {
            let whole = Int64(count)
            part.append(varint: Varint.zigzag(whole - last))
            last = whole
        }
        message.sized(buckets, part.bytes)
    }

    private mutating func writeDoubles(_ field: UInt64, _ values: [Double]) {
        guard !values.isEmpty else { return }
        part.removeAll()
        for value in values { part.append(value) }
        message.sized(field, part.bytes)
    }
}

extension NativeHistogram {
    /// Whether all counts are whole numbers that a double represents exactly.
    fileprivate var hasWholeCounts: Bool {
        func isWhole(_ count: Double) -> Bool { (0...0x1p53).contains(count) && count.rounded(.towardZero) == count }
        return isWhole(count) && isWhole(zeroCount) && positive.counts.allSatisfy(isWhole)
            && negative.counts.allSatisfy(isWhole)
    }
}
