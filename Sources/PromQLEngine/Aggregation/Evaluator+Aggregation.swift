import PromQLSyntax
import SeriesModel

extension Evaluator {
    func aggregate(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        switch plan.operation {
        case .sum: try fold(plan, grid, SumAccumulator.self, sink)
        case .avg: try fold(plan, grid, MeanAccumulator.self, sink)
        case .count: try fold(plan, grid, CountAccumulator.self, sink)
        case .min: try fold(plan, grid, MinimumAccumulator.self, sink)
        case .max: try fold(plan, grid, MaximumAccumulator.self, sink)
        case .group: try fold(plan, grid, GroupAccumulator.self, sink)
        case .stddev: try fold(plan, grid, DeviationAccumulator.self, sink)
        case .stdvar: try fold(plan, grid, VarianceAccumulator.self, sink)
        case .quantile: try quantile(plan, grid, sink)
        case .topk, .bottomk: try extremes(plan, grid, sink)
        case .limitk: try limit(plan, grid, sink)
        case .limitRatio: try limitRatio(plan, grid, sink)
        case .countValues: try countValues(plan, grid, sink)
        }
    }

    /// Each series is folded into its group's accumulators and forgotten: groups × steps of memory.
    private func fold<A: Accumulator>(
        _ plan: AggregatePlan, _ grid: Grid, _: A.Type, _ sink: SeriesSink
    ) throws {
        let key = GroupKey(plan)
        var indexes: [LabelSet: Int] = [:]
        var groups: [(labels: LabelSet, dropsName: Bool, rows: [A], present: PresenceBitmap)] = []
        try vector(plan.operand, grid) { series in
            let labels = key.labels(of: series.labels)
            let index: Int
            if let known = indexes[labels] {
                index = known
            } else {
                try context.hold(grid.count)
                index = groups.count
                indexes[labels] = index
                groups.append(
                    (
                        labels, series.dropsName && key.keepsName, [A](repeating: A(), count: grid.count),
                        PresenceBitmap(count: grid.count)
                    ))
            }
            groups[index].rows.withUnsafeMutableBufferPointer { rows in
                series.column.values.withUnsafeBufferPointer { values in
                    series.column.present.forEach { rows[$0].add(values[$0]) }
                }
            }
            groups[index].present.formUnion(series.column.present)
        }
        for group in groups {
            var column = Column(count: grid.count)
            group.present.forEach { column.values[$0] = group.rows[$0].result }
            column.present = group.present
            try sink(VectorSeries(labels: group.labels, dropsName: group.dropsName, column: column))
        }
        context.release(groups.count * grid.count)
    }

    // MARK: Those that need a whole group

    private struct Group {
        var labels: LabelSet
        var dropsName: Bool
        var members: [VectorSeries] = []
    }

    private func groups(_ plan: AggregatePlan, _ grid: Grid) throws -> [Group] {
        let key = GroupKey(plan)
        var indexes: [LabelSet: Int] = [:]
        var groups: [Group] = []
        for series in try materialize(plan.operand, grid) {
            let labels = key.labels(of: series.labels)
            let index = indexes[labels] ?? groups.count
            if index == groups.count {
                indexes[labels] = index
                groups.append(Group(labels: labels, dropsName: series.dropsName && key.keepsName))
            }
            groups[index].members.append(series)
        }
        return groups
    }

    private func release(_ groups: [Group]) {
        for group in groups { release(group.members) }
    }

    private func parameter(_ plan: AggregatePlan, _ grid: Grid) throws -> [Double] {
        guard let parameter = plan.parameter else { throw QueryError.execution("missing aggregation parameter") }
        return try scalar(parameter, grid)
    }

    private func quantile(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let ranks = try parameter(plan, grid)
        for q in ranks where q.isNaN || q < 0 || q > 1 {
            context.annotations.warn(Quantile.rangeWarning(q), at: plan.parameterRange)
        }
        let groups = try groups(plan, grid)
        var values: [Double] = []
        for group in groups {
            try context.check()
            var column = Column(count: grid.count)
            for step in 0..<grid.count {
                values.removeAll(keepingCapacity: true)
                for series in group.members where series.column.present.contains(step) {
                    values.append(series.column.values[step])
                }
                if !values.isEmpty { column.set(step, Quantile.of(values, ranks[step])) }
            }
            try sink(VectorSeries(labels: group.labels, dropsName: group.dropsName, column: column))
        }
        release(groups)
    }

