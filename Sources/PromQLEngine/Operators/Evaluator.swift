import PromQLSyntax
import SeriesModel
import StorageAPI

/// Walks a plan. Vectors are pushed series by series into a sink: each is decoded once, computed for all steps of the
/// grid, and handed on before the next one is touched, so that a fold needs memory for its groups alone.
///
/// Used by one thread.
struct Evaluator {
    let context: EvaluationContext
    let sets: [any SeriesSet]
    /// ms
    let lookbackDelta: Int64

    // MARK: Scalars

    /// One value for each step.
    func scalar(_ node: PlanNode, _ grid: Grid) throws -> [Double] {
        switch node {
        case .number(let value): return [Double](repeating: value, count: grid.count)
        case .negate(let operand, _): return try scalar(operand, grid).map { -$0 }
        case .stepInvariant(let inner, _):
            return [Double](repeating: try scalar(inner, grid.first).first ?? .nan, count: grid.count)
        case .binary(let plan):
            let left = try scalar(plan.left, grid)
            let right = try scalar(plan.right, grid)
            let operation = ScalarOperation(plan.operation)
            return zip(left, right).map { operation.scalar($0, $1) }
        case .call(let plan):
            guard case .scalar(let kernel) = plan.function.kernel else { break }
            return try kernel(self, plan, grid)
        default: break
        }
        throw QueryError.execution("expression does not give a scalar")
    }

    func string(_ node: PlanNode) throws(QueryError) -> String {
        guard case .string(let text) = node else { throw .execution("expression does not give a string") }
        return text
    }

    // MARK: Vectors

    /// Pushes every series of the expression's value over the grid.
    func vector(_ node: PlanNode, _ grid: Grid, _ sink: SeriesSink) throws {
        switch node {
        case .selector(let plan): try selector(plan, grid, sink)
        case .stepInvariant(let inner, _):
            try vector(inner, grid.first) { series in
                var series = series
                series.column = series.column.broadcast(to: grid.count)
                try sink(series)
            }
        case .negate(let operand, _): try negated(operand, grid, sink)
        case .binary(let plan): try binary(plan, grid, sink)
        case .aggregate(let plan): try aggregate(plan, grid, sink)
        case .call(let plan): try call(plan, grid, sink)
        case .number, .string, .range: throw QueryError.execution("expression does not give an instant vector")
        }
    }

    /// All series at once, for operators that cannot do with one at a time. What is held is counted.
    func materialize(_ node: PlanNode, _ grid: Grid) throws -> [VectorSeries] {
        var all: [VectorSeries] = []
        try vector(node, grid) { series in
            try context.hold(series.column.present.populationCount)
            all.append(series)
        }
        return all
    }

    func release(_ series: [VectorSeries]) {
        context.release(series.reduce(0) { $0 + $1.column.present.populationCount })
    }

    private func negated(_ operand: PlanNode, _ grid: Grid, _ sink: SeriesSink) throws {
        var guardian = DuplicateGuard()
        try vector(operand, grid) { series in
            var series = series
            dropName(&series)
            for index in series.column.values.indices { series.column.values[index] = -series.column.values[index] }
            try guardian.check(series)
            try sink(series)
        }
    }

    private func call(_ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        switch plan.function.kernel {
        case .map(let kernel): try map(plan, kernel, grid, sink)
        case .window(let kernel): try windows(plan, kernel, grid, sink)
        case .vector(let kernel): try kernel(self, plan, grid, sink)
        case .scalar: throw QueryError.execution("expression does not give an instant vector")
        }
    }

    /// A function of each value by itself, with scalar arguments besides.
    private func map(
        _ plan: CallPlan, _ kernel: MapKernel, _ grid: Grid, _ sink: SeriesSink
    ) throws {
        guard let operand = plan.arguments.first else { throw QueryError.execution("missing argument") }
        let parameters = try plan.arguments.dropFirst().map { try scalar($0, grid) }
        var guardian = DuplicateGuard()
        try vector(operand, grid) { series in
            var series = series
            dropName(&series)
            kernel(&series.column, parameters)
            try guardian.check(series)
            try sink(series)
        }
    }

    // MARK: Names

    /// Takes the metric name off, now or at the end, as the features say.
    func dropName(_ series: inout VectorSeries) {
        if context.options.enablesDelayedNameRemoval {
            series.dropsName = true
        } else {
            series.labels = MetricIdentity.dropped(series.labels)
        }
    }
}

/// The labels that say which metric a series is of; they go together.
enum MetricIdentity {
    static let labels: Set<String> = [Label.metricName, "__type__", "__unit__"]

    static func dropped(_ labels: LabelSet) -> LabelSet {
        labels.dropping(MetricIdentity.labels)
    }
}

/// Finds series that have become the same by losing labels: an error where both have a value at one step.
struct DuplicateGuard {
    private var seen: [LabelSet: PresenceBitmap] = [:]

    mutating func check(_ series: VectorSeries) throws(QueryError) {
        // Names that go later keep series apart until then.
        if series.dropsName { return }
        guard var known = seen[series.labels] else {
            seen[series.labels] = series.column.present
            return
        }
        if known.firstCommon(with: series.column.present) != nil {
            throw .execution("vector cannot contain metrics with the same labelset")
        }
        known.formUnion(series.column.present)
        seen[series.labels] = known
    }
}
