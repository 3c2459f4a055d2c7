import PromQLSyntax
import SeriesModel
import StorageAPI

extension Evaluator {
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
            let bytes = (samples.timestamps.capacity &+ samples.values.capacity &+ grid.count) &* 8
            try context.hold(size, bytes: bytes)
            if let profile = context.profile { profile.count(plan.id, series: 1, samples: samples.count) }
            if plan.refinesResetHints { CounterResetHints.refine(&samples) }
            try body(set.labels(at: index), samples)
            context.release(size, bytes: bytes)
        }
    }
}

/// An instant selector, ready to be applied to one series after the other.
struct InstantSelector {
    let plan: SelectorPlan
    let grid: Grid
    let context: EvaluationContext

    /// The newest sample within the lookback at each step.
    func column(_ labels: LabelSet, _ samples: borrowing SampleBuffer) -> Column {
        if plan.rangeExtension == .smoothed {
            return Smoothing(plan: plan, grid: grid, lookback: context.lookbackDelta, context: context)
                .column(labels, samples.withoutStaleMarkers())
        }
        var column = Column(count: grid.count)
        if samples.histograms.isEmpty {
            Lookback.fill(&column, samples, grid, plan, context.lookbackDelta)
        } else {
            Lookback.walk(samples, grid, plan, context.lookbackDelta) { step, sample in
                switch sample {
                case .float(let index): column.set(step, samples.values[index])
                case .histogram(let index): column.set(step, samples.histograms[index])
                }
            }
        }
        return column
    }
}

extension SampleBuffer {
    /// Whether a stale marker is among the floats.
    var hasStaleMarkers: Bool {
        values.withUnsafeBufferPointer { values in
            values.withMemoryRebound(to: UInt64.self) { bits in
                var index = 0
                var found = false
                // In blocks without a branch inside, which the compiler turns into vector instructions.
                while index &+ 8 <= bits.count {
                    for lane in index..<index &+ 8 { found = found || bits[lane] == StaleMarker.bits }
                    if found { return true }
                    index &+= 8
                }
                while index < bits.count {
                    if bits[index] == StaleMarker.bits { return true }
                    index &+= 1
                }
                return false
            }
        }
    }

    /// A copy that has only the samples that are values.
    func withoutStaleMarkers() -> SampleBuffer {
        guard hasStaleMarkers else { return self }
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
                    column.present.fill { step in
                        let reference = plan.reference(grid.time(step))
                        while next < count, times[next] <= reference { next &+= 1 }
                        guard next > 0, times[next &- 1] > reference &- lookbackDelta else { return false }
                        let sample = values[next &- 1]
                        if sample.bitPattern == StaleMarker.bits { return false }
                        out[step] = sample
                        return true
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
