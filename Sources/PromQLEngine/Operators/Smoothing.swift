import PromQLSyntax
import SeriesModel

/// What the `smoothed` modifier makes of an instant selector: between two samples the value on the line that joins them,
/// after the last its value.
struct Smoothing {
    let plan: SelectorPlan
    let grid: Grid
    /// ms
    let lookback: Int64
    let context: EvaluationContext

    /// - Parameter samples: without stale markers.
    func column(_ labels: LabelSet, _ samples: borrowing SampleBuffer) -> Column {
        var column = Column(count: grid.count)
        let hasBoth = !samples.histograms.isEmpty && !samples.timestamps.isEmpty
        var floats = Neighbours(count: samples.timestamps.count)
        var histograms = Neighbours(count: samples.histograms.count)
        for step in 0..<grid.count {
            let time = plan.reference(grid.time(step))
            floats.advance(samples.timestamps, to: time, lookback)
            histograms.advance(samples.histogramTimestamps, to: time, lookback)
            if hasBoth, floats.isNear, histograms.isNear {
                context.annotations.warn(
                    "encountered a mix of histograms and floats for metric name "
                        + GoQuote.quote(labels.metricName ?? ""), at: plan.source)
            } else if let value = float(floats, samples, time) {
                column.set(step, value)
            } else if let histogram = histogram(histograms, samples, time, labels) {
                column.set(step, histogram)
            }
        }
        return column
    }

    /// The samples around a time that the lookback reaches.
    private struct Neighbours {
        /// The first at or after the time.
        private var next = 0
        private let count: Int
        private(set) var before: Int?
        private(set) var after: Int?

        init(count: Int) { self.count = count }

        var isNear: Bool { before != nil || after != nil }

        mutating func advance(_ times: [Timestamp], to time: Timestamp, _ lookback: Int64) {
            while next < count, times[next] < time { next += 1 }
            after = next < count && times[next] <= time &+ lookback ? next : nil
            before = next > 0 && times[next - 1] > time &- lookback ? next - 1 : nil
        }
    }

    private func float(_ around: Neighbours, _ samples: borrowing SampleBuffer, _ time: Timestamp) -> Double? {
        if let after = around.after, samples.timestamps[after] == time { return samples.values[after] }
        guard let before = around.before else { return nil }
        guard let after = around.after else { return samples.values[before] }
        return Smoothing.interpolate(
            samples.timestamps[before], samples.values[before], samples.timestamps[after], samples.values[after],
            at: time)
    }

    private func histogram(
        _ around: Neighbours, _ samples: borrowing SampleBuffer, _ time: Timestamp, _ labels: LabelSet
    ) -> NativeHistogram? {
        let times = samples.histogramTimestamps
        if let after = around.after, times[after] == time { return samples.histograms[after] }
        guard let before = around.before else { return nil }
        guard let after = around.after else { return samples.histograms[before] }
        let (first, second) = (samples.histograms[before], samples.histograms[after])
        let fraction = Double(time &- times[before]) / Double(times[after] &- times[before])
        do throws(HistogramError) {
            return try HistogramInterpolation.between(
                first, second, fraction, isCounter: second.counterResetHint != .gauge
            ) { operation in
                context.annotations.info(
                    "mismatched custom buckets were reconciled during \(operation)", at: plan.source)
            }
        } catch {
            context.annotations.warn(
                "vector contains a mix of histograms with exponential and custom buckets schemas for metric name "
                    + GoQuote.quote(labels.metricName ?? ""), at: plan.source)
            return nil
        }
    }

    static func interpolate(
        _ t1: Timestamp, _ v1: Double, _ t2: Timestamp, _ v2: Double, at time: Timestamp
    ) -> Double {
        v1 + (v2 - v1) * Double(time &- t1) / Double(t2 &- t1)
    }
}
