private import SeriesModel

/// Builds the tree of a template. Grammar, scopes of variables and messages follow Go's `text/template/parse`.
struct TemplateParser {
    private static let depthMax = 100

    private let name: String
    private var lexer: TemplateLexer
    /// Tokens read ahead, the next one last.
    private var lookahead: [TemplateToken] = []
    /// The line of the newest token read, which is what messages show.
    private var line = 1
    /// Where the current action began.
    private var actionLine = 0
    private var variables: [String] = ["$"]
    private var rangeDepth = 0
    private var depth = 0
    private(set) var definitions: [String: [TemplateNode]] = [:]

    static func parse(_ text: String, name: String) throws(TemplateError) -> [String: [TemplateNode]] {
        var parser = TemplateParser(name: name, lexer: TemplateLexer(text))
        let (body, end) = try parser.nodes(atTopLevel: true)
        if case .keyword(let keyword) = end.kind { throw parser.failure("unexpected {{\(keyword.rawValue)}}") }
        parser.definitions[name] = body
        return parser.definitions
    }

    private init(name: String, lexer: TemplateLexer) {
        self.name = name
        self.lexer = lexer
    }

    // MARK: Tokens

    private mutating func next() -> TemplateToken {
        let token = lookahead.popLast() ?? lexer.next()
        line = token.line
        return token
    }

    private mutating func back(_ token: TemplateToken) { lookahead.append(token) }

    private mutating func peek() -> TemplateToken {
        let token = next()
        back(token)
        return token
    }

    private mutating func nextNonSpace() -> TemplateToken {
        while true {
            let token = next()
            if token.kind != .space { return token }
        }
    }

    private mutating func peekNonSpace() -> TemplateToken {
        let token = nextNonSpace()
        back(token)
        return token
    }

    private func failure(_ message: String) -> TemplateError {
        TemplateError(parsing: name, line: line, message)
    }

    private func unexpected(_ token: TemplateToken, _ context: String) -> TemplateError {
        guard token.kind == .failure else { return failure("unexpected \(token.description) in \(context)") }
        var extra = ""
        if actionLine != 0, actionLine != token.line {
            extra = " in action started at \(name):\(actionLine)"
            if token.text.hasSuffix(" action") { extra = String(extra.dropFirst(" in action".count)) }
        }
        return failure(token.text + extra)
    }

    private mutating func nested<Result>(
        _ body: (inout TemplateParser) throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        depth += 1
        defer { depth -= 1 }
        guard depth <= TemplateParser.depthMax else {
            throw failure("nested more than \(TemplateParser.depthMax) levels deep")
        }
        return try body(&self)
    }

    // MARK: Nodes

    /// Nodes up to an `{{end}}`, an `{{else}}` or, at the top level, the end of the text; and what stopped them. The
    /// stopping keyword is consumed, what follows it is not.
    private mutating func nodes(atTopLevel: Bool) throws(TemplateError) -> ([TemplateNode], TemplateToken) {
        var nodes: [TemplateNode] = []
        while true {
            let token = nextNonSpace()
            switch token.kind {
            case .text: nodes.append(.text(token.text))
            case .end:
                if atTopLevel { return (nodes, token) }
                throw failure("unexpected EOF")
            case .leftDelimiter:
                actionLine = token.line
                defer { actionLine = 0 }
                let first = nextNonSpace()
                switch first.kind {
                case .keyword(.end), .keyword(.else): return (nodes, first)
                case .keyword(.define):
                    guard atTopLevel else { throw unexpected(first, "command") }
                    try nested { parser throws(TemplateError) in try parser.define() }
                default:
                    nodes.append(
                        try nested { parser throws(TemplateError) in try parser.action(first) })
                }
            default: throw unexpected(token, "input")
            }
        }
    }

    private mutating func action(_ first: TemplateToken) throws(TemplateError) -> TemplateNode {
        switch first.kind {
        case .keyword(.if): return .branch(try control("if", first.position))
        case .keyword(.with): return .with(try control("with", first.position))
        case .keyword(.range): return .range(try control("range", first.position))
        case .keyword(.template): return try templateCall()
        case .keyword(.block): return try block()
        case .keyword(.break), .keyword(.continue):
            let word = first.kind == .keyword(.break) ? "break" : "continue"
            let end = nextNonSpace()
            guard end.kind == .rightDelimiter else { throw unexpected(end, "{{\(word)}}") }
            guard rangeDepth > 0 else { throw failure("{{\(word)}} outside {{range}}") }
            return word == "break" ? .breakLoop : .continueLoop
        default:
            back(first)
            // Variables declared here live until the enclosing block ends.
            return .action(try pipeline("command", until: .rightDelimiter))
        }
    }

