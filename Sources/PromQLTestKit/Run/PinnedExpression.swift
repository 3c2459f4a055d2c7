import PromQLSyntax
import SeriesModel

/// Ties a query to one time, so that it must give the same whenever it is evaluated.
enum PinnedExpression {
    /// Functions whose result depends on the evaluation time even where all their arguments are pinned.
    private static let timeDependent: Set<String> = [
        "days_in_month", "day_of_month", "day_of_week", "day_of_year", "end", "hour", "minute", "month", "year",
        "predict_linear", "range", "start", "step", "time", "timestamp",
    ]

    /// Every outermost selector and subquery without a numeric `@` gets one. What is inside a subquery stays.
    /// - Returns: nil where the query cannot be pinned.
    static func pin(_ expression: Expression, to time: Timestamp) -> Expression? {
        switch expression {
        case .number, .string: return expression
        case .vectorSelector(var node):
            pin(&node.shift, to: time)
            return .vectorSelector(node)
        case .matrixSelector(var node):
            pin(&node.selector.shift, to: time)
            return .matrixSelector(node)
        case .subquery(var node):
            pin(&node.shift, to: time)
            return .subquery(node)
        case .unary(var node):
            guard let operand = pin(node.operand, to: time) else { return nil }
            node.operand = operand
            return .unary(node)
        case .parenthesized(var node):
            guard let inner = pin(node.expression, to: time) else { return nil }
            node.expression = inner
            return .parenthesized(node)
        case .binary(var node):
            guard let left = pin(node.left, to: time), let right = pin(node.right, to: time) else { return nil }
            (node.left, node.right) = (left, right)
            return .binary(node)
        case .aggregate(var node):
            guard let inner = pin(node.expression, to: time) else { return nil }
            node.expression = inner
            if let parameter = node.parameter {
                guard let pinned = pin(parameter, to: time) else { return nil }
                node.parameter = pinned
            }
            return .aggregate(node)
        case .call(var node):
            if timeDependent.contains(node.function.name) { return nil }
            let arguments = node.arguments.compactMap { pin($0, to: time) }
            guard arguments.count == node.arguments.count else { return nil }
            node.arguments = arguments
            return .call(node)
        }
    }

    private static func pin(_ shift: inout TimeShift, to time: Timestamp) {
        if case .timestamp = shift.at { return }
        shift.at = .timestamp(time)
    }
}
