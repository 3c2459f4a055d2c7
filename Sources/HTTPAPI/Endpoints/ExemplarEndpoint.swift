import HTTPTypes
import PromQLEngine
import PromQLSyntax
import SeriesModel

/// `query_exemplars`. Exemplars are not stored: a well-formed question is told that there are none, which is what
/// Grafana's probe needs to see.
extension APIRoutes {
    var exemplarRoutes: [Route] {
        [Route(APIRoutes.getAndPost, "/api/v1/query_exemplars") { try queryExemplars($0) }]
    }

    private func queryExemplars(_ request: APIRequest) throws -> APIResponse {
        let range = try request.range()
        guard range.max >= range.min else {
            throw APIError(.badData, "end timestamp must not be before start timestamp")
        }
        let expression: Expression
        do {
            expression = try Parser.parse(request.form["query"], options: services.engine.parserOptions)
        } catch {
            throw APIError(.badData, error.description)
        }
        guard expression.hasSelector else { return .empty() }
        return .success { $0.array { _ in } }
    }
}

extension Expression {
    fileprivate var hasSelector: Bool {
        if case .vectorSelector = self { return true }
        return children.contains { $0.hasSelector }
    }
}
