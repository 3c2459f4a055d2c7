import PromQLSyntax
import SeriesModel
import StorageAPI

extension Evaluator {
    /// The newest sample within the lookback at each step.
    func selector(_ plan: SelectorPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        if plan.rangeExtension == .smoothed { return try smoothedSelector(plan, grid, sink) }
        try eachSelected(plan, grid) { labels, samples in
            var column = Column(count: grid.count)
            if samples.histograms.isEmpty {
                Lookback.fill(&column, samples, grid, plan, lookbackDelta)
            } else {
                Lookback.walk(samples, grid, plan, lookbackDelta) { step, sample in
                    switch sample {
                    case .float(let index): column.set(step, samples.values[index])
                    case .histogram(let index): column.set(step, samples.histograms[index])
                    }
                }
            }
            if column.isEmpty { return }
            context.countRead(samples.count + samples.histograms.count, queryable: column.pointCount)
            try sink(VectorSeries(labels: labels, column: column))
        }
    }

    /// The timestamps (s) of the samples that `selector` would give.
    func selectorTimestamps(_ plan: SelectorPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        try eachSampleInstant(plan, grid, sink) { samples, sample in
            switch sample {
            case .float(let index): Double(samples.timestamps[index]) / 1000
            case .histogram(let index): Double(samples.histogramTimestamps[index]) / 1000
            }
        }
    }

    /// The start timestamps (s) of the samples that `selector` would give, 0 where they are unknown.
    func selectorStartTimestamps(_ plan: SelectorPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        try eachSampleInstant(plan, grid, sink) { samples, sample in
            let (starts, index) =
                switch sample {
                case .float(let index): (samples.startTimestamps, index)
                case .histogram(let index): (samples.histogramStartTimestamps, index)
                }
            return index < starts.count ? Double(starts[index]) / 1000 : 0
        }
    }

    private func eachSampleInstant(
        _ plan: SelectorPlan, _ grid: Grid, _ sink: SeriesSink,
        _ value: (borrowing SampleBuffer, Lookback.Sample) -> Double
    ) throws {
        try eachSelected(plan, grid) { labels, samples in
            var column = Column(count: grid.count)
            Lookback.walk(samples, grid, plan, lookbackDelta) { step, sample in
                column.set(step, value(samples, sample))
            }
            if !column.isEmpty { try sink(VectorSeries(labels: labels, column: column)) }
        }
    }

    /// Decodes the selection's series one after the other into one buffer.
    /// - Parameter isWanted: which series are to be read at all.
    func eachSelected(
        _ plan: SelectorPlan, _ grid: Grid, isWanted: (LabelSet) -> Bool = { _ in true },
        _ body: (LabelSet, borrowing SampleBuffer) throws -> Void
    ) throws {
        let set = sets[plan.selection]
        var samples = SampleBuffer()
        for index in 0..<set.count where isWanted(set.labels(at: index)) {
            try context.check()
            samples.removeAll()
            try set.read(index, into: &samples)
            if samples.isEmpty { continue }
            let size = samples.count + samples.histograms.count + grid.count
            try context.hold(size)
            if plan.refinesResetHints { CounterResetHints.refine(&samples) }
            try body(set.labels(at: index), samples)
            context.release(size)
        }
    }

    private func smoothedSelector(_ plan: SelectorPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let smoothing = Smoothing(plan: plan, grid: grid, lookback: lookbackDelta, context: context)
        try eachSelected(plan, grid) { labels, samples in
            let column = smoothing.column(labels, samples.withoutStaleMarkers())
            if column.isEmpty { return }
            context.countRead(samples.count + samples.histograms.count, queryable: column.pointCount)
            try sink(VectorSeries(labels: labels, column: column))
        }
    }
}

extension SampleBuffer {
    /// A copy that has only the samples that are values.
    func withoutStaleMarkers() -> SampleBuffer {
        guard values.contains(where: StaleMarker.isStale) else { return self }
        var clean = SampleBuffer()
        for index in timestamps.indices where !StaleMarker.isStale(values[index]) {
            let start = index < startTimestamps.count ? startTimestamps[index] : 0
            clean.append(timestamps[index], values[index], start: start)
        }
        for index in histograms.indices {
            let start = index < histogramStartTimestamps.count ? histogramStartTimestamps[index] : 0
            clean.append(histogramTimestamps[index], histograms[index], start: start)
        }
        return clean
    }
}

/// The rule that says which sample stands for a series at a time: the newest in `(time - lookback, time]`, unless it is
/// a stale marker.
enum Lookback {
    /// An index into one of the columns of a buffer.
    enum Sample {
        case float(Int)
        case histogram(Int)
    }

    /// For series of floats alone.
    static func fill(
        _ column: inout Column, _ samples: borrowing SampleBuffer, _ grid: Grid, _ plan: SelectorPlan,
        _ lookbackDelta: Int64
    ) {
        let count = samples.timestamps.count
        samples.timestamps.withUnsafeBufferPointer { times in
            samples.values.withUnsafeBufferPointer { values in
                column.values.withUnsafeMutableBufferPointer { out in
                    var next = 0
                    for step in 0..<grid.count {
                        let reference = plan.reference(grid.time(step))
                        while next < count, times[next] <= reference { next &+= 1 }
                        guard next > 0, times[next &- 1] > reference &- lookbackDelta else { continue }
                        let sample = values[next &- 1]
                        if StaleMarker.isStale(sample) { continue }
                        out[step] = sample
                        column.present.insert(step)
                    }
                }
            }
        }
    }

    static func walk(
        _ samples: borrowing SampleBuffer, _ grid: Grid, _ plan: SelectorPlan, _ lookbackDelta: Int64,
        _ body: (_ step: Int, Sample) -> Void
    ) {
        let floats = samples.timestamps
        let histograms = samples.histogramTimestamps
        var nextFloat = 0
        var nextHistogram = 0
        for step in 0..<grid.count {
            let reference = plan.reference(grid.time(step))
            while nextFloat < floats.count, floats[nextFloat] <= reference { nextFloat += 1 }
            while nextHistogram < histograms.count, histograms[nextHistogram] <= reference { nextHistogram += 1 }
            let floatTime = nextFloat > 0 ? floats[nextFloat - 1] : Int64.min
            let histogramTime = nextHistogram > 0 ? histograms[nextHistogram - 1] : Int64.min
            guard max(floatTime, histogramTime) > reference &- lookbackDelta else { continue }
            if histogramTime > floatTime {
                if !samples.histograms[nextHistogram - 1].isStale { body(step, .histogram(nextHistogram - 1)) }
            } else if !StaleMarker.isStale(samples.values[nextFloat - 1]) {
                body(step, .float(nextFloat - 1))
            }
        }
    }
}
