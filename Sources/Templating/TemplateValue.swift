private import SeriesModel

/// What a template computes with: the kinds of Go values that alert templates can meet.
package indirect enum TemplateValue: Sendable {
    /// Go's nil, and what a missing key of an untyped map gives.
    case none
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case float(Double)
    case string(String)
    /// Text that the HTML mode does not escape.
    case safeHTML(String)
    case list([TemplateValue])
    /// `map[string]string`: a missing key is "".
    case labels([String: String])
    /// `map[string]any`: a missing key is nothing.
    case map([String: TemplateValue])
    /// A value with named fields, as the data of an alert; an unknown field is an error.
    case record([String: TemplateValue], typeName: String)
    case sample(TemplateSample)
    case vector([TemplateSample])
    /// Nanoseconds since the epoch, UTC.
    case time(Int64)
    /// Nanoseconds.
    case duration(Int64)
    /// A month or a day of the week: a number with a name.
    case named(Int64, String, typeName: String)
}

/// One element of a query's result.
package struct TemplateSample: Sendable {
    package var labels: [String: String]
    /// A float, or the text of a native histogram.
    package var value: TemplateValue

    package init(labels: [String: String], value: TemplateValue) {
        self.labels = labels
        self.value = value
    }

    package init(labels: [String: String], value: Double) {
        self.init(labels: labels, value: .float(value))
    }
}

extension TemplateValue {
    /// The name of the Go type, as messages show it.
    var typeName: String {
        switch self {
        case .none: "<nil>"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .float: "float64"
        case .string: "string"
        case .safeHTML: "template.HTML"
        case .list: "[]interface {}"
        case .labels: "map[string]string"
        case .map: "map[string]interface {}"
        case .record(_, let name): name
        case .sample: "*template.sample"
        case .vector: "template.queryResult"
        case .time: "*time.Time"
        case .duration: "*time.Duration"
        case .named(_, _, let name): name
        }
    }

    /// Go's truth: everything but the zero of its kind, the empty text, list or map.
    var isTrue: Bool {
        switch self {
        case .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .uint(let value): value != 0
        case .float(let value): value != 0
        case .string(let text), .safeHTML(let text): !text.isEmpty
        case .list(let list): !list.isEmpty
        case .labels(let map): !map.isEmpty
        case .map(let map): !map.isEmpty
        case .vector(let samples): !samples.isEmpty
        case .named(let value, _, _): value != 0
        case .record, .sample, .time, .duration: true
        }
    }

    /// What an action writes: Go's `fmt.Print`.
    var printed: String { GoFormat.text(of: self) }

    /// The number behind a value, for the humanizing functions.
    func number() throws(FunctionStop) -> Double {
        switch self {
        case .float(let value): return value
        case .int(let value): return Double(value)
        case .uint(let value): return Double(value)
        case .duration(let nanoseconds): return Double(nanoseconds) / 1e9
        case .string(let text):
            guard let value = NumberText.parse(text) else {
                throw .failure("strconv.ParseFloat: parsing \(GoQuote.quote(text)): invalid syntax")
            }
            return value
        default: throw .failure("can't convert \(typeName) to float")
        }
    }
}
