import PromQLSyntax
import SeriesModel

/// A function of a range vector, ready to be applied to one series after the other: for each step the samples of one
/// window. Both edges only move forwards, so each sample enters and leaves once.
struct RangeFunction {
    private let plan: CallPlan
    private let range: RangePlan
    private let grid: Grid
    private let context: EvaluationContext
    private let kernel: WindowKernel
    private let mixed: MixedKernel
    private let usesStarts: Bool
    /// For functions that compute all windows in one pass.
    private var tables: WindowTables?
    private var call: WindowCall
    /// Whether names are still looked at; one look is enough where all series have the same.
    private var suspectsGauges: Bool
    private let hasOneName: Bool

    /// - Parameter parameters: one value for each step.
    init?(
        _ plan: CallPlan, _ range: RangePlan, _ parameters: [[Double]], _ grid: Grid, _ context: EvaluationContext
    ) {
        guard case .window(let kernel, let mixed) = plan.function.kernel else { return nil }
        self.plan = plan
        self.range = range
        self.grid = grid
        self.context = context
        self.kernel = kernel
        self.mixed = mixed
        usesStarts = context.options.usesStartTimestamps
        if plan.function.series != nil, range.rangeExtension == .none {
            tables = WindowTables(range, grid, hasStretches: plan.function.needsStretches)
        }
        call = WindowCall(
            function: plan.function.name, range: range, parameters: parameters,
            argumentRanges: plan.expressions.map(\.range), context: context)
        suspectsGauges = plan.function.name == "rate" || plan.function.name == "increase"
        if case .selector(let selector) = range.source, !context.options.enablesTypeAndUnitLabels {
            hasOneName = selector.pinsMetric
        } else {
            hasOneName = false
        }
    }

    /// - Parameter samples: without stale markers.
    /// - Returns: nil where there is no value at any step.
    mutating func apply(_ labels: LabelSet, _ samples: borrowing SampleBuffer) throws -> Column? {
        var column = Column(count: grid.count)
        if !samples.histograms.isEmpty {
            call.metricName = labels.metricName ?? ""
            try computeMixed(samples, &column)
        } else if let series = plan.function.series, tables != nil, samples.count < Int(Int32.max),
            !usesStarts || samples.startTimestamps.isEmpty
        {
            computeSeries(series, samples, &column)
        } else {
            call.metricName = labels.metricName ?? ""
            try computeWindows(samples, &column)
        }
        if column.isEmpty { return nil }
        if suspectsGauges, !column.present.isEmpty {
            noteGauge(labels)
            suspectsGauges = !hasOneName
        }
        return column
    }

    private mutating func computeSeries(
        _ series: SeriesKernel, _ samples: borrowing SampleBuffer, _ column: inout Column
    ) {
        var touched = 0
        samples.timestamps.withUnsafeBufferPointer { times in
            samples.values.withUnsafeBufferPointer { values in
                tables?.with(times) { table in
                    touched = table.touched
                    table.lows.withUnsafeBufferPointer { lows in
                        table.highs.withUnsafeBufferPointer { highs in
                            table.stretches.withUnsafeBufferPointer { stretches in
                                series(
                                    SeriesWindows(
                                        times: times, values: values, lows: lows, highs: highs, stretches: stretches,
                                        width: range.width), &column)
                            }
                        }
                    }
                }
            }
        }
        context.countRead(samples.count, queryable: touched)
    }

    private mutating func computeWindows(_ samples: borrowing SampleBuffer, _ column: inout Column) throws {
        let count = samples.count
        let hasStarts = usesStarts && samples.startTimestamps.count == count
        var touched = 0
        try samples.timestamps.withUnsafeBufferPointer { times in
            try samples.values.withUnsafeBufferPointer { values in
                try samples.startTimestamps.withUnsafeBufferPointer { known in
                    let starts = hasStarts ? known : UnsafeBufferPointer(start: nil, count: 0)
                    var edges = WindowEdges()
                    for step in 0..<grid.count {
                        if step & 63 == 63 { try context.check() }
                        let end = range.reference(grid.time(step))
                        let start = end &- range.width
                        edges.advance(times, start: start, end: end)
                        guard edges.count > 0 || range.rangeExtension != .none else { continue }
                        touched &+= edges.count
                        let window = Window(
                            times: times, values: values, starts: starts, low: edges.low, high: edges.high,
                            start: start, end: end, step: step, evaluationTime: grid.time(step))
                        if let value = try kernel(window, &call) { column.set(step, value) }
                    }
                }
            }
        }
        context.countRead(count, queryable: touched)
    }

    /// The same for a series that has histograms.
    private mutating func computeMixed(_ samples: borrowing SampleBuffer, _ column: inout Column) throws {
        let histogramTimes = samples.histogramTimestamps
        let histograms = samples.histograms
        let histogramStarts = usesStarts ? samples.histogramStartTimestamps : []
        var touched = 0
        try samples.timestamps.withUnsafeBufferPointer { times in
            try samples.values.withUnsafeBufferPointer { values in
                try samples.startTimestamps.withUnsafeBufferPointer { known in
                    let hasStarts = usesStarts && known.count == times.count
                    var floats = WindowEdges()
                    var others = WindowEdges()
                    for step in 0..<grid.count {
                        try context.check()
                        let end = range.reference(grid.time(step))
                        let start = end &- range.width
                        floats.advance(times, start: start, end: end)
                        histogramTimes.withUnsafeBufferPointer { others.advance($0, start: start, end: end) }
                        guard floats.count + others.count > 0 || range.rangeExtension != .none else { continue }
                        touched &+= floats.count + others.count
                        let window = MixedWindow(
                            floats: Window(
                                times: times, values: values,
                                starts: hasStarts ? known : UnsafeBufferPointer(start: nil, count: 0),
                                low: floats.low, high: floats.high, start: start, end: end, step: step,
                                evaluationTime: grid.time(step)),
                            times: histogramTimes[others.low..<others.high],
                            histograms: histograms[others.low..<others.high], starts: histogramStarts,
                            allTimes: histogramTimes, allHistograms: histograms)
                        switch try mixed(window, &call) {
                        case .float(let value)?: column.set(step, value)
                        case .histogram(let histogram)?: column.set(step, histogram)
                        case nil: break
                        }
                    }
                }
            }
        }
        context.countRead(samples.count + histograms.count, queryable: touched)
    }

    /// A rate of floats whose name does not sound like a counter's.
    private func noteGauge(_ labels: LabelSet) {
        if context.options.enablesTypeAndUnitLabels {
            let type = labels["__type__"] ?? ""
            guard type != "counter", type != "histogram", let name = labels.metricName, !name.isEmpty else { return }
            context.annotations.info(
                "metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\", "
                    + "got \(GoQuote.quote(type)): \(GoQuote.quote(name))", at: call.firstArgumentRange)
            return
        }
        guard let name = labels.metricName, !name.isEmpty else { return }
        for suffix in ["_total", "_sum", "_count", "_bucket"] where name.hasSuffix(suffix) { return }
        context.annotations.info(
            "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \(GoQuote.quote(name))",
            at: call.firstArgumentRange)
    }
}
