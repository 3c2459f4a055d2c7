import SeriesModel

/// One series on its way through the operators.
struct VectorSeries: Sendable {
    var labels: LabelSet
    /// The metric name is to go at the end of the evaluation (`promql-delayed-name-removal`).
    var dropsName = false
    var column: Column

    /// The memory that its labels and its column take.
    var byteCount: Int { labels.packed.count + column.byteCount }
}

/// Takes series one after the other, as an operator makes them.
typealias SeriesSink = (VectorSeries) throws -> Void
