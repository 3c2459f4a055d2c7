import Regexp
import SeriesModel

extension Parser {
    /// - Parameter name: the metric's name, already consumed.
    mutating func selector(name: Token?) throws(Halt) -> VectorSelector {
        let start = name?.range.start ?? token.range.start
        var matchers: [LabelMatcher] = []
        if token.kind == .leftBrace { matchers = try self.matchers() }
        var selector = VectorSelector(
            name: name?.text ?? "", matchers: matchers, range: SourceRange(start, consumedEnd))
        if let name { selector.matchers.append(.equal(Label.metricName, name.text)) }
        return selector
    }

    private mutating func matchers() throws(Halt) -> [LabelMatcher] {
        let (matchers, _) = try matchersWithoutLookahead()
        try advance()
        return matchers
    }

    /// From the left brace up to the right one, which stays the current token.
    mutating func matchersWithoutLookahead() throws(Halt) -> (matchers: [LabelMatcher], end: Int) {
        try advance()
        var matchers: [LabelMatcher] = []
        while token.kind != .rightBrace {
            if let matcher = try matcher() { matchers.append(matcher) }
            if try accept(.comma) { continue }
            guard token.kind == .rightBrace else {
                throw unexpected(in: "label matching", expected: "\",\" or \"}\"")
            }
        }
        return (matchers, token.range.end)
    }

    private mutating func matcher() throws(Halt) -> LabelMatcher? {
        let label = token
        let name: String
        switch label.kind {
        case .identifier: name = label.text
        case .string: name = stringValue(label)
        default: throw unexpected(in: "label matching", expected: "identifier or \"}\"")
        }
        try advance()
        let kind: LabelMatcher.Kind
        switch token.kind {
        case .assign: kind = .equal
        case .binary(.notEqual): kind = .notEqual
        case .equalRegex: kind = .regex
        case .notEqualRegex: kind = .notRegex
        case _ where label.kind == .string:
            return .equal(Label.metricName, name)
        default: throw unexpected(in: "label matching", expected: "label matching operator")
        }
        try advance()
        guard token.kind == .string else { throw unexpected(in: "label matching", expected: "string") }
        let value = token
        let text = stringValue(value)
        try advance()
        do {
            return try LabelMatcher(kind, name, text)
        } catch {
            note(error.description, SourceRange(label.range.start, value.range.end))
            return nil
        }
    }

    // MARK: Modifiers

    mutating func setOffset(_ offset: Duration, _ expression: inout Expression) {
        let range = expression.range
        let end = consumedEnd
        modifyShift(&expression, "offset modifier") { shift, parser in
            if shift.hasOffset {
                parser.note("offset may not be set multiple times", range)
                return range.end
            }
            shift.offset = offset.milliseconds
            shift.offsetExpression = offset.expression
            return end
        }
    }

    mutating func setAt(_ expression: inout Expression) throws(Halt) {
        let range = expression.range
        let modifier: AtModifier
        switch token.kind {
        case .keyword(.start), .keyword(.end):
            modifier = token.kind == .keyword(.start) ? .start : .end
            try advance()
            guard try accept(.leftParenthesis) else { throw unexpected(in: "@", expected: "timestamp") }
            guard try accept(.rightParenthesis) else { throw unexpected(in: "@", expected: "timestamp") }
        default:
            let seconds = try signedNumber()
            guard seconds.isFinite, abs(seconds) < 9_223_372_036_854_775_808 else {
                note("timestamp out of bounds for @ modifier: \(NumberText.fixed(seconds, digits: 6))", range)
                return
            }
            guard let timestamp = Int64(clamping: (seconds * 1000).rounded(.toNearestOrAwayFromZero)) else { return }
            modifier = .timestamp(timestamp)
        }
        let end = consumedEnd
        modifyShift(&expression, "@ modifier") { shift, parser in
            if shift.at != nil {
                parser.note("@ <timestamp> may not be set multiple times", range)
                return range.end
            }
            shift.at = modifier
            return end
        }
    }

