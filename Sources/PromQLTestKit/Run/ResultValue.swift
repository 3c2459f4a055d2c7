import PromQLEngine
import SeriesModel

/// A value of a result.
enum ResultValue: CustomStringConvertible {
    case float(Double)
    case histogram(NativeHistogram)

    init(_ sample: VectorSample) {
        self = sample.histogram.map { .histogram($0) } ?? .float(sample.value)
    }

    /// All points in time order.
    static func points(of series: MatrixSeries) -> [(time: Timestamp, value: ResultValue)] {
        let samples = series.samples
        var points: [(time: Timestamp, value: ResultValue)] = []
        for (time, value) in zip(samples.timestamps, samples.values) { points.append((time, .float(value))) }
        for (time, value) in zip(samples.histogramTimestamps, samples.histograms) {
            points.append((time, .histogram(value)))
        }
        return points.sorted { $0.time < $1.time }
    }

    var description: String {
        switch self {
        case .float(let value): StaleMarker.isStale(value) ? "stale" : NumberText.fixed(value)
        case .histogram(let value): ScriptHistogram.notation(value, withHint: true)
        }
    }
}

extension ScriptValue: CustomStringConvertible {
    var isOmitted: Bool {
        if case .omitted = self { return true }
        return false
    }

    func matches(_ value: ResultValue) -> Bool {
        switch (self, value) {
        case (.float(let wanted), .float(let got)): NearEquality.holds(wanted, got)
        case (.histogram(let wanted), .histogram(let got)): wanted.matches(got)
        case (.omitted, _), (.float, .histogram), (.histogram, .float): false
        }
    }

    package var description: String {
        switch self {
        case .omitted: "_"
        case .float(let value): StaleMarker.isStale(value) ? "stale" : NumberText.fixed(value)
        case .histogram(let histogram): histogram.description
        }
    }
}
