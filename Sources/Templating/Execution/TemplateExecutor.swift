private import SeriesModel

/// Why an expansion stopped.
enum ExecutionStop: Error {
    case failed(TemplateError)
    /// The answer to this query is wanted.
    case needsQuery(String)
}

/// One walk over a template's tree. State and messages follow Go's `text/template/exec.go`: among other things which
/// node a message shows.
struct TemplateExecutor {
    enum Answer {
        case samples([TemplateSample])
        case failure(String)
    }

    /// How deep `{{template}}` may nest, recursion included.
    private static let templateDepthMax = 50

    enum Flow {
        case normal, breaking, continuing
    }

    private let bodies: [String: [TemplateNode]]
    let name: String
    private let text: String
    let environment: TemplateEnvironment
    let answers: [String: Answer]
    private var output: [UInt8] = []
    private var steps = 0
    private var templateDepth = 0
    /// The template being walked: the file's own or a defined one.
    private var section: String
    /// Innermost last; the first is `$`.
    private var variables: [(name: String, value: TemplateValue)] = []
    /// The node that a message would point at.
    private var place: (position: Int, text: String) = (0, "")

    init(
        name: String, text: String, bodies: [String: [TemplateNode]], environment: TemplateEnvironment,
        answers: [String: Answer]
    ) {
        self.name = name
        self.text = text
        self.bodies = bodies
        self.environment = environment
        self.answers = answers
        section = name
    }

    mutating func run(_ data: TemplateValue) throws(ExecutionStop) -> String {
        variables = [("$", data)]
        _ = try walk(bodies[name] ?? [], data)
        return String(decoding: output, as: UTF8.self)
    }

    // MARK: State

    mutating func at(_ position: Int, _ text: @autoclosure () -> String) { place = (position, text()) }

    mutating func at(_ operand: TemplateOperand) { place = (operand.position, operand.text) }

    func failure(_ message: String) -> ExecutionStop {
        var line = 1
        var column = 0
        for byte in text.utf8.prefix(place.position) {
            column += 1
            if byte == UInt8(ascii: "\n") { (line, column) = (line + 1, 0) }
        }
        return .failed(
            TemplateError(executing: name, line: line, column: column, in: section, at: place.text, message))
    }

    mutating func countStep() throws(ExecutionStop) {
        steps += 1
        if steps > environment.stepsMax { throw failure("template takes more than \(environment.stepsMax) steps") }
    }

    func variable(_ name: String) -> TemplateValue {
        variables.last { $0.name == name }?.value ?? .none
    }

    private mutating func assign(_ name: String, _ value: TemplateValue) {
        guard let index = variables.lastIndex(where: { $0.name == name }) else { return }
        variables[index].value = value
    }

    private mutating func pop(to count: Int) { variables.removeLast(max(0, variables.count - count)) }

    private mutating func write(_ text: String) throws(ExecutionStop) {
        output.append(contentsOf: text.utf8)
        if output.count > environment.outputBytesMax {
            throw failure("output is longer than \(environment.outputBytesMax) bytes")
        }
    }

    // MARK: Nodes

    private mutating func walk(_ nodes: [TemplateNode], _ dot: TemplateValue) throws(ExecutionStop) -> Flow {
        for node in nodes {
            try countStep()
            let flow = try walk(node, dot)
            if flow != .normal { return flow }
        }
        return .normal
    }

    private mutating func walk(_ node: TemplateNode, _ dot: TemplateValue) throws(ExecutionStop) -> Flow {
        switch node {
        case .text(let text): try write(text)
        case .action(let pipeline):
            let value = try evaluate(pipeline, dot)
            if pipeline.variables.isEmpty {
                at(pipeline.position, "{{" + pipeline.text + "}}")
                try write(environment.escapesHTML ? GoEscape.contextualHTML(value) : value.printed)
            }
        case .branch(let branch):
            return try scoped { executor throws(ExecutionStop) in
                let value = try executor.evaluate(branch.pipeline, dot)
                return try executor.walk(value.isTrue ? branch.body : branch.otherwise, dot)
            }
        case .with(let branch):
            return try scoped { executor throws(ExecutionStop) in
                let value = try executor.evaluate(branch.pipeline, dot)
                return value.isTrue
                    ? try executor.walk(branch.body, value) : try executor.walk(branch.otherwise, dot)
            }
        case .range(let branch):
            return try scoped { executor throws(ExecutionStop) in try executor.walkRange(branch, dot) }
        case .template(let called, let position, let argument):
            try walkTemplate(called, position, argument, dot)
        case .breakLoop: return .breaking
        case .continueLoop: return .continuing
        }
        return .normal
    }

