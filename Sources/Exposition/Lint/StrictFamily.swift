import SeriesModel

/// A metric family as the strict parser gathers it: what a lint looks at.
struct StrictFamily: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case counter, gauge, summary, untyped, histogram
        case gaugeHistogram = "gauge_histogram"

        var hasBuckets: Bool { self == .histogram || self == .gaugeHistogram }
    }

    /// One series, or all series of one summary or histogram together.
    struct Metric: Sendable {
        /// In the order written, `le` of a histogram and `quantile` of a summary left out.
        var labels: [Label]
        /// Buckets or quantiles.
        var partCount = 0
    }

    let name: String
    /// Nil where no `# HELP` has a text.
    var help: String?
    /// Nil until a `# TYPE` or a sample has fixed it.
    var kind: Kind?
    var metrics: [Metric] = []
}
