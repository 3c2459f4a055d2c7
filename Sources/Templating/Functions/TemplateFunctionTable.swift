/// What went wrong inside a function.
enum FunctionStop: Error {
    case failure(String)
    case needsQuery(String)
}

/// What a function may see besides its arguments.
struct FunctionContext {
    let environment: TemplateEnvironment
    let answers: [String: TemplateExecutor.Answer]
}

/// The declared type of a parameter.
enum TemplateParameter {
    case any, string, sample, vector, time, duration, int

    var typeName: String {
        switch self {
        case .any: "interface {}"
        case .string: "string"
        case .sample: "*template.sample"
        case .vector: "template.queryResult"
        case .time: "time.Time"
        case .duration: "time.Duration"
        case .int: "int"
        }
    }

    /// As messages about literals say it.
    var constantName: String {
        switch self {
        case .int, .duration: "integer"
        default: typeName
        }
    }

    var canBeNil: Bool {
        switch self {
        case .any, .sample, .vector: true
        default: false
        }
    }

    /// The value, where its type fits.
    func accept(_ value: TemplateValue) -> TemplateValue? {
        switch (self, value) {
        case (.any, _), (.string, .string), (.sample, .sample), (.vector, .vector), (.time, .time),
            (.duration, .duration), (.int, .int):
            value
        case (.string, .safeHTML(let text)): .string(text)
        default: nil
        }
    }

    /// The same for a literal, which takes the type that is wanted.
    func convert(_ value: TemplateValue) -> TemplateValue? {
        if case (.duration, .int(let nanoseconds)) = (self, value) { return .duration(nanoseconds) }
        return accept(value)
    }
}

/// A function that templates can call.
struct TemplateFunction {
    typealias Body = @Sendable ([TemplateValue], FunctionContext) throws(FunctionStop) -> TemplateValue

    enum Kind: Sendable {
        case plain(Body)
        /// `and`, `or`: the truth at which the evaluation stops.
        case shortCircuit(Bool)
        /// `tmpl`: expands a defined template.
        case template
    }

    let name: String
    let parameters: [TemplateParameter]
    var variadic: TemplateParameter?
    let body: Kind

    init(
        _ name: String, _ parameters: [TemplateParameter], variadic: TemplateParameter? = nil,
        _ body: @escaping Body
    ) {
        self.name = name
        self.parameters = parameters
        self.variadic = variadic
        self.body = .plain(body)
    }

    init(_ name: String, _ parameters: [TemplateParameter], kind: Kind) {
        self.name = name
        self.parameters = parameters
        body = kind
    }
}

/// All functions by name: Go's own and Prometheus'.
enum TemplateFunctionTable {
    static let all: [String: TemplateFunction] = Dictionary(
        (GoFunctions.all + PrometheusFunctions.all + HumanizingFunctions.all).map { ($0.name, $0) },
        uniquingKeysWith: { first, _ in first })
}
