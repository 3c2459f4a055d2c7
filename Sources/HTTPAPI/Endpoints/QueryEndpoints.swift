import HTTPTypes
import PromQLEngine
import PromQLSyntax
import SeriesModel

/// `query`, `query_range`, `format_query`, `parse_query`.
extension APIRoutes {
    var queryRoutes: [Route] {
        [
            Route(APIRoutes.getAndPost, "/api/v1/query") { try await query($0) },
            Route(APIRoutes.getAndPost, "/api/v1/query_range") { try await queryRange($0) },
            Route(APIRoutes.getAndPost, "/api/v1/format_query") { try formatQuery($0) },
            Route(APIRoutes.getAndPost, "/api/v1/parse_query") { try parseQuery($0) },
        ]
    }

    /// Upstream's limit: more points than a wide screen has pixels.
    private static let pointCountMax: Int64 = 11_000

    private func query(_ request: APIRequest) async throws -> APIResponse {
        let limit = try request.limit()
        let time = try request.time("time", default: services.clock.now())
        let result = try await services.engine.instant(
            request.form["query"], at: time, options: try queryOptions(request))
        return try await answer(result, limit: limit, request)
    }

    private func queryRange(_ request: APIRequest) async throws -> APIResponse {
        let limit = try request.limit()
        let start = try request.time("start")
        let end = try request.time("end")
        guard end >= start else {
            throw APIError.invalidParameter("end", "end timestamp must not be before start time")
        }
        let step = try request.requiredDuration("step")
        guard step > 0 else {
            throw APIError.invalidParameter(
                "step", "zero or negative query resolution step widths are not accepted. Try a positive integer")
        }
        guard end.subtractingClamped(start) / step <= APIRoutes.pointCountMax else {
            throw APIError(
                .badData,
                "exceeded maximum resolution of 11,000 points per timeseries. "
                    + "Try decreasing the query resolution (?step=XX)")
        }
        let result = try await services.engine.range(
            request.form["query"], from: start, to: end, step: step, options: try queryOptions(request))
        return try await answer(result, limit: limit, request)
    }

    private func queryOptions(_ request: APIRequest) throws -> QueryOptions {
        var options = QueryOptions(
            lookbackDelta: try request.duration("lookback_delta"), timeout: try request.duration("timeout"))
        options.explains = request.form["explain"] == "true"
        options.origin = .request(
            clientAddress: request.clientAddress, method: request.method.rawValue,
            path: services.options.routePrefix + request.path)
        return options
    }

    private func answer(_ result: QueryResult, limit: Int?, _ request: APIRequest) async throws -> APIResponse {
        var result = result
        if let limit, result.value.truncate(to: limit) { result.warnings.append(APIRoutes.truncationWarning) }
        return try await QueryAnswer(result: result, includesStatistics: !request.form["stats"].isEmpty).response()
    }

    private func formatQuery(_ request: APIRequest) throws -> APIResponse {
        let expression = try expression(of: request)
        return .success { $0.string(expression.pretty) }
    }

    private func parseQuery(_ request: APIRequest) throws -> APIResponse {
        let expression = try expression(of: request)
        return .success { $0.expression(expression) }
    }

    private func expression(of request: APIRequest) throws -> Expression {
        do {
            return try Parser.parse(request.form["query"], options: services.engine.parserOptions)
        } catch {
            throw APIError.invalidParameter("query", error.description)
        }
    }

    static let truncationWarning = "results truncated due to limit"
}

extension QueryValue {
    /// - Returns: whether series were cut off.
    fileprivate mutating func truncate(to limit: Int) -> Bool {
        switch self {
        case .scalar, .string: return false
        case .vector(let samples):
            guard samples.count > limit else { return false }
            self = .vector(Array(samples.prefix(limit)))
        case .matrix(let series):
            guard series.count > limit else { return false }
            self = .matrix(Array(series.prefix(limit)))
        }
        return true
    }
}
