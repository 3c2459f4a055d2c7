import PromQLSyntax
import SeriesModel

/// `and`, `or`, `unless`: which series are let through, step by step, by whether the other side has any of the same
/// match group. Of the other side only that is kept: a bit for each group and step.
struct SetJoin {
    private let operation: BinaryOperator
    private let grid: Grid
    private let signature: MatchSignature
    private var held: [LabelSet: PresenceBitmap] = [:]

    init(plan: BinaryPlan, matching: VectorMatching, grid: Grid) {
        operation = plan.operation
        self.grid = grid
        signature = MatchSignature(matching)
    }

    private var groupBytes: Int { (grid.count + 63) / 64 * 8 }

    /// Notes where the deciding side has something.
    mutating func hold(_ series: VectorSeries, _ context: EvaluationContext) throws(QueryError) {
        let key = signature.of(series.labels)
        if held[key] == nil { try context.hold(0, bytes: key.packed.count &+ groupBytes) }
        held[key, default: PresenceBitmap(count: grid.count)].formUnion(series.column.anyPresent)
    }

    /// Lets through what the deciding side allows.
    func push(_ series: VectorSeries, _ sink: SeriesSink) throws {
        var kept = series.column.anyPresent
        if let other = held[signature.of(series.labels)] {
            if operation == .and { kept.formIntersection(other) } else { kept.subtract(other) }
        } else if operation == .and {
            return
        }
        if kept.isEmpty { return }
        var series = series
        series.column.formIntersection(kept)
        try sink(series)
    }

    func finish(_ context: EvaluationContext) {
        context.release(0, bytes: held.keys.reduce(0) { $0 &+ $1.packed.count &+ groupBytes })
    }
}

/// What two series must share to belong together.
struct MatchSignature {
    private let projection: LabelProjection

    init(_ matching: VectorMatching) {
        let labels = Set(matching.labels)
        projection =
            matching.isOn
            ? LabelProjection(keeping: labels) : LabelProjection(dropping: labels.union([Label.metricName]))
    }

    func of(_ labels: LabelSet) -> LabelSet { projection.apply(to: labels) }
}
