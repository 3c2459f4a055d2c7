private import SeriesModel

extension Parser {
    /// Checks types all the way down, notes what is wrong, and settles what depends on types.
    mutating func checked(_ expression: Expression) -> Expression {
        var expression = expression
        _ = check(&expression)
        return expression
    }

    private mutating func check(_ expression: inout Expression) -> ValueType {
        switch expression {
        case .number, .string: break
        case .vectorSelector(let node): checkSelector(node)
        case .matrixSelector(let node): checkSelector(node.selector)
        case .parenthesized(var node):
            _ = check(&node.expression)
            expression = .parenthesized(node)
        case .unary(var node):
            let type = check(&node.operand)
            if type != .scalar, type != .vector {
                let got = GoQuote.quote(type.documentedName)
                note(
                    "unary expression only allowed on expressions of type scalar or instant vector, got \(got)",
                    node.range)
            }
            expression = .unary(node)
        case .subquery(var node):
            let type = check(&node.expression)
            if type != .vector {
                note("subquery is only allowed on instant vector, got \(type.rawValue) instead", node.range)
            }
            expression = .subquery(node)
        case .aggregate(var node):
            checkAggregation(&node)
            expression = .aggregate(node)
        case .call(var node):
            checkCall(&node)
            expression = .call(node)
        case .binary(var node):
            checkBinary(&node)
            expression = .binary(node)
        }
        return expression.valueType
    }

    private mutating func expect(_ type: ValueType, _ expression: inout Expression, in context: String) {
        let got = check(&expression)
        if got != type {
            note(
                "expected type \(type.documentedName) in \(context), got \(got.documentedName)", expression.range)
        }
    }

    private mutating func checkSelector(_ selector: VectorSelector, isInfo: Bool = false) {
        if !selector.name.isEmpty {
            for matcher in selector.matchers.dropLast() where matcher.name == Label.metricName {
                note(
                    "metric name must not be set twice: \(GoQuote.quote(selector.name)) or "
                        + GoQuote.quote(matcher.value), selector.range)
            }
        } else if !isInfo, selector.matchers.allSatisfy(\.matchesEmpty) {
            note("vector selector must contain at least one non-empty matcher", selector.range)
        }
    }

    private mutating func checkAggregation(_ node: inout Aggregation) {
        expect(.vector, &node.expression, in: "aggregation expression")
        guard var parameter = node.parameter else { return }
        expect(node.operation == .countValues ? .string : .scalar, &parameter, in: "aggregation parameter")
        node.parameter = parameter
    }

    private mutating func checkCall(_ node: inout Call) {
        let function = node.function
        let types = function.argumentTypes
        let name = GoQuote.quote(function.name)
        let got = "argument(s) in call to \(name), got \(node.arguments.count)"
        if function.variadic == 0 {
            if types.count != node.arguments.count { note("expected \(types.count) \(got)", node.range) }
        } else {
            let least = types.count - 1
            if least > node.arguments.count {
                note("expected at least \(least) \(got)", node.range)
            } else if function.variadic > 0, least + function.variadic < node.arguments.count {
                note("expected at most \(least + function.variadic) \(got)", node.range)
            }
        }
        for index in node.arguments.indices {
            if index >= types.count, function.variadic == 0 { break }
            guard let type = types.indices.contains(index) ? types[index] : types.last else { break }
            if function.name == "info", index == 1, case .vectorSelector(let selector) = node.arguments[index] {
                if !selector.name.isEmpty {
                    note("expected label selectors only, got vector selector instead", selector.range)
                }
                checkSelector(selector, isInfo: true)
                continue
            }
            expect(type, &node.arguments[index], in: "call to function \(name)")
        }
    }

    private mutating func checkBinary(_ node: inout Binary) {
        let left = check(&node.left)
        let right = check(&node.right)
        let operation = node.operation
        let place = operatorRange(node)
        if node.returnsBool, !operation.isComparison {
            note("bool modifier can only be used on comparison operators", place)
        }
        if operation.isComparison, !node.returnsBool, left == .scalar, right == .scalar {
            note("comparisons between scalars must use BOOL modifier", place)
        }
        guard var matching = node.matching else { return }
        if operation.isSetOperator, matching.cardinality == .oneToOne { matching.cardinality = .manyToMany }
        if matching.isOn {
            for label in matching.labels where matching.include.contains(label) {
                note("label \(GoQuote.quote(label)) must not occur in ON and GROUP clause at once", place)
            }
        }
        for (type, side) in [(left, node.left), (right, node.right)] where type != .scalar && type != .vector {
            note("binary expression must contain only scalar and instant vector types", side.range)
        }
        node.matching = checkMatching(matching, node, left, right)
        if operation.isSetOperator, left == .scalar || right == .scalar {
            note("set operator \"\(operation.rawValue)\" not allowed in binary scalar expression", node.range)
        }
    }

    private mutating func checkMatching(
        _ matching: VectorMatching, _ node: Binary, _ left: ValueType, _ right: ValueType
    ) -> VectorMatching? {
        if left != .vector || right != .vector {
            if !matching.labels.isEmpty {
                note("vector matching only allowed between instant vectors", node.range)
            }
            if matching.fillLeft != nil || matching.fillRight != nil {
                note("filling in missing series only allowed between instant vectors", node.range)
            }
            return nil
        }
        if node.operation.isSetOperator {
            if matching.cardinality == .manyToOne || matching.cardinality == .oneToMany {
                note("no grouping allowed for \"\(node.operation.rawValue)\" operation", node.range)
            }
            if matching.cardinality != .manyToMany {
                note("set operations must always be many-to-many", node.range)
            }
            if matching.fillLeft != nil || matching.fillRight != nil {
                note("filling in missing series not allowed for set operators", node.range)
            }
        }
        return matching
    }

    /// Between the operands, blanks trimmed; upstream's end is the last byte of the operator, not the one behind it.
    private func operatorRange(_ node: Binary) -> SourceRange {
        let input = lexer.input
        var start = node.left.range.end
        var end = node.right.range.start - 1
        while start < end, Lexer.isSpace(input[start]) { start += 1 }
        while end > start, Lexer.isSpace(input[end]) { end -= 1 }
        return SourceRange(start, end)
    }
}
