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
    ///
    /// `dynamic` hides the body from the optimiser: operators call this with closures, and it would go on specialising
    /// them for one another through the recursion without end. The call is made once an operator, not once a series.
    dynamic func vector(_ node: PlanNode, _ grid: Grid, _ sink: SeriesSink) throws {
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
            try context.hold(series.column.pointCount)
            all.append(series)
        }
        return all
    }

    func release(_ series: [VectorSeries]) {
        context.release(series.reduce(0) { $0 + $1.column.pointCount })
    }

    private func negated(_ operand: PlanNode, _ grid: Grid, _ sink: SeriesSink) throws {
        var nameless = NameRemoval(self)
        try vector(operand, grid) { series in
            var series = series
            for index in series.column.values.indices { series.column.values[index] = -series.column.values[index] }
            series.column.histograms?.forEach { step, histogram in
                var histogram = histogram
                histogram.multiply(by: -1)
                series.column.set(step, histogram)
            }
            try nameless.push(series, sink)
        }
    }

    private func call(_ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        switch plan.function.kernel {
        case .map(let kernel): try map(plan, kernel, grid, sink)
        case .window(let kernel, let mixed): try windows(plan, kernel, mixed, grid, sink)
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
        var nameless = NameRemoval(self)
        try vector(operand, grid) { series in
            if series.column.present.isEmpty { return }
            var series = series
            series.column.histograms = nil
            kernel(&series.column, parameters)
            if series.column.isEmpty { return }
            try nameless.push(series, sink)
        }
    }
}
