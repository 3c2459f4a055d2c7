import PromQLSyntax
import SeriesModel

/// The elements of the language that expressions have used.
struct SeenElements {
    var names: Set<String> = []

    static let all: [String] =
        FunctionSignature.all.map { $0.name + "()" } + AggregationOperator.allCases.map(\.rawValue)
        + BinaryOperator.allCases.map { "binary " + $0.rawValue }
        + BinaryOperator.allCases.filter(\.isComparison).map { "bool " + $0.rawValue } + [
            "number", "duration", "string", "parentheses", "unary -", "unary +", "by", "without", "on", "ignoring",
            "group_left", "group_left(…)", "group_right", "fill", "fill_left", "fill_right", "=", "!=", "=~", "!~",
            "offset", "offset -", "computed offset", "@ number", "@ start()", "@ end()", "range", "computed range",
            "subquery", "subquery with step", "computed step", "anchored", "smoothed", "quoted name", "quoted label",
        ]

    mutating func add(_ expression: Expression) {
        switch expression {
        case .number(let node): names.insert(node.isDuration ? "duration" : "number")
        case .string: names.insert("string")
        case .vectorSelector(let node): add(node)
        case .matrixSelector(let node):
            names.insert(node.widthExpression == nil ? "range" : "computed range")
            add(node.selector)
        case .subquery(let node):
            names.insert(node.step == 0 && node.stepExpression == nil ? "subquery" : "subquery with step")
            if node.widthExpression != nil { names.insert("computed range") }
            if node.stepExpression != nil { names.insert("computed step") }
            add(node.shift)
        case .unary(let node): names.insert(node.isNegation ? "unary -" : "unary +")
        case .binary(let node): add(node)
        case .aggregate(let node):
            names.insert(node.operation.rawValue)
            if node.isWithout { names.insert("without") } else if !node.grouping.isEmpty { names.insert("by") }
        case .call(let node): names.insert(node.function.name + "()")
        case .parenthesized: names.insert("parentheses")
        }
        for child in expression.children {
            if case .matrixSelector = expression { continue }
            add(child)
        }
    }

    private mutating func add(_ selector: VectorSelector) {
        for matcher in selector.matchers {
            switch matcher.kind {
            case .equal: names.insert("=")
            case .notEqual: names.insert("!=")
            case .regex: names.insert("=~")
            case .notRegex: names.insert("!~")
            }
            if matcher.name.contains(".") { names.insert("quoted label") }
            if matcher.name == "__name__", matcher.value.contains(".") { names.insert("quoted name") }
        }
        if selector.rangeExtension != .none { names.insert(selector.rangeExtension.rawValue) }
        add(selector.shift)
    }

    private mutating func add(_ shift: TimeShift) {
        if shift.offset != 0 { names.insert(shift.offset > 0 ? "offset" : "offset -") }
        if shift.offsetExpression != nil { names.insert("computed offset") }
        switch shift.at {
        case .timestamp?: names.insert("@ number")
        case .start?: names.insert("@ start()")
        case .end?: names.insert("@ end()")
        case nil: break
        }
    }

    private mutating func add(_ node: Binary) {
        names.insert("binary " + node.operation.rawValue)
        if node.returnsBool { names.insert("bool " + node.operation.rawValue) }
        guard let matching = node.matching else { return }
        if matching.isOn { names.insert("on") } else if !matching.labels.isEmpty { names.insert("ignoring") }
        switch matching.cardinality {
        case .manyToOne: names.insert(matching.include.isEmpty ? "group_left" : "group_left(…)")
        case .oneToMany: names.insert("group_right")
        case .oneToOne, .manyToMany: break
        }
        switch (matching.fillLeft, matching.fillRight) {
        case (_?, _?): names.insert("fill")
        case (_?, nil): names.insert("fill_left")
        case (nil, _?): names.insert("fill_right")
        case (nil, nil): break
        }
    }
}
