extension Expression {
    /// The text that `format_query` gives: what fits in 100 columns stays on one line, the rest is broken at
    /// operators, arguments and parentheses, two blanks a level.
    package var pretty: String { pretty(level: 0) }

    private static let widthMax = 100

    private static func indent(_ level: Int) -> String { String(repeating: "  ", count: level) }

    private func pretty(level: Int) -> String {
        let line = description
        let indent = Expression.indent(level)
        guard line.utf8.count > Expression.widthMax else { return indent + line }
        switch self {
        case .number, .string, .vectorSelector, .matrixSelector: return indent + line
        case .subquery(let node): return node.expression.pretty(level: level) + node.bracketsAndModifiers
        case .unary(let node):
            let operand = node.operand.pretty(level: level).drop { $0 == " " }
            return indent + (node.isNegation ? "-" : "+") + operand
        case .parenthesized(let node):
            return indent + "(\n" + node.expression.pretty(level: level + 1) + "\n" + indent + ")"
        case .binary(let node):
            return node.left.pretty(level: level + 1) + "\n" + indent + node.operatorText + "\n"
                + node.right.pretty(level: level + 1)
        case .call(let node):
            let arguments = node.arguments.map { $0.pretty(level: level + 1) }.joined(separator: ",\n")
            return indent + node.function.name + "(\n" + arguments + "\n" + indent + ")"
        case .aggregate(let node):
            let parameter = node.parameter.map { $0.pretty(level: level + 1) + ",\n" } ?? ""
            return indent + node.operatorText + "(\n" + parameter + node.expression.pretty(level: level + 1) + "\n"
                + indent + ")"
        }
    }
}
