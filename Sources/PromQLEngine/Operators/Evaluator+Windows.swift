import PromQLSyntax
import SeriesModel
import StorageAPI

extension Evaluator {
    /// A function of a range vector: for each series and step the samples of one window. Both edges only move
    /// forwards, so each sample enters and leaves once.
    func windows(
        _ plan: CallPlan, _ kernel: WindowKernel, _ mixed: MixedKernel, _ grid: Grid, _ sink: SeriesSink
    ) throws {
        guard let position = plan.arguments.firstIndex(where: \.isRange),
            case .range(let range) = plan.arguments[position]
        else { throw QueryError.execution("missing range vector") }
        var parameters: [[Double]] = []
        for (index, argument) in plan.arguments.enumerated() where index != position {
            parameters.append(try scalar(argument, grid))
        }
        var call = WindowCall(
            function: plan.function.name, range: range, parameters: parameters,
            argumentRanges: plan.expressions.map(\.range), context: context)
        var guardian = DuplicateGuard()
        let suspectsGauges = plan.function.name == "rate" || plan.function.name == "increase"
        try eachRangeSeries(range, grid) { labels, dropsName, samples in
            call.metricName = labels.metricName ?? ""
            var column = Column(count: grid.count)
            if samples.histograms.isEmpty {
                try compute(kernel, &call, samples, grid, &column)
            } else {
                try compute(mixed, &call, samples, grid, &column)
            }
            if column.isEmpty { return }
            if suspectsGauges, !column.present.isEmpty { noteGauge(labels, call) }
            var series = VectorSeries(labels: labels, dropsName: dropsName, column: column)
            if plan.function.dropsName { dropName(&series) }
            try guardian.check(series)
            try sink(series)
        }
    }

    private func compute(
        _ kernel: WindowKernel, _ call: inout WindowCall, _ samples: borrowing SampleBuffer, _ grid: Grid,
        _ column: inout Column
    ) throws {
        let range = call.range
        let count = samples.count
        let usesStarts = context.options.usesStartTimestamps && samples.startTimestamps.count == count
        var touched = 0
        try samples.timestamps.withUnsafeBufferPointer { times in
            try samples.values.withUnsafeBufferPointer { values in
                try samples.startTimestamps.withUnsafeBufferPointer { known in
                    let starts = usesStarts ? known : UnsafeBufferPointer(start: nil, count: 0)
                    var low = 0
                    var high = 0
                    for step in 0..<grid.count {
                        if step & 255 == 255 { try context.check() }
                        let end = range.reference(grid.time(step))
                        let start = end &- range.width
                        while low < count, times[low] <= start { low &+= 1 }
                        if high < low { high = low }
                        while high < count, times[high] <= end { high &+= 1 }
                        guard high > low || range.rangeExtension != .none else { continue }
                        touched &+= high &- low
                        let window = Window(
                            times: times, values: values, starts: starts, low: low, high: high, start: start,
                            end: end, step: step, evaluationTime: grid.time(step))
                        if let value = try kernel(window, &call) { column.set(step, value) }
                    }
                }
            }
        }
        context.countRead(count, queryable: touched)
    }

    /// The same for a series that has histograms.
    private func compute(
        _ kernel: MixedKernel, _ call: inout WindowCall, _ samples: borrowing SampleBuffer, _ grid: Grid,
        _ column: inout Column
    ) throws {
        let range = call.range
        let usesStarts = context.options.usesStartTimestamps
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
                        switch try kernel(window, &call) {
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
    private func noteGauge(_ labels: LabelSet, _ call: WindowCall) {
        let name = call.metricName
        guard !name.isEmpty else { return }
        if context.options.enablesTypeAndUnitLabels {
            let type = labels["__type__"] ?? ""
            if type != "counter", type != "histogram" {
                context.annotations.info(
                    "metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\", "
                        + "got \(GoQuote.quote(type)): \(GoQuote.quote(name))", at: call.firstArgumentRange)
            }
            return
        }
        for suffix in ["_total", "_sum", "_count", "_bucket"] where name.hasSuffix(suffix) { return }
        context.annotations.info(
            "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \(GoQuote.quote(name))",
            at: call.firstArgumentRange)
    }

    // MARK: Range vectors

    /// Every series of a range selector or subquery, stale markers taken out, with all samples its windows may need.
    func eachRangeSeries(
        _ range: RangePlan, _ grid: Grid, _ body: (LabelSet, Bool, borrowing SampleBuffer) throws -> Void
    ) throws {
        switch range.source {
        case .selector(let plan):
            try eachSelected(plan, grid) { labels, samples in
                if samples.values.contains(where: StaleMarker.isStale) {
                    try body(labels, false, samples.withoutStaleMarkers())
                } else {
                    try body(labels, false, samples)
                }
            }
        case .subquery(let inner, let innerGrid):
            var samples = SampleBuffer()
            try seriesOfSubquery(inner, innerGrid) { series in
                samples.removeAll()
                series.column.present.forEach { samples.append(innerGrid.time($0), series.column.values[$0]) }
                series.column.histograms?.forEach { step, histogram in
                    samples.append(innerGrid.time(step), CounterResetHints.forgotten(histogram))
                }
                try body(series.labels, series.dropsName, samples)
            }
        }
    }

    /// Inner steps of one series may come in pieces (series that differ in time only): they are joined first.
    private func seriesOfSubquery(_ inner: PlanNode, _ grid: Grid, _ sink: SeriesSink) throws {
        if inner.isScalar {
            return try sink(VectorSeries(labels: .empty, column: Column(values: try scalar(inner, grid))))
        }
        if inner.hasWholeSeries { return try vector(inner, grid, sink) }
        var collector = SeriesCollector(context: context)
        try vector(inner, grid) { try collector.add($0) }
        for series in collector.series { try sink(series) }
        collector.release()
    }
}

/// The samples of a window, as indexes `low ..< high` that only move forwards.
struct WindowEdges {
    private(set) var low = 0
    private(set) var high = 0

    var count: Int { high &- low }

    mutating func advance(_ times: UnsafeBufferPointer<Timestamp>, start: Timestamp, end: Timestamp) {
        while low < times.count, times[low] <= start { low &+= 1 }
        if high < low { high = low }
        while high < times.count, times[high] <= end { high &+= 1 }
    }
}

extension PlanNode {
    var isRange: Bool {
        if case .range = self { return true }
        return false
    }

    var isScalar: Bool {
        switch self {
        case .number: return true
        case .negate(_, let isScalar), .stepInvariant(_, let isScalar): return isScalar
        case .binary(let plan): return plan.isLeftScalar && plan.isRightScalar
        case .call(let plan):
            if case .scalar = plan.function.kernel { return true }
            return false
        default: return false
        }
    }

    /// Whether each series comes in one piece: nothing on the way has taken a label off.
    var hasWholeSeries: Bool {
        switch self {
        case .selector: true
        case .stepInvariant(let inner, _): inner.hasWholeSeries
        case .aggregate(let plan): plan.operation.makesGroups
        default: false
        }
    }
}

extension AggregationOperator {
    /// One series a group comes out, rather than the series that went in.
    var makesGroups: Bool {
        switch self {
        case .topk, .bottomk, .limitk, .limitRatio: false
        default: true
        }
    }
}
