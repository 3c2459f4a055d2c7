package import ConfigTree
import OutboundHTTP
package import SelfMetrics
import SeriesModel

/// One entry of `http_sd_configs`: an endpoint that answers with target groups in JSON.
package struct HTTPDiscovery: DiscoveryKind {
    package static let name = "http"

    var url: String
    /// ms
    var refreshInterval: Int64
    var client: HTTPClientSection

    package init(_ node: ConfigNode, baseDirectory: String) throws(ConfigError) {
        var section = try node.section("http.plain")
        url = try section.string("url") ?? ""
        refreshInterval = try section.refreshInterval(60_000)
        client = try HTTPClientSection(taking: &section, baseDirectory: baseDirectory)
        try section.finish()
        guard !url.isEmpty else { throw node.error("URL is missing") }
        let parts = URLText.parts(url)
        guard let parts, ["http", "https"].contains(parts.scheme) else {
            throw node.error("URL scheme must be 'http' or 'https'")
        }
        let host = parts.rest.prefix { !"/?#".contains($0) }
        guard !host.isEmpty else { throw node.error("host is missing in URL") }
    }

    package var output: ConfigOutput {
        .mapping(
            [("url", .text(url)), ("refresh_interval", .plain(DurationText.format(refreshInterval)))] + client.output)
    }

    package func discoverer(_ context: DiscoveryContext) -> any Discoverer {
        HTTPDiscoverer(
            section: self, clock: context.clock, api: APIClient(context, client),
            failures: HTTPDiscovery.failures(context.registry))
    }

    package static func registerMetrics(_ registry: MetricsRegistry) { _ = failures(registry) }

    private static func failures(_ registry: MetricsRegistry) -> Counter {
        registry.counter("prometheus_sd_http_failures_total", "Number of HTTP service discovery refresh failures.")
    }
}

struct HTTPDiscoverer: RefreshingDiscoverer {
    let section: HTTPDiscovery
    let clock: any WallClock
    let api: APIClient
    let failures: Counter

    var refreshInterval: Int64 { section.refreshInterval }

    func refresh(_ feed: DiscoveryFeed) async throws(DiscoveryError) {
        do throws(DiscoveryError) {
            feed.replace(with: try await groups())
        } catch {
            failures.increment()
            throw error
        }
    }

    private func groups() async throws(DiscoveryError) -> [TargetGroup] {
        let seconds = NumberText.apiValue(Double(section.refreshInterval) / 1000)
        let response = try await api.get(
            section.url,
            headers: [("Accept", "application/json"), ("X-Prometheus-Refresh-Interval-Seconds", seconds)],
            timeout: section.refreshInterval)
        let type = response.header("content-type") ?? ""
        guard HTTPDiscoverer.isJSON(type) else {
            throw DiscoveryError("unsupported content type \(GoQuote.quote(type))")
        }
        let url = section.url
        var groups = try TargetGroup.list(JSONValue(parsing: response.body)) { url + ":" + String($0) }
        for index in groups.indices { groups[index].labels = groups[index].labels.setting("__meta_url", url) }
        return groups
    }

    /// `application/json`, alone or with the one charset that JSON has.
    static func isJSON(_ contentType: String) -> Bool {
        let text = contentType.lowercased().filter { $0 != " " && $0 != "\t" }
        return ["application/json", "application/json;charset=utf-8", "application/json;charset=\"utf-8\""].contains(
            text)
    }
}
