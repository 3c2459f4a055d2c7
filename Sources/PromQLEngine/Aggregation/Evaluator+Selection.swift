import PromQLSyntax
import SeriesModel

/// Aggregations that need a group's members side by side: quantile, and those that let some of the members through.
extension Evaluator {
    private struct Group {
        var labels: LabelSet
        var dropsName = false
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
                groups.append(Group(labels: labels))
            }
            groups[index].members.append(series)
            if series.dropsName, key.keepsName { groups[index].dropsName = true }
        }
        return groups
    }

    private func release(_ groups: [Group]) {
        for group in groups { release(group.members) }
    }

    private func noteIgnoredHistograms(_ series: VectorSeries, _ plan: AggregatePlan, at range: SourceRange) {
        guard let histograms = series.column.histograms, !histograms.present.isEmpty else { return }
        context.annotations.info("ignored histogram in \(plan.operation.rawValue) aggregation", at: range)
    }

    func quantile(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let ranks = try parameter(plan, grid)
        for q in [ranks.min(), ranks.max(), ranks.first(where: \.isNaN)].compactMap({ $0 })
        where Quantile.isOutOfRange(q) {
            context.annotations.warn(Quantile.rangeWarning(q), at: plan.parameterRange)
        }
        let groups = try groups(plan, grid)
        var values: [Double] = []
        for group in groups {
            try context.check()
            for member in group.members { noteIgnoredHistograms(member, plan, at: plan.operandRange) }
            var column = Column(count: grid.count)
            for step in 0..<grid.count {
                values.removeAll(keepingCapacity: true)
                for series in group.members where series.column.present.contains(step) {
                    values.append(series.column.values[step])
                }
                if !values.isEmpty { column.set(step, Quantile.of(values, ranks[step])) }
            }
            if !column.isEmpty {
                try sink(VectorSeries(labels: group.labels, dropsName: group.dropsName, column: column))
            }
        }
        release(groups)
    }

    /// topk and bottomk. At one step alone (an instant query) members come in the order of their values.
    func extremes(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let counts = try memberCounts(plan, grid)
        let isTop = plan.operation == .topk
        let groups = try groups(plan, grid)
        for group in groups {
            try context.check()
            for member in group.members { noteIgnoredHistograms(member, plan, at: plan.range) }
            var kept = group.members.map { _ in PresenceBitmap(count: grid.count) }
            var order = Array(group.members.indices)
            var ranked: [(member: Int, value: Double)] = []
            for step in 0..<grid.count where counts[step] > 0 {
                ranked.removeAll(keepingCapacity: true)
                for member in group.members.indices where group.members[member].column.present.contains(step) {
                    ranked.append((member, group.members[member].column.values[step]))
                }
                ranked.sort { Evaluator.precedes($0, $1, isTop: isTop) }
                for (member, _) in ranked.prefix(counts[step]) { kept[member].insert(step) }
                if grid.count == 1 { order = ranked.map(\.member) }
            }
            try push(group.members, kept, order, sink)
        }
        release(groups)
    }

    /// The greater (or less) first, then NaN; equal ones in series order.
    private static func precedes(
        _ a: (member: Int, value: Double), _ b: (member: Int, value: Double), isTop: Bool
    ) -> Bool {
        let (x, y) = (a.value, b.value)
        if x.isNaN || y.isNaN { return x.isNaN == y.isNaN ? a.member < b.member : y.isNaN }
        if x == y { return a.member < b.member }
        return isTop ? x > y : x < y
    }

    func limit(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let counts = try memberCounts(plan, grid)
        let groups = try groups(plan, grid)
        for group in groups {
            try context.check()
            var kept = group.members.map { _ in PresenceBitmap(count: grid.count) }
            var taken = [Int](repeating: 0, count: grid.count)
            for (index, member) in group.members.enumerated() {
                member.column.anyPresent.forEach { step in
                    guard taken[step] < counts[step] else { return }
                    taken[step] += 1
                    kept[index].insert(step)
                }
            }
            try push(group.members, kept, Array(group.members.indices), sink)
        }
        release(groups)
    }

    /// Picks series by their hash, so that the same ones are picked each time, and a ratio and its complement
    /// (`-(1 - r)`) never overlap.
    func limitRatio(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let given = try parameter(plan, grid)
        if given.contains(where: \.isNaN) { throw QueryError.execution("Ratio value is NaN") }
        for (extreme, limit) in [(given.max(), 1.0), (given.min(), -1.0)] {
            guard let extreme, abs(extreme) > 1, extreme.sign == limit.sign else { continue }
            context.annotations.warn(
                "ratio value should be between -1 and 1, got \(NumberText.general(extreme)), capping to "
                    + NumberText.general(limit), at: plan.parameterRange)
        }
        let ratios = given.map { min(1, max(-1, $0)) }
        try vector(plan.operand, grid) { series in
            var series = series
            let position = Double(series.labels.stableHash) / 0x1p64
            for step in 0..<grid.count {
                let ratio = ratios[step]
                let isKept = ratio >= 0 ? position < ratio : position >= 1 + ratio
                if !isKept { series.column.remove(step) }
            }
            if !series.column.isEmpty { try sink(series) }
        }
    }

    private func push(
        _ members: [VectorSeries], _ kept: [PresenceBitmap], _ order: [Int], _ sink: SeriesSink
    ) throws {
        for index in order where !kept[index].isEmpty {
            var series = members[index]
            series.column.formIntersection(kept[index])
            try sink(series)
        }
    }

    /// A literal whose escapes are no UTF-8 has been mended by the parser; it is no label name all the same.
    private func checkLabelName(_ label: String, _ plan: AggregatePlan) throws(QueryError) {
        if !LabelName.isValid(label) { throw .execution("invalid label name \(GoQuote.quote(label))") }
        guard label.contains("\u{FFFD}") else { return }
        let range = plan.parameterRange
        guard range.start >= 0, range.end <= context.query.count, range.start <= range.end else { return }
        let literal = String(decoding: context.query[range.start..<range.end], as: UTF8.self)
        if literal.contains("\\x") || !literal.contains("\u{FFFD}") {
            throw .execution("invalid label name \(literal)")
        }
    }

    func countValues(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        guard let parameter = plan.parameter else { throw QueryError.execution("missing aggregation parameter") }
        let label = try string(parameter)
        try checkLabelName(label, plan)
        // The value label is set on the series, before the grouping decides what stays of it.
        var counted = plan
        if !plan.isWithout { counted.grouping.append(label) }
        let key = GroupKey(counted)
        var indexes: [LabelSet: Int] = [:]
        var groups: [VectorSeries] = []
        try vector(plan.operand, grid) { series in
            func count(_ text: String, _ step: Int) throws {
                let labels = key.labels(of: series.labels.setting(label, text))
                let index = indexes[labels] ?? groups.count
                if index == groups.count {
                    try context.hold(grid.count)
                    indexes[labels] = index
                    groups.append(VectorSeries(labels: labels, column: Column(count: grid.count)))
                }
                groups[index].column.set(step, (groups[index].column[step] ?? 0) + 1)
            }
            try series.column.present.forEach { try count(NumberText.fixed(series.column.values[$0]), $0) }
            try series.column.histograms?.forEach { try count($1.description, $0) }
        }
        for series in groups { try sink(series) }
        context.release(groups.count * grid.count)
    }
}
