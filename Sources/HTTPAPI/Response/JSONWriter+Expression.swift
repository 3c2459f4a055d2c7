import PromQLSyntax
import SeriesModel

/// The tree of an expression as `/api/v1/parse_query` shows it; members and their order are those of Prometheus
/// (web/api/v1/translate_ast.go). Recurses as deep as the expression is nested, which the parser bounds.
extension JSONWriter {
    mutating func expression(_ expression: Expression) {
        beginObject()
        switch expression {
        case .number(let node):
            field("type", "numberLiteral")
            field("val", NumberText.fixed(node.value))
        case .string(let node):
            field("type", "stringLiteral")
            field("val", node.value)
        case .parenthesized(let node):
            field("expr", expression: node.expression)
            field("type", "parenExpr")
        case .unary(let node):
            field("expr", expression: node.operand)
            field("op", node.isNegation ? "-" : "+")
            field("type", "unaryExpr")
        case .vectorSelector(let node):
            members(of: node, width: nil)
            field("type", "vectorSelector")
        case .matrixSelector(let node):
            members(of: node.selector, width: node.width)
            field("type", "matrixSelector")
        case .subquery(let node): members(of: node)
        case .binary(let node): members(of: node)
        case .aggregate(let node): members(of: node)
        case .call(let node): members(of: node)
        }
        endObject()
    }

    private mutating func field(_ name: StaticString, expression: Expression?) {
        key(name)
        if let expression {
            self.expression(expression)
        } else {
            null()
        }
    }

    /// - Parameter width: of a range selector, ms.
    private mutating func members(of selector: VectorSelector, width: Int64?) {
        field("anchored", boolean: selector.rangeExtension == .anchored)
        key("matchers")
        array(of: selector.matchers) { writer, matcher in
            writer.object { writer in
                writer.field("name", matcher.name)
                writer.field("type", matcher.kind.rawValue)
                writer.field("value", matcher.value)
            }
        }
        field("name", selector.name)
        field("offset", integer: selector.shift.offset)
        if let width { field("range", integer: width) }
        field("smoothed", boolean: selector.rangeExtension == .smoothed)
        field(at: selector.shift.at)
    }

    private mutating func members(of subquery: Subquery) {
        field("expr", expression: subquery.expression)
        field("offset", integer: subquery.shift.offset)
        field("range", integer: subquery.width)
        field(at: subquery.shift.at, step: subquery.step)
        field("type", "subquery")
    }

    /// - Parameter step: of a subquery, ms.
    private mutating func field(at modifier: AtModifier?, step: Int64? = nil) {
        key("startOrEnd")
        switch modifier {
        case .start: string("start")
        case .end: string("end")
        case .timestamp, nil: null()
        }
        if let step { field("step", integer: step) }
        key("timestamp")
        if case .timestamp(let time) = modifier {
            integer(time)
        } else {
            null()
        }
    }

    private mutating func members(of binary: Binary) {
        field("bool", boolean: binary.returnsBool)
        field("lhs", expression: binary.left)
        key("matching")
        if let matching = binary.matching {
            object { writer in
                writer.field("card", matching.cardinality.text)
                writer.key("fillValues")
                writer.object { writer in
                    writer.field("lhs", fillValue: matching.fillLeft)
                    writer.field("rhs", fillValue: matching.fillRight)
                }
                writer.field("include", array: matching.include)
                writer.field("labels", array: matching.labels)
                writer.field("on", boolean: matching.isOn)
            }
        } else {
            null()
        }
        field("op", binary.operation.rawValue)
        field("rhs", expression: binary.right)
        field("type", "binaryExpr")
    }

    /// JSON has no number for NaN and the infinities; as texts they can at least be told from no value.
    private mutating func field(_ name: StaticString, fillValue: Double?) {
        guard let fillValue else {
            key(name)
            null()
            return
        }
        if fillValue.isFinite {
            field(name, number: fillValue)
        } else {
            field(name, NumberText.fixed(fillValue))
        }
    }

    private mutating func members(of aggregation: Aggregation) {
        field("expr", expression: aggregation.expression)
        field("grouping", array: aggregation.grouping)
        field("op", aggregation.operation.rawValue)
        field("param", expression: aggregation.parameter)
        field("type", "aggregation")
        field("without", boolean: aggregation.isWithout)
    }

    private mutating func members(of call: Call) {
        key("args")
        beginArray()
        for argument in call.arguments { expression(argument) }
        endArray()
        key("func")
        object { writer in
            writer.field("argTypes", array: call.function.argumentTypes.map(\.rawValue))
            writer.field("name", call.function.name)
            writer.field("returnType", call.function.returnType.rawValue)
            writer.field("variadic", integer: call.function.variadic)
        }
        field("type", "call")
    }
}

extension VectorMatching.Cardinality {
    fileprivate var text: String {
        switch self {
        case .oneToOne: "one-to-one"
        case .manyToOne: "many-to-one"
        case .oneToMany: "one-to-many"
        case .manyToMany: "many-to-many"
        }
    }
}
