private import SeriesModel

extension Parser {
    /// A duration of the query: known, or to be computed when the query's step and range are.
    struct Duration {
        var milliseconds: Int64 = 0
        var expression: DurationExpression?
    }

    /// A literal folded as far as the parser folds, with its place.
    private struct Term {
        var expression: DurationExpression
        var range: SourceRange
        /// How many nodes lie above each other.
        var height = 1

        var literal: Double? {
            if case .number(let value, _) = expression { return value }
            return nil
        }
    }

    /// Largest magnitude in seconds: what fits in nanoseconds.
    private static let secondsMax = 9_223_372_036.0

    /// Between brackets: any expression that is greater than zero as far as can be told.
    mutating func bracketDuration(otherwise fail: (inout Parser) throws(Halt) -> Void) throws(Halt) -> Duration {
        if !startsDuration { try fail(&self) }
        let term = try durationSum(otherwise: fail)
        if let value = term.literal {
            if value <= 0 {
                note("duration must be greater than 0", term.range)
                return Duration(milliseconds: 1)
            }
            return Duration(milliseconds: Parser.milliseconds(value))
        }
        return Duration(expression: term.expression)
    }

    /// Behind `offset`: a signed literal, a function, or anything in parentheses.
    mutating func offsetDuration() throws(Halt) -> Duration {
        let fail: (inout Parser) throws(Halt) -> Void = { parser throws(Halt) in
            throw parser.unexpected(in: "offset", expected: "number, duration, step(), or range()")
        }
        if !startsDuration { try fail(&self) }
        let term = try durationUnary(above: 7, otherwise: fail)
        if let value = term.literal { return Duration(milliseconds: Parser.milliseconds(value)) }
        return Duration(expression: term.expression)
    }

    /// Upstream reads seconds to the nearest nanosecond and then counts whole milliseconds.
    private static func milliseconds(_ seconds: Double) -> Int64 {
        (Int64(clamping: (seconds * 1e9).rounded(.toNearestOrAwayFromZero)) ?? 0) / 1_000_000
    }

    private var startsDuration: Bool {
        switch token.kind {
        case .number, .duration, .leftParenthesis, .binary(.add), .binary(.subtract), .keyword(.step),
            .keyword(.range), .keyword(.minOf), .keyword(.maxOf):
            true
        default: false
        }
    }

    private mutating func durationSum(
        above precedence: Int = 0, otherwise fail: (inout Parser) throws(Halt) -> Void
    ) throws(Halt) -> Term {
        var left = try durationUnary(above: BinaryOperator.unaryPrecedence, otherwise: fail)
        while case .binary(let binary) = token.kind, binary.precedence > precedence,
            let operation = DurationExpression.Operation(rawValue: binary.rawValue)
        {
            let place = token.range
            try advance()
            let floor = binary == .power ? binary.precedence - 1 : binary.precedence
            let right = try nested { parser throws(Halt) in
                try parser.durationSum(above: floor, otherwise: fail)
            }
            let height = max(left.height, right.height) + 1
            guard height <= options.depthMax else { throw halt("duration expression is too long", place) }
            left = combine(left, operation, place, right)
            left.height = height
        }
        return left
    }

    private mutating func combine(
        _ left: Term, _ operation: DurationExpression.Operation, _ place: SourceRange, _ right: Term
    ) -> Term {
        if right.literal == 0, operation == .divide || operation == .modulo {
            note(operation == .divide ? "division by zero" : "modulo by zero", place)
            return Term(expression: .number(0, isDuration: false), range: SourceRange(0, 0))
        }
        return Term(
            expression: .binary(operation, left.expression, right.expression),
            range: SourceRange(left.range.start, right.range.end))
    }

    private mutating func durationUnary(
        above precedence: Int, otherwise fail: (inout Parser) throws(Halt) -> Void
    ) throws(Halt) -> Term {
        guard token.kind == .binary(.subtract) || token.kind == .binary(.add) else {
            return try durationPrimary(otherwise: fail)
        }
        let isNegation = token.kind == .binary(.subtract)
        let start = token.range.start
        try advance()
        let operand = try nested { parser throws(Halt) in
            precedence > 6
                ? try parser.durationPrimary(otherwise: fail)
                : try parser.durationSum(above: BinaryOperator.unaryPrecedence, otherwise: fail)
        }
        let range = SourceRange(start, operand.range.end)
        if case .number(let value, let isDuration) = operand.expression {
            return Term(expression: .number(isNegation ? -value : value, isDuration: isDuration), range: range)
        }
        return Term(
            expression: isNegation ? .negative(operand.expression) : operand.expression, range: range,
            height: operand.height + 1)
    }

    private mutating func durationPrimary(
        otherwise fail: (inout Parser) throws(Halt) -> Void
    ) throws(Halt) -> Term {
        let first = token
        switch first.kind {
        case .number, .duration:
            let literal = number(first)
            try advance()
            guard abs(literal.value) <= Parser.secondsMax else {
                note("duration out of range", first.range)
                return Term(expression: .number(0, isDuration: false), range: SourceRange(0, 0))
            }
            return Term(expression: .number(literal.value, isDuration: literal.isDuration), range: first.range)
        case .keyword(.step), .keyword(.range):
            try advance()
            guard try accept(.leftParenthesis), try accept(.rightParenthesis) else {
                try fail(&self)
                throw Halt()
            }
            let expression: DurationExpression = first.kind == .keyword(.step) ? .step : .range
            return Term(expression: expression, range: SourceRange(first.range.start, consumedEnd))
        case .keyword(.minOf), .keyword(.maxOf): return try durationChoice(first, otherwise: fail)
        case .leftParenthesis:
            try advance()
            let inner = try nested { parser throws(Halt) in try parser.durationSum(otherwise: fail) }
            guard try accept(.rightParenthesis) else {
                try fail(&self)
                throw Halt()
            }
            return Term(
                expression: .parenthesized(inner.expression), range: SourceRange(first.range.start, consumedEnd),
                height: inner.height + 1)
        default:
            try fail(&self)
            throw Halt()
        }
    }

    private mutating func durationChoice(
        _ first: Token, otherwise fail: (inout Parser) throws(Halt) -> Void
    ) throws(Halt) -> Term {
        try advance()
        guard try accept(.leftParenthesis) else {
            try fail(&self)
            throw Halt()
        }
        let a = try nested { parser throws(Halt) in try parser.durationSum(otherwise: fail) }
        guard try accept(.comma) else {
            try fail(&self)
            throw Halt()
        }
        let b = try nested { parser throws(Halt) in try parser.durationSum(otherwise: fail) }
        guard try accept(.rightParenthesis) else {
            try fail(&self)
            throw Halt()
        }
        let range = SourceRange(first.range.start, consumedEnd)
        let isMinimum = first.kind == .keyword(.minOf)
        return Term(
            expression: isMinimum ? .minimum(a.expression, b.expression) : .maximum(a.expression, b.expression),
            range: range, height: max(a.height, b.height) + 1)
    }

    /// Seconds of a duration literal; a bad one is noted and counts as 0.
    mutating func durationSeconds(_ literal: Token) -> Double {
        do {
            return Double(try DurationText.parse(literal.text)) / 1000
        } catch {
            note(error.description, literal.range)
            return 0
        }
    }
}
