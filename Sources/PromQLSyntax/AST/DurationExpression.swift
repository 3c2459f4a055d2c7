import SeriesModel

/// Arithmetic on durations, as it may stand in a range, a resolution or an offset. All values are seconds.
package indirect enum DurationExpression: Sendable {
    package enum Operation: String, Sendable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case modulo = "%"
        case power = "^"
    }

    case number(Double, isDuration: Bool)
    /// The step of the query, 0 for an instant one.
    case step
    /// The range of the query.
    case range
    case negative(DurationExpression)
    case binary(Operation, DurationExpression, DurationExpression)
    case minimum(DurationExpression, DurationExpression)
    case maximum(DurationExpression, DurationExpression)
    case parenthesized(DurationExpression)

    /// What only evaluation can find wrong.
    package enum EvaluationError: Error, Sendable, Hashable {
        case divisionByZero, moduloByZero

        package var text: String { self == .divisionByZero ? "division by zero" : "modulo by zero" }
    }

    /// - Parameters in seconds.
    /// - Returns: seconds.
    package func evaluate(step: Double, range: Double) throws(EvaluationError) -> Double {
        switch self {
        case .number(let value, _): return value
        case .step: return step
        case .range: return range
        case .negative(let operand): return -(try operand.evaluate(step: step, range: range))
        case .parenthesized(let inner): return try inner.evaluate(step: step, range: range)
        case .minimum(let a, let b):
            return min(try a.evaluate(step: step, range: range), try b.evaluate(step: step, range: range))
        case .maximum(let a, let b):
            return max(try a.evaluate(step: step, range: range), try b.evaluate(step: step, range: range))
        case .binary(let operation, let a, let b):
            let left = try a.evaluate(step: step, range: range)
            let right = try b.evaluate(step: step, range: range)
            return try DurationExpression.apply(operation, left, right)
        }
    }

    static func apply(_ operation: Operation, _ left: Double, _ right: Double) throws(EvaluationError) -> Double {
        switch operation {
        case .add: return left + right
        case .subtract: return left - right
        case .multiply: return left * right
        case .divide:
            if right == 0 { throw .divisionByZero }
            return left / right
        case .modulo:
            if right == 0 { throw .moduloByZero }
            return left.truncatingRemainder(dividingBy: right)
        case .power: return Power.raise(left, right)
        }
    }
}