    private mutating func control(_ context: String, _ position: Int) throws(TemplateError) -> TemplateBranch {
        let mark = variables.count
        defer { variables.removeLast(max(0, variables.count - mark)) }
        let pipeline = try pipeline(context, until: .rightDelimiter)
        if context == "range" { rangeDepth += 1 }
        let (body, stop) = try nodes(atTopLevel: false)
        if context == "range" { rangeDepth -= 1 }
        var branch = TemplateBranch(position: position, pipeline: pipeline, body: body, otherwise: [])
        if stop.kind == .keyword(.end) {
            try endOfAction("end")
            return branch
        }
        // {{else if x}} and {{else with x}} hold the rest of the chain, its {{end}} included.
        let following = peekNonSpace()
        if following.kind == .keyword(.if), context == "if" {
            _ = nextNonSpace()
            branch.otherwise = [
                .branch(
                    try nested { parser throws(TemplateError) in try parser.control("if", following.position) })
            ]
            return branch
        }
        if following.kind == .keyword(.with), context == "with" {
            _ = nextNonSpace()
            branch.otherwise = [
                .with(
                    try nested { parser throws(TemplateError) in try parser.control("with", following.position) })
            ]
            return branch
        }
        try endOfAction("else")
        let (otherwise, end) = try nodes(atTopLevel: false)
        guard end.kind == .keyword(.end) else { throw failure("expected end; found {{else}}") }
        try endOfAction("end")
        branch.otherwise = otherwise
        return branch
    }

    private mutating func endOfAction(_ context: String) throws(TemplateError) {
        let token = nextNonSpace()
        guard token.kind == .rightDelimiter else { throw unexpected(token, context) }
    }

    private mutating func define() throws(TemplateError) {
        let defined = try quotedName("define clause")
        try endOfAction("define clause")
        definitions[defined] = try definitionBody("define clause")
    }

    /// A definition sees none of the variables around it.
    private mutating func definitionBody(_ context: String) throws(TemplateError) -> [TemplateNode] {
        let outer = (variables, rangeDepth)
        (variables, rangeDepth) = (["$"], 0)
        defer { (variables, rangeDepth) = outer }
        let (body, end) = try nodes(atTopLevel: false)
        guard end.kind == .keyword(.end) else { throw failure("unexpected {{else}} in \(context)") }
        try endOfAction("end")
        return body
    }

    private mutating func templateCall() throws(TemplateError) -> TemplateNode {
        let position = peekNonSpace().position
        let name = try quotedName("template clause")
        if nextIsRightDelimiter() { return .template(name: name, position: position, argument: nil) }
        let argument = try pipeline("template clause", until: .rightDelimiter)
        return .template(name: name, position: position, argument: argument)
    }

    private mutating func block() throws(TemplateError) -> TemplateNode {
        let position = peekNonSpace().position
        let name = try quotedName("block clause")
        let argument = try pipeline("block clause", until: .rightDelimiter)
        definitions[name] = try definitionBody("block clause")
        return .template(name: name, position: position, argument: argument)
    }

    private mutating func nextIsRightDelimiter() -> Bool {
        let token = nextNonSpace()
        if token.kind == .rightDelimiter { return true }
        back(token)
        return false
    }

    private mutating func quotedName(_ context: String) throws(TemplateError) -> String {
        let token = nextNonSpace()
        guard token.kind == .string || token.kind == .rawString else { throw unexpected(token, context) }
        guard let name = GoUnquote.unquote(token.text) else { throw failure("invalid syntax") }
        return name
    }

    // MARK: Pipelines

