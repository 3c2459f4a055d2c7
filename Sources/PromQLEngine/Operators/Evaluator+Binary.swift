import PromQLSyntax
import SeriesModel

extension Evaluator {
    func binary(_ plan: BinaryPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        if plan.isLeftScalar || plan.isRightScalar { return try vectorWithScalar(plan, grid, sink) }
        let matching = plan.matching ?? VectorMatching()
        let left = try materialize(plan.left, grid)
        let right = try materialize(plan.right, grid)
        defer { release(left + right) }
        let join = SeriesJoin(plan: plan, matching: matching, grid: grid, evaluator: self)
        if plan.operation.isSetOperator {
            try join.set(left, right, sink)
        } else {
            try join.pairs(left, right, sink)
        }
    }

    private func vectorWithScalar(_ plan: BinaryPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let scalars = try scalar(plan.isLeftScalar ? plan.left : plan.right, grid)
        let isLeft = plan.isLeftScalar
        let operation = ScalarOperation(plan.operation)
        let filters = plan.operation.isComparison && !plan.returnsBool
        if plan.operation == .trimUpper || plan.operation == .trimLower {
            context.annotations.info(
                "incompatible sample types encountered for binary operator \"\(plan.operation.rawValue)\": "
                    + "\(isLeft ? "float" : "float") \(plan.operation.rawValue) float", at: plan.range)
            return
        }
        var guardian = DuplicateGuard()
        try vector(isLeft ? plan.right : plan.left, grid) { series in
            var series = series
            if !filters { dropName(&series) }
            for step in 0..<grid.count where series.column.present.contains(step) {
                let value = series.column.values[step]
                let (a, b) = isLeft ? (scalars[step], value) : (value, scalars[step])
                if filters {
                    if !operation.compare(a, b) { series.column.present.remove(step) }
                } else {
                    series.column.values[step] = operation.scalar(a, b)
                }
            }
            if series.column.present.isEmpty { return }
            if !filters { try guardian.check(series) }
            try sink(series)
        }
    }
}