    private mutating func signedNumber() throws(Halt) -> Double {
        var sign = 1.0
        if token.kind == .binary(.subtract) || token.kind == .binary(.add) {
            sign = token.kind == .binary(.subtract) ? -1 : 1
            try advance()
        }
        guard token.kind == .number || token.kind == .duration else {
            throw unexpected(in: "@", expected: "timestamp")
        }
        let literal = number(token)
        try advance()
        return sign * literal.value
    }

    /// Applies a change to what shifts a selector or subquery in time; the change returns the new end of the node.
    private mutating func modifyShift(
        _ expression: inout Expression, _ what: String, _ change: (inout TimeShift, inout Parser) -> Int
    ) {
        switch expression {
        case .vectorSelector(var node):
            node.range.end = change(&node.shift, &self)
            expression = .vectorSelector(node)
        case .matrixSelector(var node):
            node.range.end = change(&node.selector.shift, &self)
            expression = .matrixSelector(node)
        case .subquery(var node):
            node.range.end = change(&node.shift, &self)
            expression = .subquery(node)
        case _ where brokenRange?.start == expression.range.start:
            note("ranges only allowed for vector selectors", brokenRange ?? expression.range)
        default:
            let needs = "must be preceded by an instant vector selector or range vector selector or a subquery"
            note("\(what) \(needs)", expression.range)
        }
    }

    mutating func setExtension(_ kind: RangeExtension, _ expression: inout Expression) {
        let range = expression.range
        if !options.enablesExtendedRangeSelectors {
            note(
                "\(kind.rawValue) modifier is experimental and not enabled, it needs "
                    + "--enable-feature=promql-extended-range-selectors", range)
        }
        // The range of the node stays: upstream's messages point at what stands before the word.
        switch expression {
        case .vectorSelector(var node):
            extend(&node, kind, range)
            expression = .vectorSelector(node)
        case .matrixSelector(var node):
            extend(&node.selector, kind, range)
            expression = .matrixSelector(node)
        case .subquery: note("\(kind.rawValue) modifier is not supported for subqueries", range)
        case _ where brokenRange?.start == range.start: break
        default: note("\(kind.rawValue) modifier not implemented", range)
        }
    }

    private mutating func extend(_ selector: inout VectorSelector, _ kind: RangeExtension, _ range: SourceRange) {
        if selector.rangeExtension != .none, selector.rangeExtension != kind {
            note("anchored and smoothed modifiers cannot be used together", range)
        }
        selector.rangeExtension = kind
    }

    // MARK: Ranges

    mutating func range(of expression: Expression) throws(Halt) -> Expression {
        let bracket = token.range.start
        try advance()
        let context = "subquery or range selector"
        let width = try bracketDuration { parser throws(Halt) in
            throw parser.unexpected(in: context, expected: "number, duration, step(), or range()")
        }
        if try accept(.colon) { return try subquery(of: expression, width: width) }
        guard try accept(.rightBracket) else {
            throw unexpected(in: "subquery or range", expected: "\":\" or \"]\"")
        }
        let brackets = SourceRange(bracket, consumedEnd)
        guard case .vectorSelector(let selector) = expression else {
            note("ranges only allowed for vector selectors", brackets)
            brokenRange = SourceRange(expression.range.start, consumedEnd)
            return expression
        }
        if selector.shift.hasOffset {
            note("no offset modifiers allowed before range", brackets)
        } else if selector.shift.at != nil {
            note("no @ modifiers allowed before range", brackets)
        }
        return .matrixSelector(
            MatrixSelector(
                selector: selector, width: width.milliseconds, widthExpression: width.expression,
                range: SourceRange(expression.range.start, consumedEnd)))
    }

    private mutating func subquery(of expression: Expression, width: Duration) throws(Halt) -> Expression {
        var step = Duration()
        if token.kind != .rightBracket {
            step = try bracketDuration { parser throws(Halt) in
                throw parser.unexpected(
                    in: "subquery selector", expected: "number, duration, step(), range(), or \"]\"")
            }
        }
        guard try accept(.rightBracket) else { throw unexpected(in: "subquery selector", expected: "\"]\"") }
        try grow(SourceRange(expression.range.start, consumedEnd))
        return .subquery(
            Subquery(
                expression: expression, width: width.milliseconds, widthExpression: width.expression,
                step: step.milliseconds, stepExpression: step.expression,
                range: SourceRange(expression.range.start, consumedEnd)))
    }
}
