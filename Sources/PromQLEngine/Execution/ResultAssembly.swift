import PromQLSyntax
import SeriesModel

/// Makes the answer of what the operators push.
struct ResultAssembly {
    let evaluator: Evaluator
    let grid: Grid
    let isInstant: Bool

    func value(of expression: Expression, _ plan: PlanNode) throws -> QueryValue {
        switch expression.valueType {
        case .string: return .string(grid.start, try evaluator.string(plan))
        case .scalar:
            let values = try evaluator.scalar(plan, grid)
            if isInstant { return .scalar(grid.start, values.first ?? .nan) }
            var samples = SampleBuffer()
            for (step, value) in values.enumerated() { samples.append(grid.time(step), value) }
            return .matrix([MatrixSeries(labels: .empty, samples: samples)])
        case .matrix: return .matrix(try matrix(plan))
        case .vector, .none:
            let series = try finished(plan)
            return isInstant ? .vector(vector(series)) : .matrix(matrix(series))
        }
    }

    /// All series, names dropped that were still to go, pieces of one series joined.
    private func finished(_ plan: PlanNode) throws -> [VectorSeries] {
        var collector = SeriesCollector(context: evaluator.context)
        try evaluator.vector(plan, grid) { series in
            var series = series
            if series.dropsName { series.labels = MetricIdentity.dropped(series.labels) }
            series.dropsName = false
            try collector.add(series)
        }
        return collector.series
    }

    private func vector(_ series: [VectorSeries]) -> [VectorSample] {
        series.map { one in
            let histogram = one.column.histograms?[0]
            return VectorSample(
                labels: one.labels, timestamp: grid.start, value: histogram == nil ? one.column.values[0] : 0,
                histogram: histogram)
        }
    }

    private func matrix(_ series: [VectorSeries]) -> [MatrixSeries] {
        // Series that have a value at each step share one column of times.
        let times = (0..<grid.count).map { grid.time($0) }
        return series.map { one in
            var samples = SampleBuffer()
            if one.column.present.isFull {
                samples.timestamps = times
                samples.values = one.column.values
            } else {
                let count = one.column.present.populationCount
                samples.timestamps.reserveCapacity(count)
                samples.values.reserveCapacity(count)
                one.column.present.forEach { samples.append(times[$0], one.column.values[$0]) }
            }
            one.column.histograms?.forEach { samples.append(times[$0], $1) }
            return MatrixSeries(labels: one.labels, samples: samples)
        }.sorted { $0.labels < $1.labels }
    }

    /// The samples of a range selector, as an instant query gives them.
    private func matrix(_ plan: PlanNode) throws -> [MatrixSeries] {
        guard case .range(let range) = plan else {
            throw QueryError.execution("expression does not give a range vector")
        }
        var all: [MatrixSeries] = []
        try evaluator.eachRangeSeries(range, grid) { labels, dropsName, samples in
            let kept = try rawSamples(range, samples)
            if kept.isEmpty { return }
            try evaluator.context.hold(kept.count + kept.histograms.count, bytes: kept.count &* 16)
            let labels = dropsName ? MetricIdentity.dropped(labels) : labels
            all.append(MatrixSeries(labels: labels, samples: kept))
        }
        all.sort { $0.labels < $1.labels }
        for (one, next) in zip(all, all.dropFirst()) where one.labels == next.labels {
            throw QueryError.execution("vector cannot contain metrics with the same labelset")
        }
        return all
    }

    private func rawSamples(_ range: RangePlan, _ samples: borrowing SampleBuffer) throws -> SampleBuffer {
        let end = range.reference(grid.start)
        let start = end &- range.width
        if range.rangeExtension != .none {
            return try ExtendedRange.samples(
                samples, from: start, to: end, lookback: evaluator.lookbackDelta, range.rangeExtension)
        }
        var kept = SampleBuffer()
        for (time, value) in zip(samples.timestamps, samples.values) where time > start && time <= end {
            kept.append(time, value)
        }
        for (time, histogram) in zip(samples.histogramTimestamps, samples.histograms)
        where time > start && time <= end {
            kept.append(time, histogram)
        }
        return kept
    }
}

/// Gathers series by their labels. Pieces of one series, which have no step in common, become one; where two have a
/// value at the same step they are not one series, and that is an error.
struct SeriesCollector {
    private let context: EvaluationContext
    private(set) var series: [VectorSeries] = []
    private var indexes: [LabelSet: Int] = [:]

    init(context: EvaluationContext) { self.context = context }

    mutating func add(_ new: VectorSeries) throws(QueryError) {
        if new.column.isEmpty { return }
        try context.hold(new)
        guard let known = indexes[new.labels] else {
            indexes[new.labels] = series.count
            series.append(new)
            return
        }
        if series[known].column.anyPresent.firstCommon(with: new.column.anyPresent) != nil {
            throw .execution("vector cannot contain metrics with the same labelset")
        }
        series[known].column.merge(new.column)
        series[known].dropsName = series[known].dropsName || new.dropsName
    }

    func release() {
        for one in series { context.release(one) }
    }
}