    private func extremes(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let counts = try memberCounts(plan, grid)
        let isTop = plan.operation == .topk
        let groups = try groups(plan, grid)
        for group in groups {
            try context.check()
            var kept = group.members.map { _ in PresenceBitmap(count: grid.count) }
            var order: [Int] = []
            for step in 0..<grid.count where counts[step] > 0 {
                order = group.members.indices.filter { group.members[$0].column.present.contains(step) }
                let values = order.map { group.members[$0].column.values[step] }
                let ranked = values.indices.sorted { a, b in
                    let (x, y) = (values[a], values[b])
                    if x.isNaN || y.isNaN { return !x.isNaN && y.isNaN || (x.isNaN == y.isNaN && a < b) }
                    return x == y ? a < b : (isTop ? x > y : x < y)
                }
                order = ranked.prefix(counts[step]).map { order[$0] }
                for member in order { kept[member].insert(step) }
            }
            // The answer of an instant query lists the best first.
            let sequence = grid.count == 1 ? order : Array(group.members.indices)
            try push(group.members, kept, sequence, sink)
        }
        release(groups)
    }

    private func limit(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let counts = try memberCounts(plan, grid)
        let groups = try groups(plan, grid)
        for group in groups {
            var kept = group.members.map { _ in PresenceBitmap(count: grid.count) }
            for step in 0..<grid.count {
                let present = group.members.indices.filter { group.members[$0].column.present.contains(step) }
                for member in present.prefix(counts[step]) { kept[member].insert(step) }
            }
            try push(group.members, kept, Array(group.members.indices), sink)
        }
        release(groups)
    }

    /// Picks series by their hash, so that the same ones are picked each time, and a ratio and its complement
    /// (`-(1 - r)`) never overlap.
    private func limitRatio(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let ratios = try parameter(plan, grid).map { ratio -> Double in
            if ratio > 1 || ratio < -1 {
                let used = ratio > 1 ? 1.0 : -1.0
                context.annotations.warn(
                    "ratio value should be between -1 and 1, got \(NumberText.general(ratio)), capping to "
                        + NumberText.general(used), at: plan.parameterRange)
                return used
            }
            return ratio
        }
        if ratios.contains(where: \.isNaN) { throw QueryError.execution("Ratio value is NaN") }
        try vector(plan.operand, grid) { series in
            var series = series
            let position = Double(series.labels.stableHash) / 0x1p64
            for step in 0..<grid.count {
                let ratio = ratios[step]
                let isKept = ratio >= 0 ? position < ratio : position >= 1 + ratio
                if !isKept { series.column.present.remove(step) }
            }
            if !series.column.present.isEmpty { try sink(series) }
        }
    }

    private func memberCounts(_ plan: AggregatePlan, _ grid: Grid) throws -> [Int] {
        try parameter(plan, grid).map { value in
            guard !value.isNaN else { throw QueryError.execution("Parameter value is NaN") }
            guard value < 9_223_372_036_854_775_808, value >= -9_223_372_036_854_775_808,
                let count = Int64(clamping: value)
            else {
                let side = value < 0 ? "underflows" : "overflows"
                throw QueryError.execution("Scalar value \(NumberText.general(value)) \(side) int64")
            }
            return Int(clamping: max(0, count))
        }
    }

    private func push(
        _ members: [VectorSeries], _ kept: [PresenceBitmap], _ order: [Int], _ sink: SeriesSink
    ) throws {
        for index in order where !kept[index].isEmpty {
            var series = members[index]
            series.column.present = kept[index]
            try sink(series)
        }
    }

    private func countValues(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        guard let parameter = plan.parameter else { throw QueryError.execution("missing aggregation parameter") }
        let label = try string(parameter)
        guard LabelName.isValid(label) else { throw QueryError.execution("invalid label name \(GoQuote.quote(label))") }
        let key = GroupKey(plan)
        var indexes: [LabelSet: Int] = [:]
        var counted: [VectorSeries] = []
        try vector(plan.operand, grid) { series in
            let base = key.labels(of: series.labels)
            try series.column.present.forEach { step in
                let labels = base.setting(label, NumberText.fixed(series.column.values[step]))
                let index = indexes[labels] ?? counted.count
                if index == counted.count {
                    try context.hold(grid.count)
                    indexes[labels] = index
                    counted.append(VectorSeries(labels: labels, column: Column(count: grid.count)))
                }
                counted[index].column.set(step, (counted[index].column[step] ?? 0) + 1)
            }
        }
        for series in counted { try sink(series) }
        context.release(counted.count * grid.count)
    }
}

/// The labels of the group that a series belongs to.
struct GroupKey {
    private let labels: Set<String>
    private let isWithout: Bool

    init(_ plan: AggregatePlan) {
        isWithout = plan.isWithout
        labels = isWithout ? Set(plan.grouping).union(MetricIdentity.labels) : Set(plan.grouping)
    }

    /// Whether groups have metric names, so that their removal may still be due.
    var keepsName: Bool { !isWithout && labels.contains(Label.metricName) }

    func labels(of series: LabelSet) -> LabelSet {
        if isWithout { return series.dropping(labels) }
        return labels.isEmpty ? .empty : series.keeping(labels)
    }
}