    private mutating func scoped(
        _ body: (inout TemplateExecutor) throws(ExecutionStop) -> Flow
    ) throws(ExecutionStop) -> Flow {
        let mark = variables.count
        let flow = try body(&self)
        pop(to: mark)
        return flow
    }

    private mutating func walkTemplate(
        _ called: String, _ position: Int, _ argument: TemplatePipeline?, _ dot: TemplateValue
    ) throws(ExecutionStop) {
        let text =
            "{{template " + GoQuote.quote(called) + (argument.map { " " + $0.text } ?? "") + "}}"
        at(position, text)
        guard let body = bodies[called] else { throw failure("template \(GoQuote.quote(called)) not defined") }
        guard templateDepth < TemplateExecutor.templateDepthMax else {
            throw failure("exceeded maximum template depth (\(TemplateExecutor.templateDepthMax))")
        }
        var value = TemplateValue.none
        if let argument { value = try evaluate(argument, dot) }
        try call(called, body, value)
    }

    private mutating func call(
        _ called: String, _ body: [TemplateNode], _ value: TemplateValue
    ) throws(ExecutionStop) {
        let outer = (variables, section)
        (variables, section) = ([("$", value)], called)
        templateDepth += 1
        _ = try walk(body, value)
        templateDepth -= 1
        (variables, section) = outer
    }

    /// The output of a defined template, as the function `tmpl` gives it.
    mutating func expanded(_ called: String, _ value: TemplateValue) throws(ExecutionStop) -> String {
        guard let body = bodies[called] else { throw failure("template \(GoQuote.quote(called)) not defined") }
        guard templateDepth < TemplateExecutor.templateDepthMax else {
            throw failure("exceeded maximum template depth (\(TemplateExecutor.templateDepthMax))")
        }
        let outer = output
        output = []
        try call(called, body, value)
        let text = String(decoding: output, as: UTF8.self)
        output = outer
        return text
    }

    // MARK: Range

    private mutating func walkRange(_ branch: TemplateBranch, _ dot: TemplateValue) throws(ExecutionStop) -> Flow {
        at(branch.position, "range " + branch.pipeline.text)
        let value = try evaluate(branch.pipeline, dot)
        let variableCount = branch.pipeline.variables.count
        var isEmpty = true
        switch value {
        case .int(let count):
            if variableCount > 1 { throw failure("can't use \(count) to iterate over more than one variable") }
            var index: Int64 = 0
            while index < count {
                isEmpty = false
                if try iterate(branch, .int(index), .int(index)) == .breaking { return .normal }
                index += 1
            }
        case .list(let elements):
            for (index, element) in elements.enumerated() {
                isEmpty = false
                if try iterate(branch, .int(Int64(index)), element) == .breaking { return .normal }
            }
        case .vector(let samples):
            for (index, sample) in samples.enumerated() {
                isEmpty = false
                if try iterate(branch, .int(Int64(index)), .sample(sample)) == .breaking { return .normal }
            }
        case .labels(let map):
            for key in map.keys.sorted(by: { $0.precedesByBytes($1) }) {
                isEmpty = false
                if try iterate(branch, .string(key), .string(map[key] ?? "")) == .breaking { return .normal }
            }
        case .map(let map):
            for key in map.keys.sorted(by: { $0.precedesByBytes($1) }) {
                isEmpty = false
                if try iterate(branch, .string(key), map[key] ?? .none) == .breaking { return .normal }
            }
        case .none: break
        default: throw failure("range can't iterate over \(value.printed)")
        }
        return isEmpty ? try walk(branch.otherwise, dot) : .normal
    }

    private mutating func iterate(
        _ branch: TemplateBranch, _ key: TemplateValue, _ element: TemplateValue
    ) throws(ExecutionStop) -> Flow {
        let mark = variables.count
        let names = branch.pipeline.variables
        // With two variables the key comes first, a single one takes the element.
        if let last = names.last { assign(last, element) }
        if names.count > 1, let first = names.first { assign(first, key) }
        try countStep()
        let flow = try walk(branch.body, element)
        pop(to: mark)
        return flow
    }

    // MARK: Pipelines

    mutating func evaluate(_ pipeline: TemplatePipeline, _ dot: TemplateValue) throws(ExecutionStop) -> TemplateValue {
        at(pipeline.position, pipeline.text)
        var value: TemplateValue?
        for command in pipeline.commands { value = try evaluate(command, dot, final: value) }
        let result = value ?? .none
        for name in pipeline.variables {
            if pipeline.isAssignment {
                assign(name, result)
            } else {
                variables.append((name, result))
            }
        }
        return result
    }
}
