import SeriesModel

/// Field numbers of `io.prometheus.client` (metrics.proto of prometheus/client_model).
enum ProtobufField {
    enum Family {
        static let name = 1
        static let help = 2
        static let type = 3
        static let metric = 4
        static let unit = 5
    }

    enum Metric {
        static let label = 1
        static let gauge = 2
        static let counter = 3
        static let summary = 4
        static let untyped = 5
        static let timestamp = 6
        static let histogram = 7
    }

    /// Names and values of `LabelPair`, `Quantile` and (values only) `Gauge`, `Counter`, `Untyped`.
    enum Pair {
        static let first = 1
        static let second = 2
    }

    enum Counter {
        static let exemplar = 2
        static let start = 3
    }

    enum Summary {
        static let count = 1
        static let sum = 2
        static let quantile = 3
        static let start = 4
    }

    enum Histogram {
        static let count = 1
        static let sum = 2
        static let bucket = 3
        static let countFloat = 4
        static let schema = 5
        static let zeroThreshold = 6
        static let zeroCount = 7
        static let zeroCountFloat = 8
        static let negativeSpan = 9
        static let negativeDelta = 10
        static let negativeCount = 11
        static let positiveSpan = 12
        static let positiveDelta = 13
        static let positiveCount = 14
        static let start = 15
        static let exemplar = 16
    }

    enum Bucket {
        static let cumulativeCount = 1
        static let upperBound = 2
        static let exemplar = 3
        static let cumulativeCountFloat = 4
    }

    enum Exemplar {
        static let label = 1
        static let value = 2
        static let timestamp = 3
    }
}

/// `io.prometheus.client.MetricType`.
enum ProtobufFamilyType: UInt64 {
    case counter, gauge, summary, untyped, histogram, gaugeHistogram

    var kind: MetricMetadata.Kind {
        switch self {
        case .counter: .counter
        case .gauge: .gauge
        case .summary: .summary
        case .untyped: .unknown
        case .histogram: .histogram
        case .gaugeHistogram: .gaugehistogram
        }
    }

    /// The field of a metric that holds the value.
    var metricField: Int {
        switch self {
        case .counter: ProtobufField.Metric.counter
        case .gauge: ProtobufField.Metric.gauge
        case .summary: ProtobufField.Metric.summary
        case .untyped: ProtobufField.Metric.untyped
        case .histogram, .gaugeHistogram: ProtobufField.Metric.histogram
        }
    }
}
