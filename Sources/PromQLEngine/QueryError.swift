/// Why a query has no answer. The HTTP API maps the cases to statuses in one place.
package enum QueryError: Error, Sendable, Hashable {
    /// The text is no query: `1:5: parse error: …`. bad_data, 400
    case parse(String)
    /// The query cannot be evaluated on this data. execution, 422
    case execution(String)
    /// It wants more samples, or bytes, than a query may hold. execution, 422
    case tooLarge(String)
    /// The deadline passed, waiting included; the text says where. timeout, 503
    case timeout(String)
    /// The client went away. canceled, 499
    case canceled(String)
    /// The store failed. internal, 500
    case storage(String)
}

extension QueryError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .parse(let text), .execution(let text), .tooLarge(let text), .timeout(let text), .canceled(let text),
            .storage(let text):
            text
        }
    }
}
