private import SeriesModel

extension Parser {
    mutating func call(_ name: Token) throws(Halt) -> Expression {
        let arguments = try self.arguments()
        let range = SourceRange(name.range.start, consumedEnd)
        guard let function = FunctionSignature.named(name.text) else {
            throw halt("unknown function with name \(GoQuote.quote(name.text))", name.range)
        }
        if function.isExperimental, !options.enablesExperimentalFunctions {
            note(
                "function \(GoQuote.quote(name.text)) is not enabled, it needs "
                    + "--enable-feature=promql-experimental-functions", name.range)
        }
        try grow(name.range)
        return .call(Call(function: function, arguments: arguments, range: range))
    }

    /// From the left parenthesis to behind the right one.
    private mutating func arguments() throws(Halt) -> [Expression] {
        try advance()
        var arguments: [Expression] = []
        var tallest = 0
        defer { height = tallest }
        if try accept(.rightParenthesis) { return arguments }
        while true {
            arguments.append(try expression())
            tallest = max(tallest, height)
            if try accept(.rightParenthesis) { return arguments }
            let comma = token.range
            guard try accept(.comma) else { throw unexpected() }
            if token.kind == .rightParenthesis {
                note("trailing commas not allowed in function call args", comma)
                try advance()
                return arguments
            }
        }
    }

    // MARK: Aggregations

    mutating func aggregationOrSelector(_ operation: AggregationOperator) throws(Halt) -> Expression {
        let word = token
        try advance()
        switch token.kind {
        case .leftParenthesis, .keyword(.by), .keyword(.without): break
        default: return .vectorSelector(try selector(name: word))
        }
        var grouping = try aggregationModifier()
        let arguments = try aggregationArguments(word)
        if grouping == nil { grouping = try aggregationModifier() }
        let range = SourceRange(word.range.start, consumedEnd)
        return try aggregation(
            operation, arguments, grouping: grouping?.labels ?? [], isWithout: grouping?.isWithout ?? false, range)
    }

    private mutating func noteMissingArguments(_ range: SourceRange) {
        note("no arguments for aggregate expression provided", range)
    }

    /// The arguments, with errors told in the context of the aggregation. Upstream recovers from them in the innermost
    /// aggregation, and then misses its arguments.
    private mutating func aggregationArguments(_ word: Token) throws(Halt) -> [Expression] {
        aggregationDepth += 1
        defer { aggregationDepth -= 1 }
        do throws(Halt) {
            guard token.kind == .leftParenthesis else { throw unexpected() }
            return try arguments()
        } catch {
            if !hasRecovered { noteMissingArguments(SourceRange(word.range.start, 0)) }
            hasRecovered = true
            throw error
        }
    }

    private mutating func aggregationModifier() throws(Halt) -> (labels: [String], isWithout: Bool)? {
        let isWithout: Bool
        switch token.kind {
        case .keyword(.by): isWithout = false
        case .keyword(.without): isWithout = true
        default: return nil
        }
        try advance()
        return (try groupingLabels(), isWithout)
    }

    private mutating func aggregation(
        _ operation: AggregationOperator, _ arguments: [Expression], grouping: [String], isWithout: Bool,
        _ range: SourceRange
    ) throws(Halt) -> Expression {
        if arguments.isEmpty {
            noteMissingArguments(range)
            throw Halt()
        }
        if operation.isExperimental, !options.enablesExperimentalFunctions {
            let hint = "is experimental and must be enabled with --enable-feature=promql-experimental-functions"
            throw halt("\(operation.rawValue)() \(hint)", range)
        }
        let wanted = operation.takesParameter ? 2 : 1
        guard arguments.count == wanted, let expression = arguments.last else {
            let got = "expected \(wanted), got \(arguments.count)"
            throw halt("wrong number of arguments for aggregate expression provided, \(got)", range)
        }
        try grow(range)
        return .aggregate(
            Aggregation(
                operation: operation, expression: expression, parameter: wanted == 2 ? arguments.first : nil,
                grouping: grouping, isWithout: isWithout, range: range))
    }

    // MARK: Lists of labels

    mutating func groupingLabels() throws(Halt) -> [String] {
        guard try accept(.leftParenthesis) else { throw unexpected(in: "grouping opts", expected: "\"(\"") }
        var labels: [String] = []
        while token.kind != .rightParenthesis {
            labels.append(try groupingLabel())
            if try accept(.comma) { continue }
            guard token.kind == .rightParenthesis else {
                throw unexpected(in: "grouping opts", expected: "\",\" or \")\"")
            }
        }
        try advance()
        return labels
    }

    private mutating func groupingLabel() throws(Halt) -> String {
        let label = token
        let name: String
        switch label.kind {
        case .identifier, .metricIdentifier, .aggregation, .keyword: name = label.text
        case .binary(let operation) where operation.isSetOperator || operation == .atan2: name = label.text
        case .string:
            let bytes = stringBytes(label)
            let valid = String(validating: bytes, as: UTF8.self)
            if !(valid.map(LabelName.isValid) ?? false) {
                note("invalid label name for grouping: \(GoQuote.quote(bytes: bytes))", label.range)
            }
            name = valid ?? ""
        default: throw unexpected(in: "grouping opts", expected: "label")
        }
        try advance()
        return name
    }

    // MARK: Vector matching

    mutating func vectorMatching() throws(Halt) -> VectorMatching {
        var matching = VectorMatching()
        switch token.kind {
        case .keyword(.on), .keyword(.ignoring):
            matching.isOn = token.kind == .keyword(.on)
            try advance()
            matching.labels = try groupingLabels()
            switch token.kind {
            case .keyword(.groupLeft), .keyword(.groupRight):
                matching.cardinality = token.kind == .keyword(.groupLeft) ? .manyToOne : .oneToMany
                try advance()
                if token.kind == .leftParenthesis { matching.include = try groupingLabels() }
            default: break
            }
        default: break
        }
        try fillModifiers(&matching)
        return matching
    }

    /// `fill`, or one or both of `fill_left` and `fill_right`.
    private mutating func fillModifiers(_ matching: inout VectorMatching) throws(Halt) {
        while case .keyword(let keyword) = token.kind, keyword.isFill, lexer.nextSignificantByte == UInt8(ascii: "(") {
            let isTaken =
                keyword == .fill
                ? matching.fillLeft != nil || matching.fillRight != nil
                : (keyword == .fillLeft ? matching.fillLeft : matching.fillRight) != nil
            if isTaken { return }
            try advance()
            try advance()
            let value = try fillValue()
            guard try accept(.rightParenthesis) else { throw unexpected() }
            if keyword != .fillRight { matching.fillLeft = value }
            if keyword != .fillLeft { matching.fillRight = value }
        }
    }

    private mutating func fillValue() throws(Halt) -> Double {
        var sign = 1.0
        if token.kind == .binary(.subtract) || token.kind == .binary(.add) {
            sign = token.kind == .binary(.subtract) ? -1 : 1
            try advance()
        }
        guard token.kind == .number || token.kind == .duration else { throw unexpected() }
        let literal = number(token)
        try advance()
        return sign * literal.value
    }
}

extension Token.Keyword {
    var isFill: Bool { self == .fill || self == .fillLeft || self == .fillRight }
}

extension Lexer {
    /// The next byte that is not blank.
    var nextSignificantByte: UInt8? {
        input[min(position, input.count)...].first { !Lexer.isSpace($0) }
    }
}
