import PromQLSyntax
import SeriesModel

extension Evaluator {
    func binary(_ plan: BinaryPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        if plan.isLeftScalar || plan.isRightScalar { return try vectorWithScalar(plan, grid, sink) }
        let matching = plan.matching ?? VectorMatching()
        let left = try materialize(plan.left, grid)
        let right = try materialize(plan.right, grid)
        defer { release(left + right) }
        if plan.operation.isSetOperator {
            try SetJoin(plan: plan, matching: matching, grid: grid).run(left, right, sink)
        } else {
            try SeriesJoin(plan: plan, matching: matching, grid: grid, evaluator: self).run(left, right, sink)
        }
    }

    private func vectorWithScalar(_ plan: BinaryPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let scalars = try scalar(plan.isLeftScalar ? plan.left : plan.right, grid)
        let isLeft = plan.isLeftScalar
        let operation = PointOperation(plan, context)
        let dropsName = plan.operation.changesSchema || plan.returnsBool
        var guardian = DuplicateGuard()
        try vector(isLeft ? plan.right : plan.left, grid) { series in
            var series = series
            if dropsName { dropName(&series) }
            if series.column.histograms == nil, operation.isDefinedForFloats {
                combine(&series.column, scalars, operation.scalar, isFilter: operation.isFilter, scalarIsLeft: isLeft)
            } else {
                combine(&series.column, scalars, operation, scalarIsLeft: isLeft)
            }
            if series.column.isEmpty { return }
            if dropsName { try guardian.check(series) }
            try sink(series)
        }
    }

    /// For floats alone. Absent lanes are computed too: their values mean nothing.
    private func combine(
        _ column: inout Column, _ scalars: [Double], _ operation: ScalarOperation, isFilter: Bool, scalarIsLeft: Bool
    ) {
        if isFilter {
            for step in scalars.indices where column.present.contains(step) {
                let (a, b) =
                    scalarIsLeft ? (scalars[step], column.values[step]) : (column.values[step], scalars[step])
                if !operation.compare(a, b) { column.present.remove(step) }
            }
            return
        }
        column.values.withUnsafeMutableBufferPointer { values in
            if scalarIsLeft {
                for step in values.indices { values[step] = operation.scalar(scalars[step], values[step]) }
            } else {
                for step in values.indices { values[step] = operation.scalar(values[step], scalars[step]) }
            }
        }
    }

    private func combine(
        _ column: inout Column, _ scalars: [Double], _ operation: PointOperation, scalarIsLeft: Bool
    ) {
        for step in scalars.indices {
            guard let point = column.point(step) else { continue }
            let number = PointValue.float(scalars[step])
            let outcome = scalarIsLeft ? operation.apply(number, point) : operation.apply(point, number)
            switch outcome {
            case .undefined, .rejected: column.remove(step)
            case .value(let value):
                // A filter lets the vector's element through, on whichever side it stands.
                if operation.isFilter { continue }
                column.remove(step)
                column.set(step, value)
            }
        }
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
