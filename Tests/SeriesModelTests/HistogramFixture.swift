import SeriesModel

/// A histogram with one run of buckets on each side.
func histogram(
    schema: Int32 = 0, count: Double = 0, sum: Double = 0, zero: Double = 0, threshold: Double = 0, offset: Int32 = 0,
    _ buckets: [Double] = [], negativeOffset: Int32 = 0, negative: [Double] = [], bounds: [Double] = [],
    hint: NativeHistogram.CounterResetHint = .unknown
) -> NativeHistogram {
    func spans(_ offset: Int32, _ counts: [Double]) -> [NativeHistogram.Span] {
        counts.isEmpty ? [] : [.init(offset: offset, length: UInt32(counts.count))]
    }
    return NativeHistogram(
        counterResetHint: hint, schema: schema, zeroThreshold: threshold, zeroCount: zero, count: count, sum: sum,
        positiveSpans: spans(offset, buckets), positiveBuckets: buckets,
        negativeSpans: spans(negativeOffset, negative), negativeBuckets: negative, customBounds: bounds)
}
