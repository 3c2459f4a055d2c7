import Exposition
import OutboundHTTP
import SeriesModel

/// Asks a target for its metrics and decides what the answer is (inventory 6.1).
struct ScrapeFetch: Sendable {
    private let transport: any HTTPTransport
    let request: OutboundRequest
    private let fallback: ExpositionFormat?
    private let bodyBytesLimit: Int64

    init(target: Target, config: ScrapeConfig, transport: any HTTPTransport, userAgent: String) {
        self.transport = transport
        fallback = config.fallbackProtocol
        bodyBytesLimit = config.limits.bodyBytes
        let headers = [
            ("Accept", ExpositionFormat.acceptHeader(config.scrapeProtocols, escaping: config.nameEscaping)),
            ("Accept-Encoding", config.enablesCompression ? "gzip" : "identity"),
            ("User-Agent", userAgent),
            ("X-Prometheus-Scrape-Timeout-Seconds", NumberText.fixed(Double(target.timeout) / 1000)),
        ]
        var request = OutboundRequest(
            .get, target.url, headers: headers.map { (name: $0.0, value: $0.1) }, client: config.client,
            timeout: target.timeout, bodyBytesMax: Int(clamping: config.limits.bodyBytes))
        request.unixSocket = target.unixSocket
        self.request = request
    }

    /// - Parameter bytesExpected: the length of the last body.
    func answer(bytesExpected: Int) async -> TargetHistory.Answer {
        var request = request
        request.bodyBytesExpected = bytesExpected + bytesExpected / 16
        // Labels say which; no target leads to a socket of this machine by that.
        guard ["http://", "https://"].contains(where: { request.url.utf8.starts(with: $0.utf8) }) else {
            let scheme = String(decoding: request.url.utf8.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
            return .failure(
                ScrapeFailure(
                    .fetch, "Get \(GoQuote.quote(request.url)): unsupported protocol scheme \(GoQuote.quote(scheme))"))
        }
        do {
            return answer(to: try await transport.send(request))
        } catch {
            return .failure(ScrapeFetch.failure(error))
        }
    }

    /// What a response is worth.
    func answer(to response: OutboundResponse) -> TargetHistory.Answer {
        guard response.status == 200 else { return .failure(ScrapeFailure(.fetch, response.statusError)) }
        guard bodyBytesLimit == 0 || response.body.count < bodyBytesLimit else {
            return .failure(ScrapeFailure(.bodyLimit, "body size limit exceeded"))
        }
        do {
            let choice = try ExpositionFormat.choose(
                contentType: response.header("content-type"), fallback: fallback)
            return .body(response.body, choice.format)
        } catch {
            return .failure(ScrapeFailure(.fetch, error.description))
        }
    }

    /// What no response at all means.
    static func failure(_ error: OutboundError) -> ScrapeFailure {
        ScrapeFailure(error.kind == .bodyTooLong ? .bodyLimit : .fetch, error.message)
    }
}
