import PromQLSyntax
import SeriesModel

extension EvaluationContext {
    /// Takes the metric name off, now or at the end, as the features say.
    func dropName(_ series: inout VectorSeries) {
        if options.enablesDelayedNameRemoval {
            series.dropsName = true
        } else {
            series.labels = MetricIdentity.dropped(series.labels)
        }
    }
}

extension Evaluator {
    func dropName(_ series: inout VectorSeries) { context.dropName(&series) }
}

/// Takes the metric names off the series that an operator pushes.
struct NameRemoval {
    private let evaluator: Evaluator
    private var guardian = DuplicateGuard()

    init(_ evaluator: Evaluator) { self.evaluator = evaluator }

    mutating func push(_ series: VectorSeries, _ sink: SeriesSink) throws {
        var series = series
        evaluator.dropName(&series)
        try guardian.check(series)
        try sink(series)
    }
}

/// The labels that say which metric a series is of; they go together.
enum MetricIdentity {
    static let labels: Set<String> = [Label.metricName, "__type__", "__unit__"]

    private static let projection = LabelProjection(dropping: labels)

    static func dropped(_ labels: LabelSet) -> LabelSet { projection.apply(to: labels) }
}

/// Finds series that have become the same by losing labels: an error where both have a value at one step.
struct DuplicateGuard {
    private var seen: [LabelSet: PresenceBitmap] = [:]
    /// Whether series whose names go later are looked at too; the names keep most of them apart until then.
    private let checksDelayed: Bool

    init(checksDelayed: Bool = false) { self.checksDelayed = checksDelayed }

    mutating func check(_ series: VectorSeries) throws(QueryError) {
        if series.dropsName, !checksDelayed { return }
        let present = series.column.anyPresent
        guard let known = seen[series.labels] else {
            seen[series.labels] = present
            return
        }
        if known.firstCommon(with: present) != nil {
            throw .execution("vector cannot contain metrics with the same labelset")
        }
        seen[series.labels]?.formUnion(present)
    }
}
