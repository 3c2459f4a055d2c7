import HTTPTypes
import SeriesModel
import StorageAPI

/// `series`, `labels`, `label/<name>/values`: what is stored under which names.
extension APIRoutes {
    var seriesRoutes: [Route] {
        [
            Route(APIRoutes.getAndPost, "/api/v1/series") { try await series($0) },
            Route(APIRoutes.getAndPost, "/api/v1/labels") { try await labelNames($0) },
            Route([.get], "/api/v1/label/:name/values") { try await labelValues($0) },
        ]
    }

    private func series(_ request: APIRequest) async throws -> APIResponse {
        guard !request.form.all("match[]").isEmpty else { throw APIError(.badData, "no match[] parameter provided") }
        let limit = try request.limit()
        let range = try request.range()
        let matchers = try request.matchers()
        let found = try await withCancellation { [storage = services.storage] in
            try storage.series(matching: matchers, in: range, cancellation: $0)
        }
        return limited(found, limit) { $0.labels($1) }
    }

    private func labelNames(_ request: APIRequest) async throws -> APIResponse {
        let limit = try request.limit()
        let range = try request.range()
        let matchers = try request.matchers()
        let names = try await withCancellation { [storage = services.storage] in
            try storage.labelNames(matching: matchers, in: range, cancellation: $0)
        }
        return limited(names, limit) { $0.string($1) }
    }

    private func labelValues(_ request: APIRequest) async throws -> APIResponse {
        let name = LabelNameEscaping.unescape(request.pathParameters["name"] ?? "")
        guard LabelName.isValid(name) else { throw APIError(.badData, "invalid label name: \(GoQuote.quote(name))") }
        let limit = try request.limit()
        let range = try request.range()
        let matchers = try request.matchers()
        let values = try await withCancellation { [storage = services.storage] in
            try storage.labelValues(of: name, matching: matchers, in: range, cancellation: $0)
        }
        return limited(values, limit) { $0.string($1) }
    }

    private func limited<Element>(
        _ elements: [Element], _ limit: Int?, _ write: (inout JSONWriter, Element) -> Void
    ) -> APIResponse {
        let shown = elements.prefix(limit ?? elements.count)
        let warnings = shown.count < elements.count ? [APIRoutes.truncationWarning] : []
        return .success(warnings: warnings) { $0.array(of: shown, write) }
    }

    /// Runs a look-up that stops when the client has gone. It blocks the thread it is on: a worker's.
    func withCancellation<Result>(_ body: (Cancellation) throws -> Result) async throws -> Result {
        let cancellation = Cancellation()
        return try await withTaskCancellationHandler {
            try body(cancellation)
        } onCancel: {
            cancellation.cancel()
        }
    }
}
