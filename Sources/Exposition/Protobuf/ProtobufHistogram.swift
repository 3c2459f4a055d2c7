import ByteCoding
import SeriesModel

/// An `io.prometheus.client.Histogram`: classic buckets, a native histogram, or both.
struct ProtobufHistogram {
    struct Bucket {
        var bound = 0.0
        var count = 0.0
        var countFloat = 0.0
        var exemplar: WireCursor?

        var cumulative: Double { countFloat == 0 ? count : countFloat }
    }

    private(set) var sum = 0.0
    private(set) var buckets: [Bucket] = []
    private(set) var exemplars: [WireCursor] = []
    private var count = 0.0
    private var countFloat = 0.0
    private var schema: Int32 = 0
    private var zeroThreshold = 0.0
    private var zeroCount = 0.0
    private var zeroCountFloat = 0.0
    private var positive = EncodedHistogramSide()
    private var negative = EncodedHistogramSide()

    init(_ message: WireCursor) throws(WireError) {
        var fields = message
        while let tag = try fields.tag() {
            if try !readNumber(tag, &fields), try !readBuckets(tag, &fields) { try fields.skip(tag) }
        }
    }

    var observations: Double { countFloat == 0 ? count : countFloat }

    /// Whether there is a native histogram in it: a span, if only an empty one, says so, or a zero bucket.
    var isNative: Bool {
        !positive.spans.isEmpty || !negative.spans.isEmpty || zeroThreshold > 0 || zeroCount > 0 || zeroCountFloat > 0
    }

    /// Whether its parts fit each other is not looked at.
    func native(isGauge: Bool) -> NativeHistogram {
        let isFloat = countFloat > 0 || zeroCountFloat > 0
        var histogram = NativeHistogram(
            counterResetHint: isGauge ? .gauge : .unknown, schema: schema, zeroThreshold: zeroThreshold,
            zeroCount: isFloat ? zeroCountFloat : zeroCount, count: isFloat ? countFloat : count, sum: sum)
        histogram.positive = positive.decoded(isFloat: isFloat)
        histogram.negative = negative.decoded(isFloat: isFloat)
        histogram.reduceToStored()
        // What does not fit together would be hidden by dropping empty buckets.
        if (try? histogram.validate()) != nil { histogram.compact() }
        return histogram
    }

    // MARK: - Fields

    /// - Returns: false for a field that is none of these.
    private mutating func readNumber(_ tag: WireCursor.Tag, _ fields: inout WireCursor) throws(WireError) -> Bool {
        switch tag.field {
        case ProtobufField.Histogram.count: count = Double(try fields.integer(tag))
        case ProtobufField.Histogram.countFloat: countFloat = try fields.double(tag)
        case ProtobufField.Histogram.sum: sum = try fields.double(tag)
        case ProtobufField.Histogram.schema:
            schema = Int32(truncatingIfNeeded: try fields.signed(tag))
        case ProtobufField.Histogram.zeroThreshold: zeroThreshold = try fields.double(tag)
        case ProtobufField.Histogram.zeroCount: zeroCount = Double(try fields.integer(tag))
        case ProtobufField.Histogram.zeroCountFloat: zeroCountFloat = try fields.double(tag)
        default: return false
        }
        return true
    }

    private mutating func readBuckets(_ tag: WireCursor.Tag, _ fields: inout WireCursor) throws(WireError) -> Bool {
        switch tag.field {
        case ProtobufField.Histogram.bucket: buckets.append(try ProtobufHistogram.bucket(fields.message(tag)))
        case ProtobufField.Histogram.exemplar: exemplars.append(try fields.message(tag))
        case ProtobufField.Histogram.positiveSpan:
            positive.spans.append(try ProtobufHistogram.span(fields.message(tag)))
        case ProtobufField.Histogram.positiveDelta: try fields.appendSigned(tag, to: &positive.deltas)
        case ProtobufField.Histogram.positiveCount: try fields.appendDoubles(tag, to: &positive.counts)
        case ProtobufField.Histogram.negativeSpan:
            negative.spans.append(try ProtobufHistogram.span(fields.message(tag)))
        case ProtobufField.Histogram.negativeDelta: try fields.appendSigned(tag, to: &negative.deltas)
        case ProtobufField.Histogram.negativeCount: try fields.appendDoubles(tag, to: &negative.counts)
        default: return false
        }
        return true
    }

    private static func bucket(_ message: WireCursor) throws(WireError) -> Bucket {
        var fields = message
        var bucket = Bucket()
        while let tag = try fields.tag() {
            switch tag.field {
            case ProtobufField.Bucket.cumulativeCount: bucket.count = Double(try fields.integer(tag))
            case ProtobufField.Bucket.upperBound: bucket.bound = try fields.double(tag)
            case ProtobufField.Bucket.exemplar: bucket.exemplar = try fields.message(tag)
            case ProtobufField.Bucket.cumulativeCountFloat: bucket.countFloat = try fields.double(tag)
            default: try fields.skip(tag)
            }
        }
        return bucket
    }

    private static func span(_ message: WireCursor) throws(WireError) -> NativeHistogram.Span {
        var fields = message
        var span = NativeHistogram.Span(offset: 0, length: 0)
        while let tag = try fields.tag() {
            switch tag.field {
            case ProtobufField.Pair.first:
                span.offset = Int32(truncatingIfNeeded: try fields.signed(tag))
            case ProtobufField.Pair.second: span.length = UInt32(truncatingIfNeeded: try fields.integer(tag))
            default: try fields.skip(tag)
            }
        }
        return span
    }
}
