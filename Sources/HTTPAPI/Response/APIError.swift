package import PromQLEngine
package import StorageAPI

/// An error as the API shows it. This file is the one place where errors become statuses.
package struct APIError: Error, Sendable, Hashable {
    package enum Kind: String, Sendable {
        case badData = "bad_data"
        case execution, canceled, timeout, `internal`, unavailable
        case notFound = "not_found"
        case notAcceptable = "not_acceptable"

        package var status: Int {
            switch self {
            case .badData: 400
            case .execution: 422
            case .canceled: 499
            case .timeout: 503
            case .internal, .unavailable: 500
            case .notFound: 404
            case .notAcceptable: 406
            }
        }
    }

    package var kind: Kind
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package static func invalidParameter(_ name: String, _ reason: String) -> APIError {
        APIError(.badData, "invalid parameter \"\(name)\": \(reason)")
    }
}

extension APIError {
    package init(_ error: any Error) {
        switch error {
        case let error as APIError: self = error
        case let error as QueryError: self.init(error)
        case let error as StorageError: self.init(error)
        case is CancellationError: self.init(.canceled, "context canceled")
        default: self.init(.internal, "\(error)")
        }
    }

    package init(_ error: QueryError) {
        switch error {
        case .parse(let text): self = .invalidParameter("query", text)
        case .execution(let text), .tooLarge(let text): self.init(.execution, text)
        case .timeout(let text): self.init(.timeout, text)
        case .canceled(let text): self.init(.canceled, text)
        case .storage(let text): self.init(.internal, text)
        }
    }

    package init(_ error: StorageError) {
        switch error {
        case .invalid(let reason): self.init(.badData, reason)
        case .closed, .unavailable, .diskFull: self.init(.unavailable, error.description)
        case .corruption, .system: self.init(.internal, error.description)
        }
    }
}
