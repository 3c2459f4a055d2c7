import PromQLSyntax
import SeriesModel

/// Joins two vectors by the labels that an arithmetic or comparison operator matches on: one-to-one, or many-to-one;
/// `group_right` is the mirror image of `group_left`.
struct SeriesJoin {
    let plan: BinaryPlan
    let matching: VectorMatching
    let grid: Grid
    let evaluator: Evaluator
    private let signature: MatchSignature

    init(plan: BinaryPlan, matching: VectorMatching, grid: Grid, evaluator: Evaluator) {
        self.plan = plan
        self.matching = matching
        self.grid = grid
        self.evaluator = evaluator
        signature = MatchSignature(matching)
    }

    private var isSwapped: Bool { matching.cardinality == .oneToMany }

    func run(_ left: [VectorSeries], _ right: [VectorSeries], _ sink: SeriesSink) throws {
        let (many, one) = isSwapped ? (right, left) : (left, right)
        var groups: [LabelSet: [Int]] = [:]
        let oneKeys = one.map { signature.of($0.labels) }
        for (index, key) in oneKeys.enumerated() { groups[key, default: []].append(index) }
        var failure = EarliestFailure()
        checkUnique(one, groups, many, &failure)
        var output = JoinOutput(join: self, isSwapped: isSwapped)
        // The fill values are those of the sides after the exchange, as upstream has it.
        var matched: [LabelSet: PresenceBitmap] = [:]
        for series in many {
            try evaluator.context.check()
            let key = signature.of(series.labels)
            if matching.fillLeft != nil {
                matched[key, default: PresenceBitmap(count: grid.count)].formUnion(series.column.anyPresent)
            }
            var missing = series.column.anyPresent
            for index in groups[key] ?? [] {
                let partner = one[index]
                output.add(series, partner, steps: series.column.anyPresent, group: key, &failure)
                missing.subtract(partner.column.anyPresent)
            }
            if let fill = matching.fillRight, !missing.isEmpty {
                output.add(series, filler(key, fill), steps: missing, group: key, &failure)
            }
        }
        if let fill = matching.fillLeft {
            for (series, key) in zip(one, oneKeys) {
                var missing = series.column.anyPresent
                if let present = matched[key] { missing.subtract(present) }
                if !missing.isEmpty { output.add(filler(key, fill), series, steps: missing, group: key, &failure) }
            }
        }
        try failure.finish()
        for series in output.series where !series.column.isEmpty { try sink(series) }
    }

    /// Stands for a series that is missing on one side.
    private func filler(_ key: LabelSet, _ value: Double) -> VectorSeries {
        VectorSeries(labels: key, column: Column(values: [Double](repeating: value, count: grid.count)))
    }

    /// The "one" side may have one series of a group at a step, wherever the other side has anything at all.
    private func checkUnique(
        _ one: [VectorSeries], _ groups: [LabelSet: [Int]], _ many: [VectorSeries], _ failure: inout EarliestFailure
    ) {
        var others: PresenceBitmap?
        for (key, members) in groups where members.count > 1 {
            if others == nil {
                let hasFill = matching.fillLeft != nil || matching.fillRight != nil
                var any = PresenceBitmap(count: grid.count, filled: hasFill)
                for series in many { any.formUnion(series.column.anyPresent) }
                others = any
            }
            guard let others else { return }
            var seen = PresenceBitmap(count: grid.count)
            for (position, index) in members.enumerated() {
                var common = one[index].column.anyPresent
                common.formIntersection(others)
                if let step = common.firstCommon(with: seen) {
                    let earlier = members[..<position].last { one[$0].column.anyPresent.contains(step) } ?? index
                    let pair = [one[index].labels, one[earlier].labels].sorted()
                    failure.note(
                        "found duplicate series for the match group \(key) on the \(isSwapped ? "left" : "right") "
                            + "hand-side of the operation: [\(pair[0]), \(pair[1])];many-to-many matching not "
                            + "allowed: matching labels must be unique on one side", at: step, order: 0)
                }
                seen.formUnion(common)
            }
        }
    }

    /// The labels of the result of a pair.
    func resultLabels(_ many: LabelSet, _ one: LabelSet) -> LabelSet {
        var builder = LabelSetBuilder(many)
        let isDelayed = evaluator.context.options.enablesDelayedNameRemoval
        if plan.operation.changesSchema || (plan.returnsBool && !isDelayed) {
            for name in MetricIdentity.labels { builder.remove(name) }
        }
        if matching.cardinality == .oneToOne {
            if matching.isOn {
                builder.keep { name in matching.labels.contains { $0.hasSameBytes(as: name) } }
            } else {
                for label in matching.labels { builder.remove(label) }
            }
        }
        for label in matching.include { builder.set(label, one[label] ?? "") }
        return builder.build()
    }
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
