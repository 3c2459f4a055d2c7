import SeriesModel

extension Expression {
    /// The text that `format_query` gives: what fits in 100 columns stays on one line, the rest is broken at
    /// operators, arguments and parentheses, two blanks a level.
    package var pretty: String {
        var text = ""
        write(to: &text, level: 0)
        return text
    }

    private static let widthMax = 100

    private static func indent(_ level: Int) -> String { String(repeating: "  ", count: level) }

    /// - Parameter continuesLine: whether something stands in front on the same line, so that nothing is indented.
    private func write(to text: inout String, level: Int, continuesLine: Bool = false) {
        let indent = Expression.indent(level)
        let lead = continuesLine ? "" : indent
        // Most of a large tree is wider than a line, which shows without writing it out at every level.
        if least(upTo: Expression.widthMax) <= Expression.widthMax {
            let line = description
            if line.utf8.count <= Expression.widthMax {
                text += lead + line
                return
            }
        }
        switch self {
        case .number, .string, .vectorSelector, .matrixSelector:
            text += lead
            write(to: &text)
        case .subquery(let node):
            node.expression.write(to: &text, level: level, continuesLine: continuesLine)
            text += node.bracketsAndModifiers
        case .unary(let node):
            text += lead + (node.isNegation ? "-" : "+")
            node.operand.write(to: &text, level: level, continuesLine: true)
        case .parenthesized(let node):
            text += lead + "(\n"
            node.expression.write(to: &text, level: level + 1)
            text += "\n" + indent + ")"
        case .binary(let node):
            node.left.write(to: &text, level: level + 1, continuesLine: continuesLine)
            text += "\n" + indent + node.operatorText + "\n"
            node.right.write(to: &text, level: level + 1)
        case .call(let node):
            text += lead + node.function.name
            Expression.write(node.arguments, to: &text, level: level)
        case .aggregate(let node):
            text += lead + node.operatorText
            Expression.write(node.arguments, to: &text, level: level)
        }
    }

    /// In parentheses, a line each.
    private static func write(_ arguments: [Expression], to text: inout String, level: Int) {
        text += "(\n"
        for (index, argument) in arguments.enumerated() {
            if index > 0 { text += ",\n" }
            argument.write(to: &text, level: level + 1)
        }
        text += "\n" + indent(level) + ")"
    }
}

// MARK: - Width

extension Expression {
    /// A width that the text has at least, in bytes; counting stops where it is more than `max`.
    private func least(upTo max: Int) -> Int {
        switch self {
        case .number: return 1
        case .string(let node): return node.bytes.count
        case .vectorSelector(let node): return node.least(upTo: max)
        case .matrixSelector(let node):
            return node.selector.least(upTo: max) + (node.widthExpression?.least(upTo: max) ?? 1)
        case .subquery(let node):
            let durations = [node.widthExpression, node.stepExpression, node.shift.offsetExpression]
            return durations.reduce(node.expression.least(upTo: max)) { $0 + ($1?.least(upTo: max) ?? 0) }
        case .unary(let node): return node.operand.least(upTo: max) + 1
        case .parenthesized(let node): return node.expression.least(upTo: max) + 2
        case .binary(let node):
            let labels = (node.matching?.labels ?? []) + (node.matching?.include ?? [])
            return Expression.least([node.left, node.right], upTo: max) + Expression.least(labels)
        case .call(let node): return node.function.name.utf8.count + Expression.least(node.arguments, upTo: max)
        case .aggregate(let node):
            return Expression.least(node.grouping) + Expression.least(node.arguments, upTo: max)
        }
    }

    private static func least(_ expressions: [Expression], upTo max: Int) -> Int {
        var sum = 0
        for expression in expressions where sum <= max { sum += expression.least(upTo: max - sum) }
        return sum
    }

    private static func least(_ labels: [String]) -> Int { labels.reduce(0) { $0 + $1.utf8.count } }
}

extension VectorSelector {
    fileprivate func least(upTo max: Int) -> Int {
        // The last matcher may be the name again, which is written once.
        matchers.dropLast(name.isEmpty ? 0 : 1).reduce(name.utf8.count) { $0 + $1.value.utf8.count }
            + (shift.offsetExpression?.least(upTo: max) ?? 0)
    }
}

extension DurationExpression {
    fileprivate func least(upTo max: Int) -> Int {
        switch self {
        case .number, .step, .range: return 1
        case .negative(let operand), .parenthesized(let operand): return operand.least(upTo: max) + 1
        case .binary(_, let a, let b), .minimum(let a, let b), .maximum(let a, let b):
            let first = a.least(upTo: max)
            return first > max ? first : first + b.least(upTo: max - first)
        }
    }
}
