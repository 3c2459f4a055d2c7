import PromQLSyntax
import SeriesModel

/// Joins two vectors by the labels that a binary operator matches on.
struct SeriesJoin {
    let plan: BinaryPlan
    let matching: VectorMatching
    let grid: Grid
    let evaluator: Evaluator
    private let labels: Set<String>

    init(plan: BinaryPlan, matching: VectorMatching, grid: Grid, evaluator: Evaluator) {
        self.plan = plan
        self.matching = matching
        self.grid = grid
        self.evaluator = evaluator
        labels = Set(matching.labels)
    }

    /// What two series must share to belong together.
    func signature(_ series: LabelSet) -> LabelSet {
        matching.isOn ? series.keeping(labels) : series.dropping(labels.union([Label.metricName]))
    }

    // MARK: Set operators

    func set(_ left: [VectorSeries], _ right: [VectorSeries], _ sink: SeriesSink) throws {
        let isOr = plan.operation == .or
        var held: [LabelSet: PresenceBitmap] = [:]
        for series in isOr ? left : right {
            held[signature(series.labels), default: PresenceBitmap(count: grid.count)]
                .formUnion(series.column.present)
        }
        if isOr { for series in left { try sink(series) } }
        for var series in isOr ? right : left {
            let other = held[signature(series.labels)]
            let keepsCommon = plan.operation == .and
            for step in 0..<grid.count where (other?.contains(step) ?? false) != keepsCommon {
                series.column.present.remove(step)
            }
            if !series.column.present.isEmpty { try sink(series) }
        }
    }

    // MARK: Arithmetic and comparison

    /// One-to-one, or many-to-one; `group_right` is the mirror image of `group_left`.
    func pairs(_ left: [VectorSeries], _ right: [VectorSeries], _ sink: SeriesSink) throws {
        let isSwapped = matching.cardinality == .oneToMany
        let (many, one) = isSwapped ? (right, left) : (left, right)
        var groups: [LabelSet: [Int]] = [:]
        for (index, series) in one.enumerated() { groups[signature(series.labels), default: []].append(index) }
        var failure = EarliestFailure()
        checkUnique(one, groups, many, isSwapped, &failure)
        var output = PairOutput(join: self, isSwapped: isSwapped)
        let fillMany = isSwapped ? matching.fillRight : matching.fillLeft
        let fillOne = isSwapped ? matching.fillLeft : matching.fillRight
        var matched: [LabelSet: PresenceBitmap] = [:]
        for series in many {
            try evaluator.context.check()
            let key = signature(series.labels)
            if fillMany != nil {
                matched[key, default: PresenceBitmap(count: grid.count)].formUnion(series.column.present)
            }
            var missing = series.column.present
            for index in groups[key] ?? [] {
                let partner = one[index]
                output.add(series, partner, steps: series.column.present, key: key, &failure)
                partner.column.present.forEach { missing.remove($0) }
            }
            if let fillOne, !missing.isEmpty {
                let partner = VectorSeries(
                    labels: key, column: Column(values: [Double](repeating: fillOne, count: grid.count)))
                output.add(series, partner, steps: missing, key: key, &failure)
            }
        }
        if let fillMany {
            fill(one, matched, fillMany, &output, &failure)
        }
        try failure.finish()
        for series in output.series { try sink(series) }
    }

    /// Series of the "one" side without a partner get one of the fill value.
    private func fill(
        _ one: [VectorSeries], _ matched: [LabelSet: PresenceBitmap], _ value: Double, _ output: inout PairOutput,
        _ failure: inout EarliestFailure
    ) {
        for series in one {
            let key = signature(series.labels)
            var missing = series.column.present
            matched[key]?.forEach { missing.remove($0) }
            if missing.isEmpty { continue }
            let partner = VectorSeries(
                labels: key, column: Column(values: [Double](repeating: value, count: grid.count)))
            output.add(partner, series, steps: missing, key: key, &failure)
        }
    }

