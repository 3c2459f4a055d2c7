import PromQLSyntax
import SeriesModel

extension Evaluator {
    func aggregate(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        switch plan.operation {
        case .sum: try fold(plan, grid, SumAccumulator.self, .added(isMean: false), sink)
        case .avg: try fold(plan, grid, MeanAccumulator.self, .added(isMean: true), sink)
        case .count: try fold(plan, grid, CountAccumulator.self, .counted, sink)
        case .group: try fold(plan, grid, GroupAccumulator.self, .counted, sink)
        case .min: try fold(plan, grid, MinimumAccumulator.self, .ignored, sink)
        case .max: try fold(plan, grid, MaximumAccumulator.self, .ignored, sink)
        case .stddev: try fold(plan, grid, DeviationAccumulator.self, .ignored, sink)
        case .stdvar: try fold(plan, grid, VarianceAccumulator.self, .ignored, sink)
        case .quantile: try quantile(plan, grid, sink)
        case .topk, .bottomk: try extremes(plan, grid, sink)
        case .limitk: try limit(plan, grid, sink)
        case .limitRatio: try limitRatio(plan, grid, sink)
        case .countValues: try countValues(plan, grid, sink)
        }
    }

    /// Each series is folded into its group's accumulators and forgotten: groups × steps of memory.
    private func fold<A: Accumulator>(
        _ plan: AggregatePlan, _ grid: Grid, _: A.Type, _ treatment: HistogramTreatment, _ sink: SeriesSink
    ) throws {
        let key = GroupKey(plan)
        var indexes: [LabelSet: Int] = [:]
        var groups: [FoldedGroup<A>] = []
        try vector(plan.operand, grid) { series in
            let labels = key.labels(of: series.labels)
            let index: Int
            if let known = indexes[labels] {
                index = known
            } else {
                try context.hold(grid.count)
                index = groups.count
                indexes[labels] = index
                groups.append(FoldedGroup(labels: labels, count: grid.count))
            }
            groups[index].add(series, treatment, plan, context)
            if series.dropsName, key.keepsName { groups[index].dropsName = true }
        }
        for group in groups {
            let column = group.column(plan, context)
            if !column.isEmpty {
                try sink(VectorSeries(labels: group.labels, dropsName: group.dropsName, column: column))
            }
        }
        context.release(groups.count * grid.count)
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

    init(_ plan: AggregatePlan) {
        if plan.isWithout {
            projection = LabelProjection(dropping: Set(plan.grouping).union(MetricIdentity.labels))
        } else {
            projection = LabelProjection(keeping: Set(plan.grouping))
        }
        keepsName = !plan.isWithout && plan.grouping.contains(Label.metricName)
    }

    func labels(of series: LabelSet) -> LabelSet { projection.apply(to: series) }
}
