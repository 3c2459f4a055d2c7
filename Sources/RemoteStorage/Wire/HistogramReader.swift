import ByteCoding
import SeriesModel

/// Decodes a `prometheus.Histogram` message: a native histogram with integer counts, whose buckets are differences, or
/// with float counts, whose buckets are counts. Whether its parts fit each other is not looked at.
struct HistogramReader {
    /// Field numbers (prompb/types.proto upstream).
    private enum Field {
        static let countInteger = 1
        static let countFloat = 2
        static let sum = 3
        static let schema = 4
        static let zeroThreshold = 5
        static let zeroCountInteger = 6
        static let zeroCountFloat = 7
        static let negativeSpans = 8
        static let negativeDeltas = 9
        static let negativeCounts = 10
        static let positiveSpans = 11
        static let positiveDeltas = 12
        static let positiveCounts = 13
        static let resetHint = 14
        static let timestamp = 15
        static let customBounds = 16
        static let spanOffset = 1
        static let spanLength = 2
    }

    private var fields: WireCursor
    private(set) var timestamp: Timestamp = 0
    private var histogram = NativeHistogram()
    private var isFloat = false
    private var positive = EncodedHistogramSide()
    private var negative = EncodedHistogramSide()
    private var customBounds: [Double] = []

    init(_ buffer: UnsafeRawBufferPointer, _ range: Range<Int>) {
        fields = WireCursor(buffer, range)
    }

    mutating func read() throws(WireError) -> NativeHistogram {
        while let tag = try fields.tag() {
            if try !readNumber(tag), try !readBuckets(tag) { try fields.skip(tag) }
        }
        histogram.positive = positive.decoded(isFloat: isFloat)
        histogram.negative = negative.decoded(isFloat: isFloat)
        histogram.customBounds = customBounds
        histogram.reduceToStored()
        return histogram
    }

    /// - Returns: false for a field that is none of these.
    private mutating func readNumber(_ tag: WireCursor.Tag) throws(WireError) -> Bool {
        switch tag.field {
        case Field.countInteger:
            histogram.count = Double(try fields.integer(tag))
            isFloat = false
        case Field.countFloat:
            histogram.count = try fields.double(tag)
            isFloat = true
        case Field.sum: histogram.sum = try fields.double(tag)
        case Field.schema: histogram.schema = Int32(truncatingIfNeeded: try fields.signed(tag))
        case Field.zeroThreshold: histogram.zeroThreshold = try fields.double(tag)
        case Field.zeroCountInteger: histogram.zeroCount = Double(try fields.integer(tag))
        case Field.zeroCountFloat: histogram.zeroCount = try fields.double(tag)
        case Field.resetHint:
            let hint = UInt8(exactly: try fields.integer(tag)).flatMap(NativeHistogram.CounterResetHint.init(rawValue:))
            histogram.counterResetHint = hint ?? .unknown
        case Field.timestamp: timestamp = Int64(bitPattern: try fields.integer(tag))
        default: return false
        }
        return true
    }

    private mutating func readBuckets(_ tag: WireCursor.Tag) throws(WireError) -> Bool {
        switch tag.field {
        case Field.negativeSpans: negative.spans.append(try span(tag))
        case Field.negativeDeltas: try fields.appendSigned(tag, to: &negative.deltas)
        case Field.negativeCounts: try fields.appendDoubles(tag, to: &negative.counts)
        case Field.positiveSpans: positive.spans.append(try span(tag))
        case Field.positiveDeltas: try fields.appendSigned(tag, to: &positive.deltas)
        case Field.positiveCounts: try fields.appendDoubles(tag, to: &positive.counts)
        case Field.customBounds: try fields.appendDoubles(tag, to: &customBounds)
        default: return false
        }
        return true
    }

    private mutating func span(_ tag: WireCursor.Tag) throws(WireError) -> NativeHistogram.Span {
        var inner = try fields.message(tag)
        var span = NativeHistogram.Span(offset: 0, length: 0)
        while let tag = try inner.tag() {
            switch tag.field {
            case Field.spanOffset: span.offset = Int32(truncatingIfNeeded: try inner.signed(tag))
            case Field.spanLength: span.length = UInt32(truncatingIfNeeded: try inner.integer(tag))
            default: try inner.skip(tag)
            }
        }
        return span
    }
}
