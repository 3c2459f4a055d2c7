package import PromQLEngine
package import SeriesModel

/// How rules ask: an instant query at a time (ms).
package typealias RuleQuery = @Sendable (_ query: String, _ time: Timestamp) async throws -> [VectorSample]

/// Makes queries for somebody: each group asks in its own name.
package typealias RuleQuerySource = @Sendable (QueryOrigin?) -> RuleQuery

extension QueryEngine {
    /// The engine as rules and their templates use it. A scalar counts as a vector with one unlabelled element.
    package func ruleQuery(_ origin: QueryOrigin?) -> RuleQuery {
        { [self] query, time in
            var options = QueryOptions()
            options.origin = origin
            options.isRule = true
            switch try await instant(query, at: time, options: options).value {
            case .vector(let samples): return samples
            case .scalar(let time, let value): return [VectorSample(labels: .empty, timestamp: time, value: value)]
            case .string, .matrix: throw RuleError.failed("rule result is not a vector or scalar")
            }
        }
    }
}

/// Why a rule's evaluation gave nothing.
package enum RuleError: Error, Sendable, Hashable, CustomStringConvertible {
    case failed(String)
    /// The evaluation was abandoned, as the group is being stopped.
    case cancelled

    package var description: String {
        switch self {
        case .failed(let text): text
        case .cancelled: "rule evaluation was cancelled"
        }
    }
}

extension RuleError {
    /// Any error of a query, in its own words.
    init(_ error: any Error) {
        switch error {
        case let error as RuleError: self = error
        case is CancellationError: self = .cancelled
        default: self = .failed("\(error)")
        }
    }
}
