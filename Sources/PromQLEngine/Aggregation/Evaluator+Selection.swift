import PromQLSyntax
import SeriesModel

/// quantile, which needs a group's members side by side, and aggregations that let some of the members through.
extension Evaluator {
    private func noteIgnoredHistograms(_ series: VectorSeries, _ plan: AggregatePlan, at range: SourceRange) {
        guard let histograms = series.column.histograms, !histograms.present.isEmpty else { return }
        context.annotations.info("ignored histogram in \(plan.operation.rawValue) aggregation", at: range)
    }

    func quantile(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let ranks = try parameter(plan, grid)
        // Of many that are out of range the farthest on each side are told.
        let numbers = ranks.filter { !$0.isNaN }
        let strays = [numbers.min().flatMap { $0 < 0 ? $0 : nil }, numbers.max().flatMap { $0 > 1 ? $0 : nil }]
        for q in strays.compactMap({ $0 }) + (numbers.count < ranks.count ? [.nan] : []) {
            context.annotations.warn(Quantile.rangeWarning(q), at: plan.parameterRange)
        }
        try withoutActuallyEscaping(sink) { sink in
            var members = Members(
                keepsName: GroupKey(plan).keepsName, context: context,
                note: { noteIgnoredHistograms($0, plan, at: plan.operandRange) }
            ) { members, labels, dropsName in
                let column = try quantile(members, ranks, grid)
                if !column.isEmpty {
                    try sink(VectorSeries(labels: labels, dropsName: dropsName, column: column))
                }
            }
            try eachGroup(plan, grid, &members)
        }
    }

    private func quantile(_ members: [VectorSeries], _ ranks: [Double], _ grid: Grid) throws -> Column {
        var values: [Double] = []
        var column = Column(count: grid.count)
        for step in 0..<grid.count {
            if step & 63 == 63 { try context.check() }
            values.removeAll(keepingCapacity: true)
            for index in members.indices where members[index].column.present.contains(step) {
                values.append(members[index].column.values[step])
            }
            if !values.isEmpty { column.set(step, Quantile.of(&values, ranks[step])) }
        }
        return column
    }

    /// topk and bottomk. At one step alone (an instant query) members come in the order of their values.
    func extremes(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let counts = try memberCounts(plan, grid)
        let key = GroupKey(plan)
        var indexes: [LabelSet: Int] = [:]
        var groups: [RankedGroup] = []
        let keepsAny = counts.contains { $0 > 0 }
        try vector(plan.operand, grid) { series in
            if keepsAny { noteIgnoredHistograms(series, plan, at: plan.range) }
            let labels = key.labels(of: series.labels)
            let index = indexes[labels] ?? groups.count
            if index == groups.count {
                indexes[labels] = index
                groups.append(RankedGroup(isTop: plan.operation == .topk, counts: counts))
            }
            try groups[index].add(series, context)
        }
        for group in groups {
            try context.check()
            for series in group.series { try sink(series) }
            group.release(context)
        }
    }

    /// The first members of each group, in series order.
    func limit(_ plan: AggregatePlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let counts = try memberCounts(plan, grid)
        let key = GroupKey(plan)
        var taken: [LabelSet: [Int32]] = [:]
        let bytes = grid.count &* MemoryLayout<Int32>.stride
        try vector(plan.operand, grid) { series in
            let labels = key.labels(of: series.labels)
            if taken[labels] == nil {
                try context.hold(grid.count, bytes: bytes)
                taken[labels] = [Int32](repeating: 0, count: grid.count)
            }
            var kept = PresenceBitmap(count: grid.count)
            series.column.anyPresent.forEach { step in
                guard let before = taken[labels]?[step], Int(before) < counts[step] else { return }
                taken[labels]?[step] = before + 1
                kept.insert(step)
            }
            if kept.isEmpty { return }
            var series = series
            series.column.formIntersection(kept)
            try sink(series)
        }
        context.release(taken.count * grid.count, bytes: taken.count * bytes)
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
                    try context.hold(grid.count, bytes: Column.byteCount(steps: grid.count))
                    indexes[labels] = index
                    groups.append(VectorSeries(labels: labels, column: Column(count: grid.count)))
                }
                groups[index].column.set(step, (groups[index].column[step] ?? 0) + 1)
            }
            try series.column.present.forEach { try count(NumberText.fixed(series.column.values[$0]), $0) }
            try series.column.histograms?.forEach { try count($1.description, $0) }
        }
        for series in groups { try sink(series) }
        context.release(groups.count * grid.count, bytes: groups.count * Column.byteCount(steps: grid.count))
    }
}

/// Holds the members of each group until it is complete.
private struct Members: GroupSink {
    let keepsName: Bool
    let context: EvaluationContext
    let note: (VectorSeries) -> Void
    let complete: ([VectorSeries], LabelSet, _ dropsName: Bool) throws -> Void
    private var groups: [Int: (members: [VectorSeries], labels: LabelSet, dropsName: Bool)] = [:]

    init(
        keepsName: Bool, context: EvaluationContext, note: @escaping (VectorSeries) -> Void,
        complete: @escaping ([VectorSeries], LabelSet, Bool) throws -> Void
    ) {
        self.keepsName = keepsName
        self.context = context
        self.note = note
        self.complete = complete
    }

    mutating func add(_ series: VectorSeries, group: Int, labels: LabelSet) throws {
        note(series)
        try context.hold(series)
        groups[group, default: ([], labels, false)].members.append(series)
        if series.dropsName, keepsName { groups[group]?.dropsName = true }
    }

    mutating func finish(group: Int) throws {
        guard let (members, labels, dropsName) = groups.removeValue(forKey: group) else { return }
        try complete(members, labels, dropsName)
        for member in members { context.release(member) }
    }
}
