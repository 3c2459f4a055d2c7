import PromQLSyntax
import SeriesModel

extension Evaluator {
    func aggregate(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        switch plan.operation {
        case .sum: try fold(plan, grid, SumRows.self, .added(isMean: false), sink)
        case .avg: try fold(plan, grid, Rows<MeanAccumulator>.self, .added(isMean: true), sink)
        case .count: try fold(plan, grid, Rows<CountAccumulator>.self, .counted, sink)
        case .group: try fold(plan, grid, Rows<GroupAccumulator>.self, .counted, sink)
        case .min: try fold(plan, grid, Rows<MinimumAccumulator>.self, .ignored, sink)
        case .max: try fold(plan, grid, Rows<MaximumAccumulator>.self, .ignored, sink)
        case .stddev: try fold(plan, grid, Rows<DeviationAccumulator>.self, .ignored, sink)
        case .stdvar: try fold(plan, grid, Rows<VarianceAccumulator>.self, .ignored, sink)
        case .quantile: try quantile(plan, grid, sink)
        case .topk, .bottomk: try extremes(plan, grid, sink)
        case .limitk: try limit(plan, grid, sink)
        case .limitRatio: try limitRatio(plan, grid, sink)
        case .countValues: try countValues(plan, grid, sink)
        }
    }

    /// Each series is folded into its group's accumulators and forgotten: groups × steps of memory at most.
    private func fold<A: ColumnAccumulator>(
        _ plan: AggregatePlan, _ grid: Grid, _: A.Type, _ treatment: HistogramTreatment, _ sink: SeriesSink
    ) throws {
        try withoutActuallyEscaping(sink) { sink in
            var folding = Folding<A>(
                plan: plan, treatment: treatment, keepsName: GroupKey(plan).keepsName, stepCount: grid.count,
                context: context, sink: sink)
            try eachGroup(plan, grid, &folding)
        }
    }

    // MARK: Parameters

    /// One value for each step.
    func parameter(_ plan: AggregatePlan, _ grid: Grid) throws -> [Double] {
        guard let parameter = plan.parameter else { throw QueryError.execution("missing aggregation parameter") }
        return try scalar(parameter, grid)
    }

    /// k for each step.
    func memberCounts(_ plan: AggregatePlan, _ grid: Grid) throws -> [Int] {
        try parameter(plan, grid).map { value in
            guard !value.isNaN else { throw QueryError.execution("Parameter value is NaN") }
            guard value < 9_223_372_036_854_775_808, value > -9_223_372_036_854_775_808,
                let count = Int64(clamping: value)
            else {
                let side = value < 0 ? "underflows" : "overflows"
                throw QueryError.execution("Scalar value \(NumberText.general(value)) \(side) int64")
            }
            return Int(clamping: max(0, count))
        }
    }
}

/// The labels of the group that a series belongs to.
struct GroupKey {
    private let projection: LabelProjection
    /// Whether groups have metric names, so that their removal may still be due.
    let keepsName: Bool
    /// Whether groups depend on the labels that a function takes off.
    let namesIdentity: Bool

    init(_ plan: AggregatePlan) {
        if plan.isWithout {
            projection = LabelProjection(dropping: Set(plan.grouping).union(MetricIdentity.labels))
        } else {
            projection = LabelProjection(keeping: Set(plan.grouping))
        }
        keepsName = !plan.isWithout && plan.grouping.contains(Label.metricName)
        namesIdentity = !plan.isWithout && plan.grouping.contains { MetricIdentity.labels.contains($0) }
    }

    func labels(of series: LabelSet) -> LabelSet { projection.apply(to: series) }
}

/// The groups of a fold that are open.
private struct Folding<A: ColumnAccumulator>: GroupSink {
    let plan: AggregatePlan
    let treatment: HistogramTreatment
    let keepsName: Bool
    let stepCount: Int
    let context: EvaluationContext
    let sink: SeriesSink
    private var groups: [FoldedGroup<A>?] = []

    init(
        plan: AggregatePlan, treatment: HistogramTreatment, keepsName: Bool, stepCount: Int,
        context: EvaluationContext, sink: @escaping SeriesSink
    ) {
        self.plan = plan
        self.treatment = treatment
        self.keepsName = keepsName
        self.stepCount = stepCount
        self.context = context
        self.sink = sink
    }

    private var bytes: Int { stepCount &* A.stride &+ Column.byteCount(steps: stepCount) }

    mutating func add(_ series: VectorSeries, group: Int, labels: LabelSet) throws {
        while groups.count <= group { groups.append(nil) }
        if groups[group] == nil {
            try context.hold(stepCount, bytes: bytes)
            groups[group] = FoldedGroup(labels: labels, count: stepCount)
        }
        groups[group]?.add(series, treatment, plan, context)
        if series.dropsName, keepsName { groups[group]?.dropsName = true }
    }

    mutating func finish(group: Int) throws {
        guard group < groups.count, let finished = groups[group] else { return }
        groups[group] = nil
        let column = finished.column(plan, context)
        if !column.isEmpty {
            try sink(VectorSeries(labels: finished.labels, dropsName: finished.dropsName, column: column))
        }
        context.release(stepCount, bytes: bytes)
    }
}
