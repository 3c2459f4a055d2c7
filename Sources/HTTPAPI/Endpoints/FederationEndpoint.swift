import Exposition
import HTTPTypes
import PromQLEngine
import PromQLSyntax
import SelfMetrics
import SeriesModel
import StorageAPI

/// `/federate`: the newest samples of the selected series as an exposition, for a server above this one to scrape.
extension APIRoutes {
    var federationRoutes: [Route] {
        let errors = services.registry.counter(
            "prometheus_web_federation_errors_total", "Requests of federation that met an error.")
        let nameless = services.registry.counter(
            "prometheus_web_federation_warnings_total", "Warnings that occurred while federating.")
        return [
            Route([.get], "/federate") { request in
                do {
                    let (response, namelessCount) = try await federate(request)
                    nameless.increment(by: Double(namelessCount))
                    return response
                } catch {
                    // Who scrapes reads no JSON.
                    let error = APIError(error)
                    if error.kind != .badData, error.kind != .canceled { errors.increment() }
                    return .text(error.message + "\n", status: error.kind.status)
                }
            }
        ]
    }

    private func federate(_ request: APIRequest) async throws -> (APIResponse, namelessCount: Int) {
        var matchers: [[LabelMatcher]] = []
        for text in request.form.all("match[]") {
            do {
                matchers.append(try Parser.parseSelector(text))
            } catch {
                throw APIError(.badData, error.description)
            }
        }
        let accept = request.headers[.accept]
        let format = ExpositionFormat.negotiate(accept: accept)
        let escaping = ExpositionFormat.negotiateEscaping(accept: accept)
        let now = services.clock.now()
        let range = TimeRange(min: now.subtractingClamped(services.engine.options.lookbackDelta), max: now)
        let federation = try await withCancellation { [services] in
            try Federation(
                services.storage, matching: matchers, in: range, externalLabels: services.externalLabels(),
                cancellation: $0)
        }
        var type = format.contentType
        if !format.canQuoteNames { type += "; escaping=\(escaping.rawValue)" }
        let response = APIResponse(
            contentType: type,
            body: .stream { emit in
                var body = FederationBody(format, escaping)
                for family in federation.families {
                    body.add(family)
                    try await emit(body.takeBytes())
                }
                try await emit(body.finish())
            })
        return (response, federation.namelessCount)
    }
}
