import SeriesModel

/// A sample that a rule gives, at the time of its evaluation.
struct RuleSample: Sendable {
    var labels: LabelSet
    /// Means nothing where there is a histogram.
    var value: Double
    /// Nil for a float.
    var histogram: NativeHistogram?

    init(_ labels: LabelSet, _ value: Double, _ histogram: NativeHistogram? = nil) {
        self.labels = labels
        self.value = value
        self.histogram = histogram
    }
}
