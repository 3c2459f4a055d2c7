import PromQLSyntax
import SeriesModel

/// `and`, `or`, `unless`: which series are let through, step by step, by whether the other side has any of the same
/// match group.
struct SetJoin {
    private let plan: BinaryPlan
    private let grid: Grid
    private let signature: MatchSignature

    init(plan: BinaryPlan, matching: VectorMatching, grid: Grid) {
        self.plan = plan
        self.grid = grid
        signature = MatchSignature(matching)
    }

    func run(_ left: [VectorSeries], _ right: [VectorSeries], _ sink: SeriesSink) throws {
        let isOr = plan.operation == .or
        var held: [LabelSet: PresenceBitmap] = [:]
        for series in isOr ? left : right {
            held[signature.of(series.labels), default: PresenceBitmap(count: grid.count)]
                .formUnion(series.column.anyPresent)
        }
        if isOr { for series in left { try sink(series) } }
        for var series in isOr ? right : left {
            let other = held[signature.of(series.labels)] ?? PresenceBitmap(count: grid.count)
            var kept = series.column.anyPresent
            if plan.operation == .and { kept.formIntersection(other) } else { kept.subtract(other) }
            if kept.isEmpty { continue }
            series.column.formIntersection(kept)
            try sink(series)
        }
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
