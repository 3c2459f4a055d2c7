import PromQLSyntax

/// Which expressions have the same value at every step: what is pinned by `@`, and what is built of nothing else.
enum StepInvariance {
    /// Functions whose value depends on the evaluation time itself, whatever their arguments.
    private static let timeDependent: Set<String> = [
        "days_in_month", "day_of_month", "day_of_week", "day_of_year", "end", "hour", "minute", "month",
        "predict_linear", "range", "start", "step", "time", "timestamp", "year",
    ]

    static func holds(_ expression: Expression) -> Bool {
        switch expression {
        case .number, .string: return true
        case .vectorSelector(let node): return node.shift.at != nil
        case .matrixSelector(let node): return node.selector.shift.at != nil
        case .subquery(let node): return node.shift.at != nil
        case .unary(let node): return holds(node.operand)
        case .parenthesized(let node): return holds(node.expression)
        case .binary(let node): return holds(node.left) && holds(node.right)
        case .aggregate(let node): return holds(node.expression) && (node.parameter.map(holds) ?? true)
        case .call(let node):
            return !timeDependent.contains(node.function.name) && node.arguments.allSatisfy(holds)
        }
    }
}