    private mutating func pipeline(
        _ context: String, until end: TemplateToken.Kind
    ) throws(TemplateError) -> TemplatePipeline {
        var pipeline = TemplatePipeline(position: peekNonSpace().position)
        try declarations(&pipeline, context)
        while true {
            let token = nextNonSpace()
            if token.kind == end { break }
            switch token.kind {
            case .bool, .characterConstant, .dot, .field, .identifier, .number, .none, .rawString, .string, .variable,
                .leftParenthesis:
                back(token)
                pipeline.commands.append(try command())
            default: throw unexpected(token, context)
            }
        }
        guard !pipeline.commands.isEmpty else { throw failure("missing value for \(context)") }
        for (index, command) in pipeline.commands.enumerated().dropFirst() {
            guard command.operands.first?.isExecutable == true else {
                throw failure("non executable command in pipeline stage \(index + 1)")
            }
        }
        return pipeline
    }

    private mutating func declarations(_ pipeline: inout TemplatePipeline, _ context: String) throws(TemplateError) {
        while true {
            let variable = nextNonSpace()
            guard variable.kind == .variable else { return back(variable) }
            let adjacent = next()
            let following = adjacent.kind == .space ? nextNonSpace() : adjacent
            switch following.kind {
            case .assign, .declare:
                pipeline.isAssignment = following.kind == .assign
                pipeline.variables.append(variable.text)
                variables.append(variable.text)
                return
            case .character where following.text == ",":
                pipeline.variables.append(variable.text)
                variables.append(variable.text)
                guard context == "range", pipeline.variables.count < 2 else {
                    throw failure("too many declarations in \(context)")
                }
                guard [.variable, .rightDelimiter, .rightParenthesis].contains(peekNonSpace().kind) else {
                    throw failure("range can only initialize variables")
                }
            default:
                // An argument, not a declaration: everything goes back, the blank too, as it parts arguments.
                back(following)
                if adjacent.kind == .space { back(adjacent) }
                back(variable)
                return
            }
        }
    }

    private mutating func command() throws(TemplateError) -> TemplateCommand {
        var command = TemplateCommand(position: peekNonSpace().position, operands: [])
        while true {
            _ = peekNonSpace()
            if let operand = try operand() { command.operands.append(operand) }
            let token = next()
            switch token.kind {
            case .space: continue
            case .rightDelimiter, .rightParenthesis: back(token)
            case .pipe: break
            default: throw unexpected(token, "operand")
            }
            break
        }
        guard !command.operands.isEmpty else { throw failure("empty command") }
        return command
    }

    /// A term with the fields that hang on it.
    private mutating func operand() throws(TemplateError) -> TemplateOperand? {
        guard let term = try term() else { return nil }
        let first = peek()
        guard first.kind == .field else { return term }
        var fields: [String] = []
        while peek().kind == .field { fields.append(String(next().text.dropFirst())) }
        switch term {
        case .field(let names, _): return .field(names + fields, position: first.position)
        case .variable(let name, let names, _):
            return .variable(name, fields: names + fields, position: first.position)
        case .bool, .string, .number, .none, .dot:
            throw failure("unexpected . after term \(GoQuote.quote(term.text))")
        default: return .chain(term, fields: fields, position: first.position)
        }
    }

    private mutating func term() throws(TemplateError) -> TemplateOperand? {
        let token = nextNonSpace()
        let position = token.position
        switch token.kind {
        case .identifier:
            guard TemplateFunctionTable.all[token.text] != nil else {
                throw failure("function \(GoQuote.quote(token.text)) not defined")
            }
            return .identifier(token.text, position: position)
        case .dot: return .dot(position: position)
        case .none: return TemplateOperand.none(position: position)
        case .variable:
            guard variables.contains(token.text) else {
                throw failure("undefined variable \(GoQuote.quote(token.text))")
            }
            return .variable(token.text, fields: [], position: position)
        case .field: return .field([String(token.text.dropFirst())], position: position)
        case .bool: return .bool(token.text == "true", position: position)
        case .number, .characterConstant:
            guard let number = TemplateNumber(token.text) else {
                throw failure("illegal number syntax: \(GoQuote.quote(token.text))")
            }
            return .number(number, position: position)
        case .leftParenthesis:
            return .pipeline(
                try nested { parser throws(TemplateError) in
                    try parser.pipeline("parenthesized pipeline", until: .rightParenthesis)
                })
        case .string, .rawString:
            guard let value = GoUnquote.unquote(token.text) else { throw failure("invalid syntax") }
            return .string(value, quoted: token.text, position: position)
        default:
            back(token)
            return nil
        }
    }
}
