import PromQLSyntax
import SeriesModel

/// Functions between scalars and vectors.
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
    ]

    private static func vector(_ evaluator: Evaluator, _ plan: CallPlan, _ grid: Grid, _ sink: SeriesSink) throws {
        let values = try evaluator.scalar(plan.arguments[0], grid)
        try sink(VectorSeries(labels: .empty, column: Column(values: values)))
    }

    /// The value of the only series that has a float, NaN where there is none or more than one.
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
}
