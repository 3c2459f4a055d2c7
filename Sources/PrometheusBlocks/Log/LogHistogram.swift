import ByteCoding
import SeriesModel

extension ByteCursor {
    /// A native histogram as it stands in a record.
    /// - Parameter isWhole: counts are whole numbers, buckets differences to the bucket before.
    mutating func histogram(isWhole: Bool) throws(ByteError) -> NativeHistogram {
        let start = position
        let hint = try byte()
        guard let schema = Int32(exactly: try zigzag()) else { throw .outOfBounds(offset: start, what: "schema") }
        let zeroThreshold = try double()
        let zeroCount = try isWhole ? Double(varint()) : double()
        let count = try isWhole ? Double(varint()) : double()
        let sum = try double()
        let positiveSpans = try spans()
        let negativeSpans = try spans()
        let positive = try buckets(isWhole: isWhole)
        let negative = try buckets(isWhole: isWhole)
        var bounds: [Double] = []
        if schema == NativeHistogram.customSchema {
            let boundCount = try varint(atMost: remaining / 8, "number of bounds")
            bounds.reserveCapacity(boundCount)
            for _ in 0..<boundCount { bounds.append(try double()) }
        }
        return NativeHistogram(
            counterResetHint: ByteCursor.hint(hint), schema: schema, zeroThreshold: zeroThreshold,
            zeroCount: zeroCount, count: count, sum: sum, positiveSpans: positiveSpans, positiveBuckets: positive,
            negativeSpans: negativeSpans, negativeBuckets: negative, customBounds: bounds)
    }

    /// Upstream's numbers.
    private static func hint(_ byte: UInt8) -> NativeHistogram.CounterResetHint {
        switch byte {
        case 1: .reset
        case 2: .notReset
        case 3: .gauge
        default: .unknown
        }
    }

    private mutating func double() throws(ByteError) -> Double {
        Double(bitPattern: try bigEndian(UInt64.self))
    }

    private mutating func spans() throws(ByteError) -> [NativeHistogram.Span] {
        let count = try varint(atMost: remaining / 2, "number of spans")
        var spans: [NativeHistogram.Span] = []
        spans.reserveCapacity(count)
        for _ in 0..<count {
            let place = position
            guard let offset = Int32(exactly: try zigzag()), let length = UInt32(exactly: try varint()) else {
                throw .outOfBounds(offset: place, what: "span")
            }
            spans.append(NativeHistogram.Span(offset: offset, length: length))
        }
        return spans
    }

    private mutating func buckets(isWhole: Bool) throws(ByteError) -> [Double] {
        let count = try varint(atMost: isWhole ? remaining : remaining / 8, "number of buckets")
        var buckets: [Double] = []
        buckets.reserveCapacity(count)
        var last: Int64 = 0
        for _ in 0..<count {
            if isWhole {
                last = last &+ (try zigzag())
                buckets.append(Double(last))
            } else {
                buckets.append(try double())
            }
        }
        return buckets
    }
}
