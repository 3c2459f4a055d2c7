import PromQLSyntax
import SeriesModel
import StorageAPI

/// Walks a plan. Vectors are pushed series by series into a sink: each is decoded once, computed for all steps of the
/// grid, and handed on before the next one is touched, so that a fold needs memory for its groups alone.
///
/// Used by one thread; what is a `SeriesPipeline` may be shared with others.
struct Evaluator {
    let context: EvaluationContext
    let sets: [any SeriesSet]
    /// Nil for none.
    let helpers: QueryHelpers?

    /// ms
    var lookbackDelta: Int64 { context.lookbackDelta }

    // MARK: Scalars

    /// One value for each step.
    func scalar(_ node: PlanNode, _ grid: Grid) throws -> [Double] {
        // A grid may have millions of steps: what does not fit, or comes too late, is not begun.
        try context.budget.checkDeadline()
        let bytes = grid.count &* MemoryLayout<Double>.stride
        try context.hold(0, bytes: bytes)
        defer { context.release(0, bytes: bytes) }
        guard let profile = context.profile, let id = node.id else { return try scalarValue(node, grid) }
        let outer = profile.enter(id)
        defer { profile.enter(outer) }
        profile.count(id, samples: grid.count)
        return try scalarValue(node, grid)
    }

    private func scalarValue(_ node: PlanNode, _ grid: Grid) throws -> [Double] {
        switch node {
        case .number(let value): return [Double](repeating: value, count: grid.count)
        case .negate(let plan): return try scalar(plan.operand, grid).map { -$0 }
        case .stepInvariant(let plan):
            return [Double](repeating: try scalar(plan.operand, grid.first).first ?? .nan, count: grid.count)
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
        try context.check()
        try context.checkColumn(steps: grid.count)
        guard let profile = context.profile, let id = node.id else { return try push(node, grid, sink) }
        let outer = profile.enter(id)
        defer { profile.enter(outer) }
        try push(node, grid) { series in
            profile.count(id, series: 1, samples: series.column.pointCount)
            // What happens to the series is the time of whoever takes it.
            let inner = profile.enter(outer)
            defer { profile.enter(inner) }
            try sink(series)
        }
    }

    private func push(_ node: PlanNode, _ grid: Grid, _ sink: SeriesSink) throws {
        switch node {
        case .selector, .negate: try run(try pipeline(node, grid), grid, sink)
        case .stepInvariant(let plan):
            try vector(plan.operand, grid.first) { series in
                var series = series
                series.column = series.column.broadcast(to: grid.count)
                try sink(series)
            }
        case .binary(let plan):
            if plan.isLeftScalar || plan.isRightScalar {
                try run(try pipeline(node, grid), grid, sink)
            } else {
                try join(plan, grid, sink)
            }
        case .aggregate(let plan): try aggregate(plan, grid, sink)
        case .call(let plan):
            switch plan.function.kernel {
            case .map: try run(try pipeline(node, grid), grid, sink)
            case .window:
                guard let range = plan.rangeArgument else { throw QueryError.execution("missing range vector") }
                if case .subquery = range.source { return try windows(plan, range, grid, sink) }
                try run(try pipeline(node, grid), grid, sink)
            case .vector(let kernel): try kernel(self, plan, grid, sink)
            case .scalar: throw QueryError.execution("expression does not give an instant vector")
            }
        case .number, .string, .range: throw QueryError.execution("expression does not give an instant vector")
        }
    }

    /// All series at once, for operators that cannot do with one at a time. What is held is counted.
    func materialize(_ node: PlanNode, _ grid: Grid) throws -> [VectorSeries] {
        var all: [VectorSeries] = []
        try vector(node, grid) { series in
            try context.hold(series)
            all.append(series)
        }
        return all
    }

    func release(_ series: [VectorSeries]) {
        for one in series { context.release(one) }
    }
}
