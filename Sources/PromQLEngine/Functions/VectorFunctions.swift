import PromQLSyntax
import SeriesModel

/// Functions between scalars and vectors, and those about absence.
enum VectorFunctions {
    static let all: [FunctionDefinition] = [
        FunctionDefinition(name: "vector", kernel: .vector(vector)),
        FunctionDefinition(name: "scalar", kernel: .scalar(scalar)),
        FunctionDefinition(
            name: "pi", kernel: .scalar { _, _, grid in [Double](repeating: .pi, count: grid.count) }),
        choice("max_of", MathFunctions.goMax),
        choice("min_of", MathFunctions.goMin),
        // The planner knows these; they are listed for completeness of the table.
        queryTime("start"), queryTime("end"), queryTime("step"), queryTime("range"),
        FunctionDefinition(name: "absent", kernel: .vector(absent)),
        FunctionDefinition(name: "absent_over_time", kernel: .vector(absentOverTime)),
    ]

    private static func vector(_ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let values = try evaluator.scalar(plan.arguments[0], grid)
        try sink(VectorSeries(labels: .empty, column: Column(values: values)))
    }

    /// The value of the only series, NaN where there is none or more than one.
    private static func scalar(_ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid) throws -> [Double] {
        var values = [Double](repeating: .nan, count: grid.count)
        var counts = [UInt8](repeating: 0, count: grid.count)
        try evaluator.vector(plan.arguments[0], grid) { series in
            series.column.present.forEach { step in
                if counts[step] < 2 { counts[step] += 1 }
                values[step] = counts[step] == 1 ? series.column.values[step] : .nan
            }
        }
        return values
    }

    private static func choice(
        _ name: String, _ choose: @escaping @Sendable (Double, Double) -> Double
    ) -> FunctionDefinition {
        FunctionDefinition(
            name: name,
            kernel: .scalar { evaluator, plan, grid in
                let a = try evaluator.scalar(plan.arguments[0], grid)
                let b = try evaluator.scalar(plan.arguments[1], grid)
                return zip(a, b).map(choose)
            })
    }

    private static func queryTime(_ name: String) -> FunctionDefinition {
        FunctionDefinition(
            name: name, kernel: .scalar { _, _, grid in [Double](repeating: .nan, count: grid.count) })
    }

    // MARK: Absence

    private static func absent(_ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        var present = PresenceBitmap(count: grid.count)
        try evaluator.vector(plan.arguments[0], grid) { present.formUnion($0.column.present) }
        try pushMissing(present, labels(of: plan.expressions.first), sink)
    }

    private static func absentOverTime(
        _ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink
    ) throws {
        guard case .range(let range)? = plan.arguments.first else { return }
        var present = PresenceBitmap(count: grid.count)
        try evaluator.eachRangeSeries(range, grid) { _, _, samples in
            var low = 0
            for step in 0..<grid.count {
                let end = range.reference(grid.time(step))
                while low < samples.count, samples.timestamps[low] <= end &- range.width { low += 1 }
                if low < samples.count, samples.timestamps[low] <= end { present.insert(step) }
            }
        }
        try pushMissing(present, labels(of: plan.expressions.first), sink)
    }

    private static func pushMissing(_ present: PresenceBitmap, _ labels: LabelSet, _ sink: SeriesSink) throws {
        var column = Column(count: present.count)
        for step in 0..<present.count where !present.contains(step) { column.set(step, 1) }
        if !column.present.isEmpty { try sink(VectorSeries(labels: labels, column: column)) }
    }

    /// The labels that equality matchers of a selector fix, unless another matcher speaks of the same label.
    private static func labels(of expression: Expression?) -> LabelSet {
        let matchers: [LabelMatcher]
        switch expression {
        case .vectorSelector(let node)?: matchers = node.matchers
        case .matrixSelector(let node)?: matchers = node.selector.matchers
        default: return .empty
        }
        var seen: Set<String> = []
        var builder = LabelSetBuilder()
        for matcher in matchers where matcher.name != Label.metricName {
            if matcher.kind == .equal, !seen.contains(matcher.name) {
                builder.set(matcher.name, matcher.value)
            } else {
                builder.remove(matcher.name)
            }
            seen.insert(matcher.name)
        }
        return builder.build()
    }
}
