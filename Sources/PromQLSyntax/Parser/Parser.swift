package import SeriesModel

/// Reads PromQL: a recursive-descent parser with precedence climbing. Findings are collected as upstream's generated
/// parser would report them; an unexpected token ends the parse.
package struct Parser {
    /// Thrown inside the parser once an error that nothing can follow has been noted.
    struct Halt: Error {}

    private(set) var lexer: Lexer
    let options: ParserOptions
    private(set) var token: Token
    private var findings: [ParseError.Finding] = []
    /// End of the newest token consumed.
    private(set) var consumedEnd = 0
    private var depth = 0
    /// Of the tree that was built last: how many nodes lie above each other. Unlike `depth` it grows with a chain of
    /// operators, which is nested in the tree but not in the text.
    var height = 0
    /// How many aggregations' argument lists the parser is in.
    var aggregationDepth = 0
    /// An error has been met inside an aggregation's arguments.
    var hasRecovered = false
    /// An expression that got a range without being a selector, brackets included.
    var brokenRange: SourceRange?

    private init(_ input: [UInt8], options: ParserOptions) {
        lexer = Lexer(input)
        self.options = options
        token = Token(kind: .end, text: "", range: SourceRange(0, 0))
    }

    // MARK: Entries

    package static func parse(
        _ query: String, options: ParserOptions = ParserOptions()
    ) throws(ParseError) -> Expression {
        try parse(bytes: Array(query.utf8), options: options)
    }

    /// - Parameter query: need not be valid UTF-8.
    package static func parse(
        bytes query: [UInt8], options: ParserOptions = ParserOptions()
    ) throws(ParseError) -> Expression {
        guard query.count <= options.bytesMax else {
            let message = "query is longer than \(options.bytesMax) bytes"
            throw ParseError([.init(range: SourceRange(0, 0), message: message)], in: [])
        }
        var parser = Parser(query, options: options)
        return try parser.run { parser throws(Halt) in
            if parser.token.kind == .end {
                throw parser.halt("no expression found in input", SourceRange(0, 0))
            }
            let expression = try parser.expression()
            if parser.token.kind != .end { throw parser.unexpected() }
            if parser.hasFindings { throw Halt() }
            return parser.checked(expression)
        }
    }

    /// A selector as `match[]` takes it: a name, conditions, or both, and nothing else. It may select everything:
    /// whoever minds checks that.
    package static func parseSelector(_ text: String) throws(ParseError) -> [LabelMatcher] {
        var parser = Parser(Array(text.utf8), options: .everything)
        return try parser.run { parser throws(Halt) in
            var name: Token?
            if parser.token.kind != .leftBrace {
                guard let word = parser.metricName() else { throw parser.unexpected() }
                name = word
                try parser.advance()
            }
            let selector = try parser.selector(name: name)
            guard parser.token.kind == .end else { throw parser.unexpected() }
            return selector.matchers
        }
    }

    /// The description of one series, `name{label="value"}`, at the beginning of a text.
    /// - Returns: the labels, and the number of bytes they took.
    package static func parseMetricPrefix(_ text: String) throws(ParseError) -> (labels: LabelSet, byteCount: Int) {
        var parser = Parser(Array(text.utf8), options: .everything)
        return try parser.run { parser throws(Halt) in
            var name = ""
            if let word = parser.metricName() {
                name = word.text
                parser.consumedEnd = word.range.end
                guard parser.lexer.peekAfter(word) == UInt8(ascii: "{") else {
                    return (LabelSet([Label(Label.metricName, name)]), word.range.end)
                }
                try parser.advance()
            }
            guard parser.token.kind == .leftBrace else { throw parser.unexpected() }
            let (matchers, end) = try parser.matchersWithoutLookahead()
            var labels = name.isEmpty ? [] : [Label(Label.metricName, name)]
            for matcher in matchers {
                guard matcher.kind == .equal else {
                    throw parser.halt("a series description takes only \"=\"", SourceRange(0, end))
                }
                labels.append(Label(matcher.name, matcher.value))
            }
            return (LabelSet(labels), end)
        }
    }

    private mutating func run<Result>(
        _ body: (inout Parser) throws(Halt) -> Result
    ) throws(ParseError) -> Result {
        do throws(Halt) {
            try advance()
            let result = try body(&self)
            if findings.isEmpty { return result }
        } catch {}
        throw ParseError(findings, in: lexer.input)
    }

    // MARK: Tokens and findings

    var hasFindings: Bool { !findings.isEmpty }

    mutating func note(_ message: String, _ range: SourceRange) {
        // Nobody reads more, and a long query could bring on any number.
        guard findings.count < 100 else { return }
        findings.append(.init(range: range, message: message))
    }

    mutating func halt(_ message: String, _ range: SourceRange) -> Halt {
        note(message, range)
        return Halt()
    }

    /// The current token does not fit.
    mutating func unexpected(in context: String = "", expected: String = "") -> Halt {
        var message = "unexpected " + token.description
        if !context.isEmpty {
            message += " in " + context
            // Such places recover by themselves.
            hasRecovered = true
        } else if aggregationDepth > 0 {
            message += " in aggregation"
        }
        if !expected.isEmpty { message += ", expected " + expected }
        return halt(message, token.range)
    }

    /// Consumes the current token and reads the next.
    mutating func advance() throws(Halt) {
        consumedEnd = token.range.end
        do throws(Lexer.Failure) {
            token = try lexer.next()
        } catch {
            throw halt(error.message, SourceRange(error.start, lexer.input.count))
        }
    }

    /// For the end of a text that other things follow: marks the token consumed, without reading on.
    mutating func finishToken() { consumedEnd = token.range.end }

    mutating func accept(_ kind: Token.Kind) throws(Halt) -> Bool {
        guard token.kind == kind else { return false }
        try advance()
        return true
    }

    mutating func accept(_ keyword: Token.Keyword) throws(Halt) -> Bool {
        try accept(.keyword(keyword))
    }

    /// Nests one level, within the limit.
    mutating func nested<Result>(_ body: (inout Parser) throws(Halt) -> Result) throws(Halt) -> Result {
        depth += 1
        defer { depth -= 1 }
        guard depth <= options.depthMax else {
            throw halt("expression is nested more than \(options.depthMax) levels deep", token.range)
        }
        return try body(&self)
    }

    /// Puts a node on top of the tree built last, within the limit.
    mutating func grow(_ place: SourceRange) throws(Halt) {
        height += 1
        guard height <= options.depthMax else {
            throw halt("expression is nested more than \(options.depthMax) levels deep", place)
        }
    }
}

extension Lexer {
    /// The byte right behind a token, blanks not skipped.
    func peekAfter(_ token: Token) -> UInt8? {
        token.range.end < input.count ? input[token.range.end] : nil
    }
}
