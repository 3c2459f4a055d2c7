private import SeriesModel

extension Parser {
    mutating func expression(above precedence: Int = 0) throws(Halt) -> Expression {
        try nested { parser throws(Halt) in
            var left = try parser.unaryOrPostfix()
            while case .binary(let operation) = parser.token.kind, operation.precedence > precedence {
                left = try parser.binary(left, operation)
            }
            return left
        }
    }

    private mutating func binary(_ left: Expression, _ operation: BinaryOperator) throws(Halt) -> Expression {
        let place = token.range
        let leftHeight = height
        try advance()
        let returnsBool = try accept(.bool)
        let matching = try vectorMatching()
        // `^` groups to the right, all others to the left.
        let right = try expression(above: operation == .power ? operation.precedence - 1 : operation.precedence)
        height = max(height, leftHeight)
        try grow(place)
        let range = SourceRange(left.range.start, right.range.end)
        if !options.enablesFillModifiers, matching.fillLeft != nil || matching.fillRight != nil {
            note(
                "binop fill modifiers are experimental and not enabled, they need "
                    + "--enable-feature=promql-binop-fill-modifiers", range)
        }
        return .binary(
            Binary(
                operation: operation, left: left, right: right, returnsBool: returnsBool, matching: matching,
                range: range))
    }

    private mutating func unaryOrPostfix() throws(Halt) -> Expression {
        let isNegation: Bool
        switch token.kind {
        case .binary(.add): isNegation = false
        case .binary(.subtract): isNegation = true
        default: return try postfix()
        }
        let start = token.range.start
        try advance()
        let operand = try expression(above: BinaryOperator.unaryPrecedence)
        let range = SourceRange(start, operand.range.end)
        if case .number(var literal) = operand {
            if isNegation { literal.value = -literal.value }
            literal.range = range
            return .number(literal)
        }
        try grow(range)
        return .unary(Unary(isNegation: isNegation, operand: operand, range: range))
    }

    private mutating func postfix() throws(Halt) -> Expression {
        var expression = try primary()
        while true {
            switch token.kind {
            case .leftBracket: expression = try range(of: expression)
            case .keyword(.offset):
                try advance()
                let offset = try offsetDuration()
                setOffset(offset, &expression)
            case .at:
                try advance()
                try setAt(&expression)
            case .keyword(.anchored):
                try advance()
                setExtension(.anchored, &expression)
            case .keyword(.smoothed):
                try advance()
                setExtension(.smoothed, &expression)
            default: return expression
            }
        }
    }

    private mutating func primary() throws(Halt) -> Expression {
        height = 1
        switch token.kind {
        case .number, .duration:
            let literal = token
            try advance()
            return .number(number(literal))
        case .string:
            let literal = token
            let bytes = stringBytes(literal)
            try advance()
            return .string(StringLiteral(bytes: bytes, range: literal.range))
        case .leftParenthesis:
            let start = token.range.start
            try advance()
            let inner = try expression()
            guard try accept(.rightParenthesis) else { throw unexpected() }
            try grow(token.range)
            return .parenthesized(Parenthesized(expression: inner, range: SourceRange(start, consumedEnd)))
        case .leftBrace: return .vectorSelector(try selector(name: nil))
        case .aggregation(let operation): return try aggregationOrSelector(operation)
        default:
            guard let name = metricName() else { throw unexpected() }
            try advance()
            if token.kind == .leftParenthesis, name.mayBeFunction { return try call(name) }
            return .vectorSelector(try selector(name: name))
        }
    }

    /// The current token, if it can be a metric name.
    func metricName() -> Token? {
        switch token.kind {
        case .identifier, .metricIdentifier, .aggregation: return token
        case .binary(let operation): return operation.isSetOperator ? token : nil
        case .keyword(let keyword):
            switch keyword {
            case .bool, .on, .ignoring, .groupLeft, .groupRight: return nil
            case .fill, .fillLeft, .fillRight:
                return lexer.nextSignificantByte == UInt8(ascii: "(") ? nil : token
            default: return token
            }
        default: return nil
        }
    }

    func stringValue(_ literal: Token) -> String { String(decoding: stringBytes(literal), as: UTF8.self) }

    func stringBytes(_ literal: Token) -> [UInt8] {
        // The lexer has checked every escape.
        StringUnquoting.unquote(Array(lexer.input[literal.range.start..<literal.range.end])) ?? []
    }

    mutating func number(_ literal: Token) -> NumberLiteral {
        if literal.kind == .duration {
            let seconds = durationSeconds(literal)
            return NumberLiteral(value: seconds, isDuration: true, range: literal.range)
        }
        guard let value = NumberSyntax.parse(literal.text) else {
            note(
                "error parsing number: strconv.ParseFloat: parsing \(GoQuote.quote(literal.text)): "
                    + (NumberSyntax.isTooLarge(literal.text) ? "value out of range" : "invalid syntax"), literal.range)
            return NumberLiteral(value: 0, isDuration: false, range: literal.range)
        }
        return NumberLiteral(value: value, isDuration: false, range: literal.range)
    }
}

extension Token {
    /// Words in front of a parenthesis that call a function.
    fileprivate var mayBeFunction: Bool {
        switch kind {
        case .identifier: true
        case .keyword(let keyword): [.start, .end, .step, .range, .minOf, .maxOf].contains(keyword)
        default: false
        }
    }
}
