import Exposition
import HTTPTypes
import SelfMetrics

/// `/-/healthy`, `/-/ready`, `/-/reload`, `/-/quit`, `/metrics`, and the paths that lead to pages.
extension APIRoutes {
    var lifecycleRoutes: [Route] {
        let writeMethods: [HTTPRequest.Method] = [.post, .put]
        let wrongMethod = "Only POST or PUT requests allowed"
        return [
            Route([.get], "/-/healthy", isAlwaysAvailable: true) { _ in .text("Prometheus Server is Healthy.\n") },
            Route([.get], "/-/ready") { _ in .text("Prometheus Server is Ready.\n") },
            Route(writeMethods, "/-/reload", wrongMethodText: wrongMethod) { _ in await reload() },
            Route(writeMethods, "/-/quit", isAlwaysAvailable: true, wrongMethodText: wrongMethod) { _ in quit() },
            Route([.get], "/metrics", isAlwaysAvailable: true) { try metrics($0) },
            Route([.get], "/", isAlwaysAvailable: true) { _ in
                .redirect(to: services.options.externalPath + "/query")
            },
            // Alerts and bookmarks from before version 3 lead here.
            Route([.get], "/graph", isAlwaysAvailable: true) { request in
                let query = request.queryString.isEmpty ? "" : "?" + request.queryString
                return .redirect(to: services.options.externalPath + "/query" + query)
            },
        ]
    }

    private static let lifecycleOff = APIResponse.text("Lifecycle API is not enabled.", status: 403)

    private func reload() async -> APIResponse {
        guard services.options.enablesLifecycle else { return APIRoutes.lifecycleOff }
        do {
            try await services.reload()
            return .text("")
        } catch {
            return .text("failed to reload config: \(error)\n", status: 500)
        }
    }

    private func quit() -> APIResponse {
        guard services.options.enablesLifecycle else { return APIRoutes.lifecycleOff }
        services.quit()
        return .text("Requesting termination... Goodbye!")
    }

    // MARK: Metrics

    private func metrics(_ request: APIRequest) throws -> APIResponse {
        let accept = request.headers[.accept] ?? ""
        if ExpositionFormat.negotiate(accept: accept) == .protobuf {
            let text = services.registry.exposition()
            let messages = try ProtobufWriter.transcribe(Array(text.utf8), .text004)
            return APIResponse(contentType: ExpositionFormat.protobuf.contentType, body: .bytes(messages))
        }
        let openMetrics = APIRoutes.prefersOpenMetrics(accept)
        let type =
            openMetrics
            ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8"
        let text = services.registry.exposition(openMetrics: openMetrics)
        return APIResponse(contentType: type, body: .bytes(Array(text.utf8)))
    }

    /// Whether OpenMetrics is asked for, and not less than the plain text format.
    static func prefersOpenMetrics(_ accept: String) -> Bool {
        var best: (openMetrics: Double, text: Double) = (0, 0)
        for range in accept.lowercased().split(separator: ",") {
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " } }
            guard let type = parts.first else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            switch type {
            case "application/openmetrics-text": best.openMetrics = max(best.openMetrics, quality)
            case "text/plain", "text/*": best.text = max(best.text, quality)
            default: break
            }
        }
        return best.openMetrics > 0 && best.openMetrics >= best.text
    }
}
