/// One side of a native histogram as messages carry it: spans, and for integer histograms the difference of each bucket
/// to the one before, for float histograms the counts.
package struct EncodedHistogramSide: Sendable {
    package var spans: [NativeHistogram.Span] = []
    package var deltas: [Int64] = []
    package var counts: [Double] = []

    package init() {}

    /// Sums wrap: what comes of that is negative somewhere, and so refused by `NativeHistogram.validate`.
    package func decoded(isFloat: Bool) -> HistogramSide {
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
