import SeriesModel

extension Expression: CustomStringConvertible {
    /// The canonical text on one line, as `/api/v1/rules` shows a rule's query. Parses to an equal expression.
    package var description: String {
        var text = ""
        write(to: &text)
        return text
    }

    /// Appends the text: each part is written once, however deep it lies.
    func write(to text: inout String) {
        switch self {
        case .number(let node): text += node.description
        case .string(let node): text += GoQuote.quote(bytes: node.bytes)
        case .vectorSelector(let node): text += node.description
        case .matrixSelector(let node): text += node.description
        case .subquery(let node):
            node.expression.write(to: &text)
            text += node.bracketsAndModifiers
        case .unary(let node):
            text += node.isNegation ? "-" : "+"
            node.operand.write(to: &text)
        case .parenthesized(let node):
            text += "("
            node.expression.write(to: &text)
            text += ")"
        case .binary(let node):
            node.left.write(to: &text)
            text += " " + node.operatorText + " "
            node.right.write(to: &text)
        case .call(let node):
            text += node.function.name
            Expression.write(node.arguments, to: &text)
        case .aggregate(let node):
            text += node.operatorText
            Expression.write(node.arguments, to: &text)
        }
    }

    /// In parentheses.
    private static func write(_ arguments: [Expression], to text: inout String) {
        text += "("
        for (index, argument) in arguments.enumerated() {
            if index > 0 { text += ", " }
            argument.write(to: &text)
        }
        text += ")"
    }
}

extension NumberLiteral: CustomStringConvertible {
    package var description: String {
        guard isDuration else { return NumberText.fixed(value) }
        return DurationExpression.durationText(value)
    }
}

extension VectorSelector: CustomStringConvertible {
    package var description: String { nameAndMatchers + modifiers }

    var nameAndMatchers: String {
        let shown = matchers.filter { matcher in
            let isName = matcher.name == Label.metricName && matcher.kind == .equal && matcher.value == name
            return !(isName && !name.isEmpty)
        }
        let braces = shown.isEmpty ? "" : "{" + shown.map(\.description).joined(separator: ",") + "}"
        return name.isEmpty && shown.isEmpty ? "{}" : name + braces
    }

    var modifiers: String {
        (rangeExtension == .none ? "" : " " + rangeExtension.rawValue) + shift.description
    }
}

extension TimeShift: CustomStringConvertible {
    package var description: String {
        var text = ""
        switch at {
        case .timestamp(let time)?: text += " @ " + NumberText.fixed(Double(time) / 1000, digits: 3)
        case .start?: text += " @ start()"
        case .end?: text += " @ end()"
        case nil: break
        }
        if let offsetExpression {
            text += " offset " + offsetExpression.description
        } else if offset != 0 {
            text += " offset " + DurationText.format(offset)
        }
        return text
    }
}

extension MatrixSelector: CustomStringConvertible {
    package var description: String {
        let width = widthExpression?.description ?? DurationText.format(width)
        return selector.nameAndMatchers + "[" + width + "]" + selector.modifiers
    }
}

extension Subquery {
    var bracketsAndModifiers: String {
        let width = widthExpression?.description ?? DurationText.format(width)
        let step = stepExpression?.description ?? (step == 0 ? "" : DurationText.format(step))
        return "[" + width + ":" + step + "]" + shift.description
    }
}

extension Binary {
    /// The operator with its modifiers.
    var operatorText: String {
        var text = operation.rawValue + (returnsBool ? " bool" : "")
        guard let matching else { return text }
        let isGrouped = matching.cardinality == .manyToOne || matching.cardinality == .oneToMany
        if matching.isOn || !matching.labels.isEmpty || isGrouped {
            text += (matching.isOn ? " on (" : " ignoring (") + Aggregation.list(matching.labels) + ")"
        }
        if isGrouped {
            let word = matching.cardinality == .manyToOne ? "group_left" : "group_right"
            text += " \(word) (" + Aggregation.list(matching.include) + ")"
        }
        switch (matching.fillLeft, matching.fillRight) {
        case (nil, nil): break
        case (let left?, let right?) where left == right || (left.isNaN && right.isNaN):
            text += " fill (\(NumberText.fixed(left)))"
        case (let left, let right):
            if let left { text += " fill_left (\(NumberText.fixed(left)))" }
            if let right { text += " fill_right (\(NumberText.fixed(right)))" }
        }
        return text
    }
}

extension Aggregation {
    /// The parameter, where there is one, and what is aggregated.
    var arguments: [Expression] { (parameter.map { [$0] } ?? []) + [expression] }

    var operatorText: String {
        if isWithout { return operation.rawValue + " without (" + Aggregation.list(grouping) + ") " }
        if !grouping.isEmpty { return operation.rawValue + " by (" + Aggregation.list(grouping) + ") " }
        return operation.rawValue
    }

    static func list(_ labels: [String]) -> String {
        labels.map(LabelName.quotedIfNeeded).joined(separator: ", ")
    }
}

extension DurationExpression: CustomStringConvertible {
    package var description: String {
        switch self {
        case .number(let value, let isDuration):
            isDuration ? DurationExpression.durationText(value) : NumberText.fixed(value)
        case .step: "step()"
        case .range: "range()"
        case .negative(let operand): "-" + operand.description
        case .binary(let operation, let a, let b): "\(a) \(operation.rawValue) \(b)"
        case .minimum(let a, let b): "min_of(\(a), \(b))"
        case .maximum(let a, let b): "max_of(\(a), \(b))"
        case .parenthesized(let inner): "(" + inner.description + ")"
        }
    }

    static func durationText(_ seconds: Double) -> String {
        DurationText.format(Int64(clamping: (seconds * 1000).rounded()) ?? 0)
    }
}
