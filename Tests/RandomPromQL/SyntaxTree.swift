package import PromQLSyntax
import SeriesModel

extension Expression {
    /// The whole tree as text, without the places in the query: equal exactly for equal trees.
    package var tree: String {
        switch self {
        case .number(let node): Tree.number(node.value, isDuration: node.isDuration)
        case .string(let node): Tree.node("string", "\(node.bytes)")
        case .vectorSelector(let node): Tree.selector(node)
        case .matrixSelector(let node):
            Tree.node("range", Tree.selector(node.selector), Tree.duration(node.width, node.widthExpression))
        case .subquery(let node):
            Tree.node(
                "subquery", node.expression.tree, Tree.duration(node.width, node.widthExpression),
                Tree.duration(node.step, node.stepExpression), Tree.shift(node.shift))
        case .unary(let node): Tree.node(node.isNegation ? "minus" : "plus", node.operand.tree)
        case .parenthesized(let node): Tree.node("parentheses", node.expression.tree)
        case .call(let node): Tree.node("call", [node.function.name] + node.arguments.map(\.tree))
        case .aggregate(let node):
            Tree.node(
                "aggregate", node.operation.rawValue, node.isWithout ? "without" : "by", "\(node.grouping)",
                node.parameter?.tree ?? "", node.expression.tree)
        case .binary(let node):
            Tree.node(
                "binary", node.operation.rawValue, "\(node.returnsBool)", node.matching.map { Tree.matching($0) } ?? "",
                node.left.tree, node.right.tree)
        }
    }
}

private enum Tree {
    static func node(_ name: String, _ parts: String...) -> String { node(name, parts) }

    static func node(_ name: String, _ parts: [String]) -> String {
        "(" + ([name] + parts).joined(separator: " ") + ")"
    }

    /// A NaN has no sign in the language.
    static func number(_ value: Double) -> String {
        value.isNaN ? "NaN" : "\(value)/" + String(value.bitPattern, radix: 16)
    }

    /// Nor has a duration of zero.
    static func number(_ value: Double, isDuration: Bool) -> String {
        node("number", number(isDuration && value == 0 ? 0 : value), "\(isDuration)")
    }

    static func selector(_ selector: VectorSelector) -> String {
        let matchers = selector.matchers.map { "\($0.kind) \(Array($0.name.utf8)) \(Array($0.value.utf8))" }
        return node(
            "selector", [selector.name] + matchers + [shift(selector.shift), selector.rangeExtension.rawValue])
    }

    static func shift(_ shift: TimeShift) -> String {
        node("shift", duration(shift.offset, shift.offsetExpression), shift.at.map { "\($0)" } ?? "")
    }

    static func duration(_ milliseconds: Int64, _ expression: DurationExpression?) -> String {
        expression.map { tree($0) } ?? "\(milliseconds)ms"
    }

    static func matching(_ matching: VectorMatching) -> String {
        node(
            "matching", "\(matching.cardinality)", matching.isOn ? "on" : "ignoring", "\(matching.labels)",
            "\(matching.include)", matching.fillLeft.map { number($0) } ?? "",
            matching.fillRight.map { number($0) } ?? "")
    }

    private static func tree(_ expression: DurationExpression) -> String {
        switch expression {
        case .number(let value, let isDuration): number(value, isDuration: isDuration)
        case .step: "step"
        case .range: "range"
        case .negative(let operand): node("minus", tree(operand))
        case .binary(let operation, let a, let b): node(operation.rawValue, tree(a), tree(b))
        case .minimum(let a, let b): node("min", tree(a), tree(b))
        case .maximum(let a, let b): node("max", tree(a), tree(b))
        case .parenthesized(let inner): node("parentheses", tree(inner))
        }
    }
}
