package import SeriesModel

/// The answer to a query.
package struct QueryResult: Sendable {
    package var value: QueryValue
    /// Texts ready to show, as upstream words them, with ` (line:col)`; at most ten of each kind.
    package var warnings: [String]
    package var infos: [String]
    package var statistics: QueryStatistics
    /// What each operator did, where `QueryOptions.explains` asked for it.
    package var plan: PlanReport?

    package init(
        value: QueryValue, warnings: [String] = [], infos: [String] = [],
        statistics: QueryStatistics = QueryStatistics()
    ) {
        self.value = value
        self.warnings = warnings
        self.infos = infos
        self.statistics = statistics
    }
}

package enum QueryValue: Sendable {
    case scalar(Timestamp, Double)
    case string(Timestamp, String)
    case vector([VectorSample])
    /// Sorted by labels.
    case matrix([MatrixSeries])

    /// As the API names it: `scalar`, `string`, `vector`, `matrix`.
    package var typeName: String {
        switch self {
        case .scalar: "scalar"
        case .string: "string"
        case .vector: "vector"
        case .matrix: "matrix"
        }
    }
}

/// One series' value at one time.
package struct VectorSample: Sendable {
    package var labels: LabelSet
    package var timestamp: Timestamp
    /// Means nothing where there is a histogram.
    package var value: Double
    /// Nil for a float.
    package var histogram: NativeHistogram?

    package init(labels: LabelSet, timestamp: Timestamp, value: Double, histogram: NativeHistogram? = nil) {
        self.labels = labels
        self.timestamp = timestamp
        self.value = value
        self.histogram = histogram
    }
}

/// One series' values over time.
package struct MatrixSeries: Sendable {
    package var labels: LabelSet
    package var samples: SampleBuffer

    package init(labels: LabelSet, samples: SampleBuffer) {
        self.labels = labels
        self.samples = samples
    }
}

package struct QueryStatistics: Sendable {
    /// Seconds each.
    package var evalTotalTime = 0.0
    package var resultSortTime = 0.0
    package var queryPreparationTime = 0.0
    package var innerEvalTime = 0.0
    package var execQueueTime = 0.0
    package var execTotalTime = 0.0
    /// Samples, as upstream counts them.
    package var totalQueryableSamples = 0
    package var peakSamples = 0
    package var samplesRead = 0

    package init() {}
}
