private import SeriesModel

/// The parsed form of a template. Positions are byte offsets into the text.
indirect enum TemplateNode: Sendable {
    case text(String)
    case action(TemplatePipeline)
    case branch(TemplateBranch)
    case range(TemplateBranch)
    case with(TemplateBranch)
    case template(name: String, position: Int, argument: TemplatePipeline?)
    case breakLoop
    case continueLoop
}

/// `if`, `range` and `with`: a pipeline and two bodies.
struct TemplateBranch: Sendable {
    var position: Int
    var pipeline: TemplatePipeline
    var body: [TemplateNode]
    var otherwise: [TemplateNode]
}

struct TemplatePipeline: Sendable {
    var position: Int
    /// Variables that take the value: one, or two in a range.
    var variables: [String] = []
    /// `=` instead of `:=`.
    var isAssignment = false
    var commands: [TemplateCommand] = []

    var text: String {
        let target = variables.isEmpty ? "" : variables.joined(separator: ", ") + (isAssignment ? " = " : " := ")
        return target + commands.map(\.text).joined(separator: " | ")
    }
}

struct TemplateCommand: Sendable {
    var position: Int
    var operands: [TemplateOperand]

    var text: String {
        operands.map { operand in
            if case .pipeline(let pipeline) = operand { return "(" + pipeline.text + ")" }
            return operand.text
        }.joined(separator: " ")
    }
}

indirect enum TemplateOperand: Sendable {
    case dot(position: Int)
    case none(position: Int)
    case bool(Bool, position: Int)
    case number(TemplateNumber, position: Int)
    /// The value, and the text as it was quoted.
    case string(String, quoted: String, position: Int)
    /// `.A.B`
    case field([String], position: Int)
    /// `$x.A.B`
    case variable(String, fields: [String], position: Int)
    /// The name of a function.
    case identifier(String, position: Int)
    case pipeline(TemplatePipeline)
    /// `(…).A.B`
    case chain(TemplateOperand, fields: [String], position: Int)

    var position: Int {
        switch self {
        case .dot(let position), .none(let position), .bool(_, let position), .number(_, let position),
            .string(_, _, let position), .field(_, let position), .variable(_, _, let position),
            .identifier(_, let position), .chain(_, _, let position):
            position
        case .pipeline(let pipeline): pipeline.position
        }
    }

    var text: String {
        switch self {
        case .dot: "."
        case .none: "nil"
        case .bool(let value, _): value ? "true" : "false"
        case .number(let number, _): number.text
        case .string(_, let quoted, _): quoted
        case .field(let names, _): names.map { "." + $0 }.joined()
        case .variable(let name, let fields, _): ([name] + fields).joined(separator: ".")
        case .identifier(let name, _): name
        case .pipeline(let pipeline): pipeline.text
        case .chain(let base, let fields, _):
            (base.isPipeline ? "(" + base.text + ")" : base.text) + fields.map { "." + $0 }.joined()
        }
    }

    private var isPipeline: Bool {
        if case .pipeline = self { return true }
        return false
    }

    /// Operands that cannot stand at the head of a later stage of a pipeline.
    var isExecutable: Bool {
        switch self {
        case .bool, .dot, .none, .number, .string: false
        default: true
        }
    }
}

/// A numeric literal: as Go, it is what its context makes of it.
struct TemplateNumber: Sendable {
    var text: String
    var int: Int64?
    var float: Double?

    /// `0x1F`, `0b1`, `0o7`, `017`, `1_000`, `1.5e3`, `'a'`. Nil where the text is no number.
    init?(_ text: String) {
        self.text = text
        if text.hasPrefix("'") {
            guard let value = GoUnquote.unquote(text), let scalar = value.unicodeScalars.first else { return nil }
            int = Int64(scalar.value)
            float = Double(scalar.value)
            return
        }
        let plain = text.filter { $0 != "_" }
        int = TemplateNumber.integer(plain)
        float = NumberText.parse(plain)
        if float == nil, let int { float = Double(int) }
        if int == nil && float == nil { return nil }
    }

    /// A literal with a point or an exponent is a float, any other an int.
    var isFloat: Bool {
        let isHex = text.hasPrefix("0x") || text.hasPrefix("0X")
        return !text.hasPrefix("'") && text.contains { ".pP".contains($0) || (!isHex && "eE".contains($0)) }
    }

    private static func integer(_ text: String) -> Int64? {
        let isNegative = text.hasPrefix("-")
        let digits = text.hasPrefix("-") || text.hasPrefix("+") ? String(text.dropFirst()) : text
        guard digits.first?.isNumber == true else { return nil }
        let lower = digits.lowercased()
        let magnitude: String
        let radix: Int
        if lower.hasPrefix("0x") {
            (magnitude, radix) = (String(lower.dropFirst(2)), 16)
        } else if lower.hasPrefix("0b") {
            (magnitude, radix) = (String(lower.dropFirst(2)), 2)
        } else if lower.hasPrefix("0o") {
            (magnitude, radix) = (String(lower.dropFirst(2)), 8)
        } else if lower.hasPrefix("0"), lower.utf8.count > 1 {
            (magnitude, radix) = (String(lower.dropFirst()), 8)
        } else {
            (magnitude, radix) = (lower, 10)
        }
        guard magnitude.first != "-", magnitude.first != "+" else { return nil }
        return Int64((isNegative ? "-" : "") + magnitude, radix: radix)
    }
}
