import HTTPTypes
import PromQLEngine
import PromQLSyntax
import SeriesModel
import StorageAPI

/// `query_exemplars`: the exemplars of all series that the selectors of an expression select, whatever the expression
/// does with them.
extension APIRoutes {
    var exemplarRoutes: [Route] {
        [Route(APIRoutes.getAndPost, "/api/v1/query_exemplars") { try await queryExemplars($0) }]
    }

    private func queryExemplars(_ request: APIRequest) async throws -> APIResponse {
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
        let selectors = expression.selectors
        if selectors.isEmpty { return .empty() }
        guard let exemplars = services.exemplars else { return .success { $0.array { _ in } } }
        let found = try await withCancellation {
            try exemplars.exemplars(matching: selectors, in: range, cancellation: $0)
        }
        return .success { writer in
            writer.array(of: found) { writer, series in
                writer.object { writer in
                    writer.field("seriesLabels", labels: series.labels)
                    writer.key("exemplars")
                    writer.array(of: series.exemplars) { $0.exemplar($1) }
                }
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func exemplar(_ exemplar: Exemplar) {
        object { writer in
            writer.field("labels", labels: exemplar.labels)
            writer.key("value")
            writer.sampleValue(exemplar.value)
            writer.key("timestamp")
            writer.timestamp(exemplar.timestamp)
        }
    }
}

extension Expression {
    /// The conditions of every selector, those within range selectors included.
    fileprivate var selectors: [[LabelMatcher]] {
        var found: [[LabelMatcher]] = []
        var pending = [self]
        while let expression = pending.popLast() {
            if case .vectorSelector(let selector) = expression { found.append(selector.matchers) }
            pending += expression.children
        }
        return found
    }
}
