import PromQLSyntax
import SeriesModel
import StorageAPI

/// Runs a pipeline over the series of its selector, one after the other through one buffer. One thread's.
struct PipelineWorker {
    private let pipeline: SeriesPipeline
    private let context: EvaluationContext
    private let found: any SeriesSet
    private let grid: Grid
    private let selector: SelectorPlan
    private var function: RangeFunction?
    private var samples = SampleBuffer()
    private var chargedBytes = 0

    /// Nil for a pipeline without selector.
    init?(_ pipeline: SeriesPipeline, _ sets: [any SeriesSet], _ grid: Grid, _ context: EvaluationContext) {
        guard let selector = pipeline.selector else { return nil }
        self.pipeline = pipeline
        self.context = context
        self.grid = grid
        self.selector = selector
        found = sets[selector.selection]
        if case .windows(let call, let range, _, let parameters) = pipeline.source {
            function = RangeFunction(call, range, parameters, grid, context)
        }
    }

    var seriesCount: Int { found.count }

    /// - Parameter check: sees the series each time it has lost its name: by which operator, 0 for the source.
    /// - Returns: nil where nothing is left of the series at any step.
    mutating func series(
        _ index: Int, check: (VectorSeries, Int) throws(QueryError) -> Void
    ) throws -> VectorSeries? {
        try context.check()
        let profile = context.profile
        let outer = profile?.enter(selector.id)
        defer { if let profile { profile.enter(outer) } }
        samples.removeAll()
        try found.read(index, into: &samples)
        if samples.isEmpty { return nil }
        let size = samples.count + samples.histograms.count + grid.count
        try chargeBuffer()
        try context.hold(size, bytes: Column.byteCount(steps: grid.count))
        defer { context.release(size, bytes: Column.byteCount(steps: grid.count)) }
        if selector.refinesResetHints { CounterResetHints.refine(&samples) }
        let labels = found.labels(at: index)
        guard let column = try column(labels, profile) else { return nil }
        var series = VectorSeries(labels: labels, column: column)
        if pipeline.sourceDropsName {
            context.dropName(&series)
            try check(series, 0)
        }
        for (number, stage) in pipeline.stages.enumerated() {
            if let profile {
                // The last operator's result is counted by whoever takes it.
                let inner = number == 0 ? pipeline.sourceID : pipeline.stages[number - 1].id
                if let inner { profile.count(inner, series: 1, samples: series.column.pointCount) }
                profile.enter(stage.id)
            }
            guard stage.apply(&series, context) else { return nil }
            if stage.dropsName { try check(series, number + 1) }
        }
        return series
    }

    private mutating func column(_ labels: LabelSet, _ profile: PlanProfile?) throws -> Column? {
        let read = samples.count + samples.histograms.count
        guard case .windows(let call, _, _, _) = pipeline.source else {
            let column = InstantSelector(plan: selector, grid: grid, context: context).column(labels, samples)
            if column.isEmpty { return nil }
            context.countRead(read, queryable: column.pointCount)
            return column
        }
        if let profile {
            profile.count(selector.id, series: 1, samples: read)
            profile.enter(call.id)
        }
        if samples.hasStaleMarkers { return try function?.apply(labels, samples.withoutStaleMarkers()) }
        return try function?.apply(labels, samples)
    }

    /// The buffer grows to the longest series and stays.
    private mutating func chargeBuffer() throws(QueryError) {
        let bytes = (samples.timestamps.capacity &+ samples.values.capacity) &* 8
        if bytes > chargedBytes {
            try context.hold(0, bytes: bytes - chargedBytes)
            chargedBytes = bytes
        }
    }

    /// Gives back what the buffer was charged.
    mutating func finish() {
        context.release(0, bytes: chargedBytes)
        chargedBytes = 0
    }
}
