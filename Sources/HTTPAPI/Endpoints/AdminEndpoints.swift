import HTTPTypes
import SeriesModel

/// `admin/tsdb/*`: what changes or copies the data. Off unless `--web.enable-admin-api` is given.
extension APIRoutes {
    var adminRoutes: [Route] {
        let methods: [HTTPRequest.Method] = [.post, .put]
        return [
            Route(methods, "/api/v1/admin/tsdb/delete_series") { try await deleteSeries($0) },
            Route(methods, "/api/v1/admin/tsdb/clean_tombstones") { _ in try await cleanTombstones() },
            Route(methods, "/api/v1/admin/tsdb/snapshot") { try await snapshot($0) },
        ]
    }

    private func admin() throws(APIError) -> AdminServices {
        guard let admin = services.admin else { throw APIError(.unavailable, "admin APIs disabled") }
        return admin
    }

    private func deleteSeries(_ request: APIRequest) async throws -> APIResponse {
        let admin = try admin()
        guard !request.form.all("match[]").isEmpty else { throw APIError(.badData, "no match[] parameter provided") }
        let range = try request.range()
        try await admin.deleteSeries(try request.matchers(), range)
        return .empty()
    }

    private func cleanTombstones() async throws -> APIResponse {
        try await admin().cleanTombstones()
        return .empty()
    }

    private func snapshot(_ request: APIRequest) async throws -> APIResponse {
        let admin = try admin()
        let skipsHead: Bool
        switch request.form["skip_head"] {
        case "", "0", "f", "F", "false", "FALSE", "False": skipsHead = false
        case "1", "t", "T", "true", "TRUE", "True": skipsHead = true
        case let text:
            throw APIError.invalidParameter(
                "skip_head",
                "unable to parse boolean: strconv.ParseBool: parsing \(GoQuote.quote(text)): invalid syntax")
        }
        let name = try await admin.snapshot(skipsHead)
        return .success { writer in writer.object { $0.field("name", name) } }
    }
}
