import SeriesModel

/// The classic series of one histogram, on their way to a native histogram with custom bounds.
struct ClassicHistogram {
    private var bounds: [Double] = []
    /// Cumulative.
    private var counts: [Double] = []
    private var count: Double?
    private var sum = 0.0
    private var isBroken = false

    var isEmpty: Bool { bounds.isEmpty && count == nil }

    mutating func setCount(_ value: Double) {
        // Not a number is not less than anything either.
        if !(value >= 0) { isBroken = true }
        count = value
    }

    mutating func setSum(_ value: Double) { sum = value }

    /// Buckets come in any order.
    mutating func setBucket(_ bound: Double, _ value: Double) {
        guard value >= 0, !bound.isNaN else {
            isBroken = true
            return
        }
        var index = bounds.count
        while index > 0, bounds[index - 1] > bound { index -= 1 }
        // One that is there already stays as it is.
        if index > 0, bounds[index - 1] == bound { return }
        bounds.insert(bound, at: index)
        counts.insert(value, at: index)
    }

    /// The histogram; nil where the counts contradict each other, or are none.
    func converted() -> NativeHistogram? {
        guard !isBroken, !isEmpty else { return nil }
        var bounds = bounds
        var cumulative = counts
        guard let total = count ?? cumulative.last, cumulative.last ?? 0 <= total else { return nil }
        if bounds.last != .infinity {
            bounds.append(.infinity)
            cumulative.append(total)
        }
        var previous = 0.0
        var buckets: [Double] = []
        buckets.reserveCapacity(cumulative.count)
        for value in cumulative {
            guard value >= previous else { return nil }
            buckets.append(value - previous)
            previous = value
        }
        guard previous == total else { return nil }
        var histogram = NativeHistogram(
            schema: NativeHistogram.customSchema, count: total, sum: sum,
            positiveSpans: [NativeHistogram.Span(offset: 0, length: UInt32(clamping: buckets.count))],
            positiveBuckets: buckets, customBounds: Array(bounds.dropLast()))
        histogram.compact()
        return (try? histogram.validate()) == nil ? nil : histogram
    }
}
