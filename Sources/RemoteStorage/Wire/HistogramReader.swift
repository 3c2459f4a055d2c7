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
    private var positive = Side()
    private var negative = Side()
    private var customBounds: [Double] = []

    private struct Side {
        var spans: [NativeHistogram.Span] = []
        var deltas: [Int64] = []
        var counts: [Double] = []

        /// Sums wrap: what comes of that is negative somewhere, and so refused.
        func side(isFloat: Bool) -> HistogramSide {
            if isFloat { return HistogramSide(spans: spans, counts: counts) }
            var count: Int64 = 0
            return HistogramSide(
                spans: spans,
                counts: deltas.map { delta in
                    count &+= delta
                    return Double(count)
                })
        }
    }

    init(_ buffer: UnsafeRawBufferPointer, _ range: Range<Int>) {
        fields = WireCursor(buffer, range)
    }

    mutating func read() throws(WireError) -> NativeHistogram {
        while let tag = try fields.tag() {
            if try !readNumber(tag), try !readBuckets(tag) { try fields.skip(tag) }
        }
        histogram.positive = positive.side(isFloat: isFloat)
        histogram.negative = negative.side(isFloat: isFloat)
        histogram.customBounds = customBounds
        histogram.reduceToStored()
        return histogram
    }

    /// - Returns: false for a field that is none of these.
    private mutating func readNumber(_ tag: WireCursor.Tag) throws(WireError) -> Bool {
        switch tag.field {
        case Field.countInteger:
            histogram.count = Double(try integer(tag))
            isFloat = false
        case Field.countFloat:
            histogram.count = try double(tag)
            isFloat = true
        case Field.sum: histogram.sum = try double(tag)
        case Field.schema: histogram.schema = signed32(try integer(tag))
        case Field.zeroThreshold: histogram.zeroThreshold = try double(tag)
        case Field.zeroCountInteger: histogram.zeroCount = Double(try integer(tag))
        case Field.zeroCountFloat: histogram.zeroCount = try double(tag)
        case Field.resetHint:
            let hint = UInt8(exactly: try integer(tag)).flatMap(NativeHistogram.CounterResetHint.init(rawValue:))
            histogram.counterResetHint = hint ?? .unknown
        case Field.timestamp: timestamp = Int64(bitPattern: try integer(tag))
        default: return false
        }
        return true
    }

    private mutating func readBuckets(_ tag: WireCursor.Tag) throws(WireError) -> Bool {
        switch tag.field {
        case Field.negativeSpans: negative.spans.append(try span(tag))
        case Field.negativeDeltas: negative.deltas += try deltas(tag)
        case Field.negativeCounts: negative.counts += try doubles(tag)
        case Field.positiveSpans: positive.spans.append(try span(tag))
        case Field.positiveDeltas: positive.deltas += try deltas(tag)
        case Field.positiveCounts: positive.counts += try doubles(tag)
        case Field.customBounds: customBounds += try doubles(tag)
        default: return false
        }
        return true
    }

    // MARK: Values

    private mutating func integer(_ tag: WireCursor.Tag) throws(WireError) -> UInt64 {
        try fields.expect(WireCursor.WireType.varint, tag)
        return try fields.varint()
    }

    private mutating func double(_ tag: WireCursor.Tag) throws(WireError) -> Double {
        try fields.expect(WireCursor.WireType.fixed64, tag)
        return Double(bitPattern: try fields.fixed64())
    }

    private func signed32(_ value: UInt64) -> Int32 { Int32(truncatingIfNeeded: Varint.unzigzag(value)) }

    private mutating func span(_ tag: WireCursor.Tag) throws(WireError) -> NativeHistogram.Span {
        try fields.expect(WireCursor.WireType.sized, tag)
        var inner = WireCursor(fields.buffer, try fields.sized())
        var span = NativeHistogram.Span(offset: 0, length: 0)
        while let tag = try inner.tag() {
            switch tag.field {
            case Field.spanOffset:
                try inner.expect(WireCursor.WireType.varint, tag)
                span.offset = signed32(try inner.varint())
            case Field.spanLength:
                try inner.expect(WireCursor.WireType.varint, tag)
                span.length = UInt32(truncatingIfNeeded: try inner.varint())
            default: try inner.skip(tag)
            }
        }
        return span
    }

    /// Repeated numbers come packed behind one length, or each behind its own tag.
    private mutating func deltas(_ tag: WireCursor.Tag) throws(WireError) -> [Int64] {
        guard tag.wireType == WireCursor.WireType.sized else { return [Varint.unzigzag(try integer(tag))] }
        var packed = WireCursor(fields.buffer, try fields.sized())
        var deltas: [Int64] = []
        while !packed.isAtEnd { deltas.append(Varint.unzigzag(try packed.varint())) }
        return deltas
    }

    private mutating func doubles(_ tag: WireCursor.Tag) throws(WireError) -> [Double] {
        guard tag.wireType == WireCursor.WireType.sized else { return [try double(tag)] }
        var packed = WireCursor(fields.buffer, try fields.sized())
        var values: [Double] = []
        while !packed.isAtEnd { values.append(Double(bitPattern: try packed.fixed64())) }
        return values
    }
}
