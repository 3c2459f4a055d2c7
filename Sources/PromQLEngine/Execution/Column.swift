/// One series' values over the steps of a query, absent where its bit is off. Absence is a bit and not a NaN: every
/// NaN is a legal value.
///
/// At a step there is a float, or a histogram, or nothing, never both. Histograms lie in a side column that is not
/// there at all in a series of floats.
struct Column: Sendable {
    var values: [Double]
    /// The steps that have a float.
    var present: PresenceBitmap
    /// Nil where the series has no histogram at any step.
    var histograms: HistogramColumn?

    /// All absent.
    init(count: Int) {
        values = [Double](repeating: 0, count: count)
        present = PresenceBitmap(count: count)
    }

    /// All present.
    init(values: [Double]) {
        self.values = values
        present = PresenceBitmap(count: values.count, filled: true)
    }

    var count: Int { values.count }

    /// The memory it takes.
    var byteCount: Int { Column.byteCount(steps: values.count) + (histograms?.byteCount ?? 0) }

    /// The memory that a column of floats takes.
    static func byteCount(steps: Int) -> Int { steps &* MemoryLayout<Double>.stride &+ (steps &+ 63) / 64 &* 8 }

    @inline(__always)
    mutating func set(_ index: Int, _ value: Double) {
        values[index] = value
        present.insert(index)
    }

    subscript(index: Int) -> Double? { present.contains(index) ? values[index] : nil }

    /// The steps that have a float or a histogram.
    var anyPresent: PresenceBitmap {
        guard let histograms else { return present }
        var all = present
        all.formUnion(histograms.present)
        return all
    }

    var isEmpty: Bool { present.isEmpty && (histograms?.present.isEmpty ?? true) }

    /// Points, a histogram counting as one.
    var pointCount: Int { present.populationCount + (histograms?.present.populationCount ?? 0) }

    mutating func remove(_ index: Int) {
        present.remove(index)
        histograms?.remove(index)
    }

    /// Keeps only the steps given.
    mutating func formIntersection(_ kept: PresenceBitmap) {
        present.formIntersection(kept)
        histograms?.formIntersection(kept)
    }

    /// Takes over the points of a column that has none at the same steps.
    mutating func merge(_ other: Column) {
        other.present.forEach { set($0, other.values[$0]) }
        if let histograms = other.histograms {
            histograms.present.forEach { step in
                if let histogram = histograms[step] { set(step, histogram) }
            }
        }
    }

    /// The first value at every step, for what was evaluated at one step only.
    func broadcast(to count: Int) -> Column {
        if let value = self[0] { return Column(values: [Double](repeating: value, count: count)) }
        var column = Column(count: count)
        if let histogram = histograms?[0] { column.histograms = HistogramColumn(repeating: histogram, count: count) }
        return column
    }
}
