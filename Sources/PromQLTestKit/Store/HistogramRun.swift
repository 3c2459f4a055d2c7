import SeriesModel

/// Tells the counter reset hints that a store gives back: within a run of histograms between which no counter fell it
/// is "not reset", at the beginning of a run nothing is known. Gauges stay gauges.
struct HistogramRun: Sendable {
    private var last: NativeHistogram?

    /// A float, or a staleness marker, comes between.
    mutating func end() { last = nil }

    /// Takes the next histogram of the series, with the hint as it was written.
    mutating func storedHint(of next: NativeHistogram) -> NativeHistogram.CounterResetHint {
        defer { last = next }
        if next.counterResetHint == .gauge { return .gauge }
        guard let last, last.counterResetHint != .gauge, next.counterResetHint != .reset else { return .unknown }
        return HistogramRun.hasReset(from: last, to: next) ? .unknown : .notReset
    }

    private static func hasReset(from last: NativeHistogram, to next: NativeHistogram) -> Bool {
        if last.schema != next.schema || last.zeroThreshold != next.zeroThreshold { return true }
        if last.customBounds != next.customBounds { return true }
        if next.count < last.count || next.zeroCount < last.zeroCount { return true }
        return hasFallen(from: last.positive, to: next.positive) || hasFallen(from: last.negative, to: next.negative)
    }

    private static func hasFallen(from last: HistogramSide, to next: HistogramSide) -> Bool {
        let nextCounts = counts(next)
        return counts(last).contains { index, count in count > nextCounts[index] ?? 0 }
    }

    /// Counts by bucket index.
    private static func counts(_ side: HistogramSide) -> [Int64: Double] {
        var counts: [Int64: Double] = [:]
        var index: Int64 = 0
        var rest = side.counts[...]
        for span in side.spans {
            index += Int64(span.offset)
            for count in rest.prefix(Int(span.length)) {
                counts[index] = count
                index += 1
            }
            rest = rest.dropFirst(Int(span.length))
        }
        return counts
    }
}
