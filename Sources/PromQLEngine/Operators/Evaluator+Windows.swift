import PromQLSyntax
import SeriesModel
import StorageAPI

extension Evaluator {
    /// A function of a subquery. (Functions of selectors are part of a pipeline.)
    func windows(_ plan: CallPlan, _ range: RangePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let parameters = try rangeParameters(plan, grid)
        guard var function = RangeFunction(plan, range, parameters, grid, context) else { return }
        var guardian = DuplicateGuard()
        let bytes = Column.byteCount(steps: grid.count)
        try context.hold(0, bytes: bytes)
        try eachRangeSeries(range, grid) { labels, dropsName, samples in
            guard let column = try function.apply(labels, samples) else { return }
            var series = VectorSeries(labels: labels, dropsName: dropsName, column: column)
            if plan.function.dropsName { dropName(&series) }
            try guardian.check(series)
            try sink(series)
        }
        context.release(0, bytes: bytes)
    }

    /// The arguments of a range function besides its range vector: one value for each step.
    func rangeParameters(_ plan: CallPlan, _ grid: Grid) throws -> [[Double]] {
        var parameters: [[Double]] = []
        for argument in plan.arguments where !argument.isRange { parameters.append(try scalar(argument, grid)) }
        return parameters
    }

    // MARK: Range vectors

    /// Every series of a range selector or subquery, stale markers taken out, with all samples its windows may need.
    func eachRangeSeries(
        _ range: RangePlan, _ grid: Grid, _ body: (LabelSet, Bool, borrowing SampleBuffer) throws -> Void
    ) throws {
        switch range.source {
        case .selector(let plan):
            try eachSelected(plan, grid) { labels, samples in
                if samples.hasStaleMarkers {
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

extension CallPlan {
    /// The range vector that a window function takes.
    var rangeArgument: RangePlan? {
        for argument in arguments {
            if case .range(let range) = argument { return range }
        }
        return nil
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
        case .negate(let plan), .stepInvariant(let plan): return plan.isScalar
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
        case .stepInvariant(let plan): plan.operand.hasWholeSeries
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
