/// The classic series of one histogram at one time, on their way to a native histogram with custom bounds; by the rules
/// of upstream's `util/convertnhcb`.
package struct ClassicHistogram: Sendable {
    private var bounds: [Double] = []
    /// Cumulative.
    private var counts: [Double] = []
    private var count: Double?
    private var sum = 0.0
    private var isBroken = false

    package init() {}

    package var isEmpty: Bool { bounds.isEmpty && count == nil }

    package mutating func setCount(_ value: Double) {
        // Not a number is no complaint here, and none of the buckets'.
        if value < 0 { isBroken = true }
        count = value
    }

    package mutating func setSum(_ value: Double) { sum = value }

    /// Buckets come in any order. One whose bound is there already is ignored.
    /// - Parameter value: how many observations are not above the bound.
    package mutating func setBucket(_ bound: Double, _ value: Double) {
        guard !bound.isNaN, !(value < 0) else {
            isBroken = true
            return
        }
        var index = bounds.count
        while index > 0, bounds[index - 1] > bound { index -= 1 }
        if index > 0, bounds[index - 1] == bound { return }
        let falls = index > 0 && value < counts[index - 1] || index < counts.count && counts[index] < value
        if falls { isBroken = true }
        bounds.insert(bound, at: index)
        counts.insert(value, at: index)
    }

    /// The histogram; nil where the counts contradict each other.
    package func converted() -> NativeHistogram? {
        guard !isBroken else { return nil }
        var bounds = bounds
        var cumulative = counts
        if bounds.last != .infinity {
            bounds.append(.infinity)
            cumulative.append(count ?? counts.last ?? 0)
        }
        let total = count ?? cumulative[cumulative.count - 1]
        var previous = 0.0
        var buckets: [Double] = []
        buckets.reserveCapacity(cumulative.count)
        for value in cumulative {
            buckets.append(value - previous)
            previous = value
        }
        guard previous == total else { return nil }
        var histogram = NativeHistogram(
            schema: NativeHistogram.customSchema, count: total, sum: sum,
            positiveSpans: [NativeHistogram.Span(offset: 0, length: UInt32(clamping: buckets.count))],
            positiveBuckets: buckets, customBounds: Array(bounds.dropLast()))
        // Upstream keeps short gaps in what it stores as integers.
        let isInteger = (cumulative + [total]).allSatisfy { $0.rounded(.towardZero) == $0 && $0.isFinite }
        histogram.compact(emptyBucketsMax: isInteger ? 2 : 0)
        return histogram
    }
}