    /// The "one" side may have one series of a group at a step, wherever the other side has anything at all.
    private func checkUnique(
        _ one: [VectorSeries], _ groups: [LabelSet: [Int]], _ many: [VectorSeries], _ isSwapped: Bool,
        _ failure: inout EarliestFailure
    ) {
        var others: PresenceBitmap?
        for (key, members) in groups where members.count > 1 {
            if others == nil {
                var any = PresenceBitmap(count: grid.count)
                for series in many { any.formUnion(series.column.present) }
                others = any
            }
            for (position, index) in members.enumerated() {
                for earlier in members[..<position] {
                    var common = one[index].column.present
                    for step in 0..<grid.count
                    where !one[earlier].column.present.contains(step) || !(others?.contains(step) ?? false) {
                        common.remove(step)
                    }
                    guard let step = common.firstCommon(with: common) else { continue }
                    let side = isSwapped ? "left" : "right"
                    failure.note(
                        "found duplicate series for the match group \(key) on the \(side) hand-side of the "
                            + "operation: [\(one[index].labels), \(one[earlier].labels)];many-to-many matching "
                            + "not allowed: matching labels must be unique on one side", at: step, order: 0)
                }
            }
        }
    }

    /// The labels of the result of a pair.
    func resultLabels(_ many: LabelSet, _ one: LabelSet) -> LabelSet {
        var builder = LabelSetBuilder(many)
        if dropsName, !evaluator.context.options.enablesDelayedNameRemoval {
            for name in MetricIdentity.labels { builder.remove(name) }
        }
        if matching.cardinality == .oneToOne {
            if matching.isOn {
                builder.keep { labels.contains($0) }
            } else {
                for label in matching.labels { builder.remove(label) }
            }
        }
        for label in matching.include { builder.set(label, one[label] ?? "") }
        return builder.build()
    }

    var dropsName: Bool { plan.returnsBool || !plan.operation.isComparison }
}

/// Keeps the error of the earliest step; at one step that of the lowest order.
struct EarliestFailure {
    private var step = Int.max
    private var order = Int.max
    private var message = ""

    mutating func note(_ message: @autoclosure () -> String, at step: Int, order: Int) {
        guard (step, order) < (self.step, self.order) else { return }
        (self.step, self.order) = (step, order)
        self.message = message()
    }

    func finish() throws(QueryError) {
        if step != .max { throw .execution(message) }
    }
}

/// Collects the results of a join by their labels, and finds pairs that would give the same series twice.
struct PairOutput {
    private let join: SeriesJoin
    private let isSwapped: Bool
    private let operation: ScalarOperation
    private let filters: Bool
    private var indexes: [Key: Int] = [:]
    private(set) var series: [VectorSeries] = []
    /// One-to-one: the steps at which a group has given a result.
    private var used: [LabelSet: PresenceBitmap] = [:]

    private struct Key: Hashable {
        var labels: LabelSet
        var group: LabelSet
    }

    init(join: SeriesJoin, isSwapped: Bool) {
        self.join = join
        self.isSwapped = isSwapped
        operation = ScalarOperation(join.plan.operation)
        filters = join.plan.operation.isComparison && !join.plan.returnsBool
    }

    mutating func add(
        _ many: VectorSeries, _ one: VectorSeries, steps: PresenceBitmap, key group: LabelSet,
        _ failure: inout EarliestFailure
    ) {
        let isOneToOne = join.matching.cardinality == .oneToOne
        let labels = join.resultLabels(many.labels, one.labels)
        let key = Key(labels: labels, group: isOneToOne ? .empty : group)
        let index = indexes[key] ?? series.count
        var taken = isOneToOne ? used[group] ?? PresenceBitmap(count: join.grid.count) : nil
        if index == series.count {
            indexes[key] = index
            let dropsName = many.dropsName || join.dropsName
            let isDelayed = join.evaluator.context.options.enablesDelayedNameRemoval
            series.append(
                VectorSeries(labels: labels, dropsName: isDelayed && dropsName, column: Column(count: join.grid.count)))
        }
        steps.forEach { step in
            guard one.column.present.contains(step) else { return }
            let (a, b) =
                isSwapped
                ? (one.column.values[step], many.column.values[step])
                : (many.column.values[step], one.column.values[step])
            let value: Double
            if filters {
                guard operation.compare(a, b) else { return }
                value = a
            } else {
                value = operation.scalar(a, b)
            }
            if isOneToOne {
                if taken?.contains(step) ?? false {
                    failure.note(
                        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
                        at: step, order: 1)
                }
                taken?.insert(step)
            } else if series[index].column.present.contains(step) {
                failure.note(
                    "multiple matches for labels: grouping labels must ensure unique matches", at: step, order: 1)
            }
            series[index].column.set(step, value)
        }
        if isOneToOne { used[group] = taken }
    }
}
