package import HTTPTypes

/// What an endpoint answers, before compression.
package struct APIResponse: Sendable {
    /// Hands over the next part of a body; suspends while the client is slow.
    package typealias Emit = (_ part: [UInt8]) async throws -> Void

    package enum Body: Sendable {
        case bytes([UInt8])
        /// Written while it is sent. An error after the first part breaks the connection off, so that a short answer
        /// is never taken for a whole one.
        case stream(@Sendable (Emit) async throws -> Void)
    }

    package var status: Int
    package var headers: HTTPFields
    package var body: Body

    package init(status: Int = 200, contentType: String?, body: Body) {
        self.status = status
        self.body = body
        headers = HTTPFields()
        if let contentType { headers[.contentType] = contentType }
    }

    package static func text(_ text: String, status: Int = 200) -> APIResponse {
        APIResponse(status: status, contentType: "text/plain; charset=utf-8", body: .bytes(Array(text.utf8)))
    }

    package static func empty(status: Int = 204) -> APIResponse {
        APIResponse(status: status, contentType: nil, body: .bytes([]))
    }

    package static func redirect(to location: String) -> APIResponse {
        var response = APIResponse.empty(status: 302)
        response.headers[.location] = location
        return response
    }

    package static let notFound = APIResponse.text("404 page not found\n", status: 404)
}

// MARK: - JSON

extension APIResponse {
    static let jsonType = "application/json"

    /// The envelope around an answer (inventory 1.1.1).
    package static func success(
        warnings: [String] = [], infos: [String] = [], _ data: (inout JSONWriter) -> Void
    ) -> APIResponse {
        var writer = JSONWriter()
        writer.beginSuccess()
        data(&writer)
        writer.endSuccess(warnings: warnings, infos: infos)
        return APIResponse(contentType: jsonType, body: .bytes(writer.takeBytes()))
    }

    package static func failure(_ error: APIError) -> APIResponse {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("status", "error")
            writer.field("errorType", error.kind.rawValue)
            writer.field("error", error.message)
        }
        return APIResponse(status: error.kind.status, contentType: jsonType, body: .bytes(writer.takeBytes()))
    }
}

extension JSONWriter {
    mutating func beginSuccess() {
        beginObject()
        field("status", "success")
        key("data")
    }

    mutating func endSuccess(warnings: [String], infos: [String]) {
        if !warnings.isEmpty { field("warnings", array: warnings) }
        if !infos.isEmpty { field("infos", array: infos) }
        endObject()
    }
}
