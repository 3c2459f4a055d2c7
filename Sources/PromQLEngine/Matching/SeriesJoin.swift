import PromQLSyntax
import SeriesModel

/// Joins two vectors by the labels that an arithmetic or comparison operator matches on: one-to-one, or many-to-one;
/// `group_right` is the mirror image of `group_left`. The "one" side is held, the series of the other are added one
/// after the other.
struct SeriesJoin {
    private let rules: JoinRules
    private let grid: Grid
    private let signature: MatchSignature
    private let one: [VectorSeries]
    private let oneKeys: [LabelSet]
    private let groups: [LabelSet: [Int]]
    /// Where the other side has anything; only kept where groups with several series make it matter.
    private var others: PresenceBitmap?
    private var failure = EarliestFailure()
    private var output: JoinOutput
    /// Where each group has met something; only kept for fill values.
    private var matched: [LabelSet: PresenceBitmap] = [:]

    init(plan: BinaryPlan, matching: VectorMatching, grid: Grid, context: EvaluationContext, one: [VectorSeries]) {
        rules = JoinRules(plan: plan, matching: matching, context: context)
        self.grid = grid
        self.one = one
        let signature = MatchSignature(matching)
        self.signature = signature
        oneKeys = one.map { signature.of($0.labels) }
        var groups: [LabelSet: [Int]] = [:]
        for (index, key) in oneKeys.enumerated() { groups[key, default: []].append(index) }
        self.groups = groups
        if groups.count < one.count {
            let hasFill = matching.fillLeft != nil || matching.fillRight != nil
            others = PresenceBitmap(count: grid.count, filled: hasFill)
        }
        output = JoinOutput(rules: rules, stepCount: grid.count)
    }

    /// A series of the "many" side.
    mutating func add(_ series: VectorSeries) throws(QueryError) {
        let key = signature.of(series.labels)
        let present = series.column.anyPresent
        others?.formUnion(present)
        // The fill values are those of the sides after the exchange, as upstream has it.
        if rules.matching.fillLeft != nil {
            matched[key, default: PresenceBitmap(count: grid.count)].formUnion(present)
        }
        var missing = present
        for index in groups[key] ?? [] {
            let partner = one[index]
            try output.add(series, partner, steps: present, group: key, &failure)
            missing.subtract(partner.column.anyPresent)
        }
        if let fill = rules.matching.fillRight, !missing.isEmpty {
            try output.add(series, filler(key, fill), steps: missing, group: key, &failure)
        }
    }

    /// - Throws: the error of the earliest step, whichever side is to blame.
    mutating func finish(_ sink: SeriesSink) throws {
        if let fill = rules.matching.fillLeft {
            for (series, key) in zip(one, oneKeys) {
                var missing = series.column.anyPresent
                if let present = matched[key] { missing.subtract(present) }
                if !missing.isEmpty { try output.add(filler(key, fill), series, steps: missing, group: key, &failure) }
            }
        }
        if let others { checkUnique(others) }
        try failure.finish()
        // Groups that differ in nothing but what names the metric give the same series.
        var guardian = rules.joinsOnName ? DuplicateGuard() : nil
        for series in output.series where !series.column.isEmpty {
            try guardian?.check(series)
            try sink(series)
        }
        output.release()
    }

    /// Stands for a series that is missing on one side.
    private func filler(_ key: LabelSet, _ value: Double) -> VectorSeries {
        VectorSeries(labels: key, column: Column(values: [Double](repeating: value, count: grid.count)))
    }

    /// The "one" side may have one series of a group at a step, wherever the other side has anything at all.
    private mutating func checkUnique(_ others: PresenceBitmap) {
        // In the order of the series: of two groups at fault, always the same one is named.
        for (first, key) in oneKeys.enumerated() {
            guard let members = groups[key], members.count > 1, members[0] == first else { continue }
            var seen = PresenceBitmap(count: grid.count)
            for (position, index) in members.enumerated() {
                var common = one[index].column.anyPresent
                common.formIntersection(others)
                if let step = common.firstCommon(with: seen) {
                    let earlier = members[..<position].last { one[$0].column.anyPresent.contains(step) } ?? index
                    let pair = [one[index].labels, one[earlier].labels].sorted()
                    failure.note(
                        "found duplicate series for the match group \(key) on the \(rules.isSwapped ? "left" : "right") "
                            + "hand-side of the operation: [\(pair[0]), \(pair[1])];many-to-many matching not "
                            + "allowed: matching labels must be unique on one side", at: step, order: 0)
                }
                seen.formUnion(common)
            }
        }
    }
}

/// What a join makes of a pair.
struct JoinRules {
    let plan: BinaryPlan
    let matching: VectorMatching
    let context: EvaluationContext

    /// Whether the left side is the "one" side.
    var isSwapped: Bool { matching.cardinality == .oneToMany }

    var joinsOnName: Bool { matching.isOn && matching.labels.contains(where: MetricIdentity.labels.contains) }

    /// The labels of the result of a pair.
    func resultLabels(_ many: LabelSet, _ one: LabelSet) -> LabelSet {
        var builder = LabelSetBuilder(many)
        let isDelayed = context.options.enablesDelayedNameRemoval
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
