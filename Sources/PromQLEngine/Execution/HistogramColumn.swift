import SeriesModel

/// The native histograms of one series over the steps of a query.
struct HistogramColumn: Sendable {
    private var values: [NativeHistogram?]
    private(set) var present: PresenceBitmap

    /// All absent.
    init(count: Int) {
        values = [NativeHistogram?](repeating: nil, count: count)
        present = PresenceBitmap(count: count)
    }

    /// The same at each step.
    init(repeating histogram: NativeHistogram, count: Int) {
        values = [NativeHistogram?](repeating: histogram, count: count)
        present = PresenceBitmap(count: count, filled: true)
    }

    /// The memory it takes, buckets included.
    var byteCount: Int {
        var total = values.count &* MemoryLayout<NativeHistogram?>.stride
        present.forEach { step in
            guard let histogram = values[step] else { return }
            total &+= (histogram.positiveBuckets.count &+ histogram.negativeBuckets.count) &* 8
        }
        return total
    }

    subscript(index: Int) -> NativeHistogram? { values[index] }

    mutating func set(_ index: Int, _ histogram: NativeHistogram) {
        values[index] = histogram
        present.insert(index)
    }

    mutating func remove(_ index: Int) {
        values[index] = nil
        present.remove(index)
    }

    mutating func formIntersection(_ kept: PresenceBitmap) {
        present.forEach { if !kept.contains($0) { values[$0] = nil } }
        present.formIntersection(kept)
    }

    /// The histograms present, in the order of their steps.
    func forEach(_ body: (Int, NativeHistogram) throws -> Void) rethrows {
        try present.forEach { step in
            if let histogram = values[step] { try body(step, histogram) }
        }
    }
}

extension Column {
    mutating func set(_ index: Int, _ histogram: NativeHistogram) {
        if histograms == nil { histograms = HistogramColumn(count: count) }
        histograms?.set(index, histogram)
    }
}
