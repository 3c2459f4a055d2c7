package import SeriesModel

/// A parsed PromQL expression. Every node knows the bytes of the query it stands for.
package indirect enum Expression: Sendable {
    case number(NumberLiteral)
    case string(StringLiteral)
    case vectorSelector(VectorSelector)
    case matrixSelector(MatrixSelector)
    case subquery(Subquery)
    case unary(Unary)
    case binary(Binary)
    case aggregate(Aggregation)
    case call(Call)
    case parenthesized(Parenthesized)
}

/// What an expression evaluates to.
package enum ValueType: String, Sendable {
    case none, scalar, vector, matrix, string

    /// The name that error messages use.
    package var documentedName: String {
        switch self {
        case .vector: "instant vector"
        case .matrix: "range vector"
        default: rawValue
        }
    }
}

/// Bytes `start ..< end` of the query.
package struct SourceRange: Hashable, Sendable {
    package var start: Int
    package var end: Int

    package init(_ start: Int, _ end: Int) {
        self.start = start
        self.end = end
    }
}

package struct NumberLiteral: Sendable {
    package var value: Double
    /// Written as a duration (`5m`), and printed as one.
    package var isDuration: Bool
    package var range: SourceRange
}

package struct StringLiteral: Sendable {
    /// What the literal means; escapes such as `\xFF` make bytes that need not be UTF-8.
    package var bytes: [UInt8]
    package var range: SourceRange

    /// The bytes as text; what is not UTF-8 becomes U+FFFD.
    package var value: String { String(decoding: bytes, as: UTF8.self) }

    package var isValidUTF8: Bool { String(validating: bytes, as: UTF8.self) != nil }
}

/// The time an `@` pins a selector to.
package enum AtModifier: Hashable, Sendable {
    /// ms
    case timestamp(Timestamp)
    case start
    case end
}

/// What `offset` and `@` do to a selector or subquery.
package struct TimeShift: Sendable {
    /// ms; what the query says, negative for a look ahead. Unknown until evaluation when `offsetExpression` is there.
    package var offset: Int64 = 0
    package var offsetExpression: DurationExpression?
    package var at: AtModifier?

    package var hasOffset: Bool { offset != 0 || offsetExpression != nil }
}

/// How a range selector treats the edges of its window.
package enum RangeExtension: String, Sendable {
    case none, anchored, smoothed
}

package struct VectorSelector: Sendable {
    /// The name written before the braces, "" where there is none.
    package var name: String
    /// All conditions, the one that `name` means included (as the last).
    package var matchers: [LabelMatcher]
    package var shift = TimeShift()
    package var rangeExtension = RangeExtension.none
    package var range: SourceRange
}

package struct MatrixSelector: Sendable {
    package var selector: VectorSelector
    /// ms; 0 where `widthExpression` decides.
    package var width: Int64
    package var widthExpression: DurationExpression?
    package var range: SourceRange
}

package struct Subquery: Sendable {
    package var expression: Expression
    /// ms; 0 where `widthExpression` decides.
    package var width: Int64
    package var widthExpression: DurationExpression?
    /// ms; 0 where the default step, or `stepExpression`, decides.
    package var step: Int64
    package var stepExpression: DurationExpression?
    package var shift = TimeShift()
    package var range: SourceRange
}

package struct Unary: Sendable {
    package var isNegation: Bool
    package var operand: Expression
    package var range: SourceRange
}

package struct Parenthesized: Sendable {
    package var expression: Expression
    package var range: SourceRange
}

package struct Call: Sendable {
    package var function: FunctionSignature
    package var arguments: [Expression]
    package var range: SourceRange
}

package struct Aggregation: Sendable {
    package var operation: AggregationOperator
    package var expression: Expression
    /// k, q, or the label of `count_values`.
    package var parameter: Expression?
    package var grouping: [String]
    package var isWithout: Bool
    package var range: SourceRange
}

package enum AggregationOperator: String, Sendable, CaseIterable {
    case sum, avg, count, min, max, group, stddev, stdvar, topk, bottomk, quantile, limitk
    case countValues = "count_values"
    case limitRatio = "limit_ratio"

    package var takesParameter: Bool {
        switch self {
        case .topk, .bottomk, .quantile, .limitk, .countValues, .limitRatio: true
        default: false
        }
    }

    package var isExperimental: Bool { self == .limitk || self == .limitRatio }
}

extension Expression {
    package var range: SourceRange {
        switch self {
        case .number(let node): node.range
        case .string(let node): node.range
        case .vectorSelector(let node): node.range
        case .matrixSelector(let node): node.range
        case .subquery(let node): node.range
        case .unary(let node): node.range
        case .binary(let node): node.range
        case .aggregate(let node): node.range
        case .call(let node): node.range
        case .parenthesized(let node): node.range
        }
    }

    package var valueType: ValueType {
        switch self {
        case .number: .scalar
        case .string: .string
        case .vectorSelector: .vector
        case .matrixSelector, .subquery: .matrix
        case .unary(let node): node.operand.valueType
        case .parenthesized(let node): node.expression.valueType
        case .binary(let node):
            node.left.valueType == .scalar && node.right.valueType == .scalar ? .scalar : .vector
        case .aggregate: .vector
        case .call(let node): node.function.returnType
        }
    }

    /// The expressions directly below.
    package var children: [Expression] {
        switch self {
        case .number, .string, .vectorSelector: []
        case .matrixSelector(let node): [.vectorSelector(node.selector)]
        case .subquery(let node): [node.expression]
        case .unary(let node): [node.operand]
        case .parenthesized(let node): [node.expression]
        case .binary(let node): [node.left, node.right]
        case .aggregate(let node): (node.parameter.map { [$0] } ?? []) + [node.expression]
        case .call(let node): node.arguments
        }
    }

    /// The expression inside any parentheses.
    package var unwrapped: Expression {
        var expression = self
        while case .parenthesized(let node) = expression { expression = node.expression }
        return expression
    }
}
