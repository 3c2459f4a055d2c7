import PromQLSyntax
import SeriesModel

extension Evaluator {
    /// A binary operator between two vectors. One side is held at most; the other streams past it.
    func join(_ plan: BinaryPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let matching = plan.matching ?? VectorMatching()
        if plan.operation.isSetOperator { return try joinSets(plan, matching, grid, sink) }
        let isSwapped = matching.cardinality == .oneToMany
        let one = try materialize(isSwapped ? plan.left : plan.right, grid)
        defer { release(one) }
        var join = SeriesJoin(plan: plan, matching: matching, grid: grid, context: context, one: one)
        try vector(isSwapped ? plan.right : plan.left, grid) { series in
            try context.check()
            try join.add(series)
        }
        try join.finish(sink)
    }

    private func joinSets(
        _ plan: BinaryPlan, _ matching: VectorMatching, _ grid: Grid, _ sink: SeriesSink
    ) throws {
        var join = SetJoin(plan: plan, matching: matching, grid: grid)
        if plan.operation == .or {
            try vector(plan.left, grid) { series in
                try join.hold(series, context)
                try sink(series)
            }
            try vector(plan.right, grid) { try join.push($0, sink) }
        } else {
            try vector(plan.right, grid) { try join.hold($0, context) }
            try vector(plan.left, grid) { try join.push($0, sink) }
        }
        join.finish(context)
    }
}

extension BinaryOperator {
    /// The result is another quantity than the operands: it no longer has their name.
    var changesSchema: Bool {
        switch self {
        case .add, .subtract, .multiply, .divide, .modulo, .power, .atan2: true
        default: false
        }
    }
}
