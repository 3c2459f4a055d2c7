import PromQLSyntax
import SeriesModel

/// Collects the results of a join by their labels, and finds pairs that would give the same series twice.
struct JoinOutput {
    private let rules: JoinRules
    private let stepCount: Int
    private let operation: PointOperation
    private var indexes: [Key: Int] = [:]
    private(set) var series: [VectorSeries] = []
    /// Where pairs have met: for one-to-one by group, else for each result of a group.
    private var used: [Key: PresenceBitmap] = [:]

    private struct Key: Hashable {
        var labels: LabelSet
        var group: LabelSet
    }

    init(rules: JoinRules, stepCount: Int) {
        self.rules = rules
        self.stepCount = stepCount
        operation = PointOperation(rules.plan, rules.context)
    }

    private var isOneToOne: Bool { rules.matching.cardinality == .oneToOne }
    private var isSwapped: Bool { rules.isSwapped }

    /// - Parameters:
    ///   - steps: at which the pair meets, where the "one" side has a point too.
    ///   - group: what the two have in common.
    mutating func add(
        _ many: VectorSeries, _ one: VectorSeries, steps: PresenceBitmap, group: LabelSet,
        _ failure: inout EarliestFailure
    ) throws(QueryError) {
        var steps = steps
        steps.formIntersection(one.column.anyPresent)
        if steps.isEmpty { return }
        let labels = rules.resultLabels(many.labels, one.labels)
        let usedKey = Key(labels: isOneToOne ? .empty : labels, group: group)
        var taken = used[usedKey] ?? PresenceBitmap(count: stepCount)
        let index = try outputIndex(Key(labels: labels, group: group), many)
        if let values = plainFloats(many, one), operation.isDefinedForFloats {
            addFloats(values, steps, index, &taken, &failure)
        } else {
            addPoints(many, one, steps, index, &taken, &failure)
        }
        used[usedKey] = taken
    }

    /// Gives the memory back.
    func release() {
        rules.context.release(series.count * stepCount, bytes: series.count * Column.byteCount(steps: stepCount))
    }

    private mutating func outputIndex(_ key: Key, _ many: VectorSeries) throws(QueryError) -> Int {
        if let known = indexes[key] { return known }
        try rules.context.hold(stepCount, bytes: Column.byteCount(steps: stepCount))
        indexes[key] = series.count
        let isDelayed = rules.context.options.enablesDelayedNameRemoval
        series.append(
            VectorSeries(
                labels: key.labels, dropsName: isDelayed && (many.dropsName || rules.plan.returnsBool),
                column: Column(count: stepCount)))
        return series.count - 1
    }

    /// Left and right values where neither side has histograms.
    private func plainFloats(_ many: VectorSeries, _ one: VectorSeries) -> (left: [Double], right: [Double])? {
        guard many.column.histograms == nil, one.column.histograms == nil else { return nil }
        return isSwapped ? (one.column.values, many.column.values) : (many.column.values, one.column.values)
    }

    private mutating func addFloats(
        _ values: (left: [Double], right: [Double]), _ steps: PresenceBitmap, _ index: Int,
        _ taken: inout PresenceBitmap, _ failure: inout EarliestFailure
    ) {
        let scalar = operation.scalar
        noteRepeated(steps, taken, &failure)
        taken.formUnion(steps)
        if operation.isFilter {
            steps.forEach { step in
                if scalar.compare(values.left[step], values.right[step]) {
                    series[index].column.set(step, values.left[step])
                }
            }
        } else {
            steps.forEach { step in
                series[index].column.set(step, scalar.scalar(values.left[step], values.right[step]))
            }
        }
    }

    private mutating func addPoints(
        _ many: VectorSeries, _ one: VectorSeries, _ steps: PresenceBitmap, _ index: Int,
        _ taken: inout PresenceBitmap, _ failure: inout EarliestFailure
    ) {
        let (left, right) = isSwapped ? (one.column, many.column) : (many.column, one.column)
        var met = PresenceBitmap(count: steps.count)
        steps.forEach { step in
            guard let a = left.point(step), let b = right.point(step) else { return }
            switch operation.apply(a, b) {
            case .undefined: return
            case .rejected: break
            case .value(let value): series[index].column.set(step, value)
            }
            met.insert(step)
        }
        noteRepeated(met, taken, &failure)
        taken.formUnion(met)
    }

    private func noteRepeated(_ met: PresenceBitmap, _ taken: PresenceBitmap, _ failure: inout EarliestFailure) {
        guard let step = met.firstCommon(with: taken) else { return }
        let message =
            isOneToOne
            ? "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            : "multiple matches for labels: grouping labels must ensure unique matches"
        failure.note(message, at: step, order: 1)
    }
}
