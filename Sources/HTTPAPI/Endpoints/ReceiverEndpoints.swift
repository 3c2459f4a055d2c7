import HTTPTypes
import RemoteStorage

/// Receivers of pushed samples. One that is off names the flag it waits for.
extension APIRoutes {
    var receiverRoutes: [Route] {
        [
            // Who is told "not ready" while the log is replayed sends again; who is told 404 gives up.
            Route([.post], "/api/v1/write", isAlwaysAvailable: services.writeReceiver == nil) { try await write($0) },
            Route([.post], "/api/v1/otlp/v1/metrics", isAlwaysAvailable: true) { _ in
                .text("otlp write receiver needs to be enabled with --web.enable-otlp-receiver\n", status: 404)
            },
        ]
    }

    /// Remote write 1.0 (inventory 1.3.1 to 1.3.3). Statuses and texts are those that senders know.
    private func write(_ request: APIRequest) async throws -> APIResponse {
        guard let receiver = services.writeReceiver else {
            return .text(
                "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n", status: 404)
        }
        let encoding = request.headers[.contentEncoding] ?? ""
        guard encoding.isEmpty || encoding == "snappy" else {
            return .text(
                "\(encoding) encoding (compression) is not accepted by this server; only snappy is acceptable\n",
                status: 415)
        }
        if let problem = WriteMessageType.problem(with: request.headers[.contentType] ?? "") {
            return .text(problem + "\n", status: 415)
        }
        switch await receiver.receive(try await request.readBody()) {
        case .stored: return .empty(status: 204)
        case .refused(let reason): return .text(reason + "\n", status: 400)
        case .failed(let reason): return .text(reason + "\n", status: 500)
        }
    }
}

/// The message that a `Content-Type` announces.
enum WriteMessageType {
    private static let mediaType = "application/x-protobuf"
    private static let version1 = "prometheus.WriteRequest"
    private static let version2 = "io.prometheus.write.v2.Request"

    /// What is wrong with a type, in upstream's words; nil where a message of version 1 is announced. No type at all is
    /// version 1 too.
    static func problem(with contentType: String) -> String? {
        let type = contentType.trimmed
        if type.isEmpty { return nil }
        let parts = type.split(separator: ";", omittingEmptySubsequences: false)
        guard parts.first == mediaType[...] else {
            return "expected \(mediaType) as the first (media) part, got \(type) content-type"
        }
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == 2 else {
                return "as per https://www.rfc-editor.org/rfc/rfc9110#parameter expected parameters to be key-values, "
                    + "got \(part) in \(type) content-type"
            }
            guard pair[0] == "proto" else { continue }
            switch pair[1] {
            case version1: return nil
            case version2:
                return "\(version2) protobuf message is not accepted by this server; only accepts \(version1)"
            default:
                return "got \(type) content type; unknown type for remote write protobuf message \(pair[1]), "
                    + "supported: \(version1), \(version2)"
            }
        }
        return nil
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
