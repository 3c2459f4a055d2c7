package import ConfigTree
import OutboundHTTP
package import SelfMetrics
import SeriesModel

/// One entry of `consul_sd_configs`: the services that a Consul agent knows.
package struct ConsulDiscovery: DiscoveryKind {
    package static let name = "consul"

    var server = "localhost:8500"
    var pathPrefix = ""
    var token = Secret("")
    var datacenter = ""
    var namespace = ""
    var partition = ""
    var tagSeparator = ","
    var scheme = "http"
    var username = ""
    var password = Secret("")
    /// Any server may answer, also one that is a little behind.
    var allowsStale = true
    /// Two queries of a kind are at least so far apart. ms
    var refreshInterval: Int64 = 30_000
    /// All where empty.
    var services: [String] = []
    /// A service must have them all.
    var tags: [String] = []
    var nodeMeta: [Pair] = []
    /// For the catalog.
    var filter = ""
    /// For the instances of a service.
    var healthFilter = ""
    var client: HTTPClientSection
    /// The beginning of all URLs.
    private(set) var endpoint = ""

    struct Pair: Sendable, Hashable {
        var name: String
        var value: String
    }

    package init(_ node: ConfigNode, baseDirectory: String) throws(ConfigError) {
        var section = try node.section("consul.plain")
        server = try section.string("server") ?? server
        pathPrefix = try section.string("path_prefix") ?? pathPrefix
        token = Secret(try section.string("token") ?? "")
        datacenter = try section.string("datacenter") ?? datacenter
        namespace = try section.string("namespace") ?? namespace
        partition = try section.string("partition") ?? partition
        tagSeparator = try section.string("tag_separator") ?? tagSeparator
        scheme = try section.string("scheme") ?? scheme
        username = try section.string("username") ?? username
        password = Secret(try section.string("password") ?? "")
        allowsStale = try section.bool("allow_stale") ?? allowsStale
        refreshInterval = try section.refreshInterval(refreshInterval)
        services = try section.strings("services") ?? services
        tags = try section.strings("tags") ?? tags
        for entry in try section.take("node_meta")?.entries() ?? [] {
            nodeMeta.append(Pair(name: entry.key, value: try entry.value.string()))
        }
        nodeMeta.sort { $0.name.precedesByBytes($1.name) }
        filter = try section.string("filter") ?? filter
        healthFilter = try section.string("health_filter") ?? healthFilter
        client = try HTTPClientSection(taking: &section, baseDirectory: baseDirectory)
        try section.finish()
        try check(node)
        endpoint = try ConsulAddress.endpoint(server, scheme: scheme, pathPrefix: pathPrefix, at: node)
        if !username.isEmpty || !password.text.isEmpty {
            client.basicAuth = .user(username, password: password)
        }
    }

    private func check(_ node: ConfigNode) throws(ConfigError) {
        guard server.utf8.contains(where: { $0 != 0x20 && $0 != 0x09 }) else {
            throw node.error("consul SD configuration requires a server address")
        }
        guard (username.isEmpty && password.text.isEmpty) || client.basicAuth == nil else {
            throw node.error(
                "at most one of consul SD configuration username and password and basic auth can be configured")
        }
        guard token.text.isEmpty || (client.authorization == nil && client.oauth2 == nil) else {
            throw node.error("at most one of consul SD token, authorization, or oauth2 can be configured")
        }
        guard ["http", "https"].contains(scheme) else {
            throw node.error("unknown scheme \(GoQuote.quote(scheme)), must be http or https")
        }
    }

    package var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = [("server", .text(server))]
        let texts = [
            ("path_prefix", pathPrefix), ("datacenter", datacenter), ("namespace", namespace),
            ("partition", partition), ("tag_separator", tagSeparator), ("scheme", scheme), ("filter", filter),
            ("health_filter", healthFilter),
        ]
        for (key, text) in texts where !text.isEmpty { entries.append((key, .text(text))) }
        if !token.text.isEmpty { entries.append(("token", .plain(Secret.mask))) }
        entries.append(("allow_stale", .flag(allowsStale)))
        entries.append(("refresh_interval", .plain(DurationText.format(refreshInterval))))
        if !services.isEmpty { entries.append(("services", .list(services.map { .text($0) }))) }
        if !tags.isEmpty { entries.append(("tags", .list(tags.map { .text($0) }))) }
        if !nodeMeta.isEmpty { entries.append(("node_meta", .mapping(nodeMeta.map { ($0.name, .text($0.value)) }))) }
        return .mapping(entries + client.output)
    }

    package func discoverer(_ context: DiscoveryContext) -> any Discoverer {
        var client = client
        if endpoint.hasPrefix("http+unix:") {
            // A socket of this machine knows nothing of proxies and TLS.
            client.tls = TLSSection()
            client.proxy = ProxySection()
        }
        // A header of the client's, so that it stays with its host when a redirect leads elsewhere.
        if !token.text.isEmpty { client.headers.append(.secret("X-Consul-Token", token)) }
        return ConsulDiscoverer(
            section: self, clock: context.clock, api: APIClient(context, client, holdsRequests: true),
            metrics: ConsulMetrics(context.registry), context: context)
    }

    package static func registerMetrics(_ registry: MetricsRegistry) { _ = ConsulMetrics(registry) }
}

struct ConsulMetrics: Sendable {
    let failures: Counter
    let catalogDuration: Summary
    let serviceDuration: Summary

    init(_ registry: MetricsRegistry) {
        failures = registry.counter(
            "prometheus_sd_consul_rpc_failures_total", "The number of Consul RPC call failures.")
        func duration(_ call: String) -> Summary {
            registry.summary(
                "prometheus_sd_consul_rpc_duration_seconds", "The duration of a Consul RPC call in seconds.",
                [("endpoint", "catalog"), ("call", call)], quantiles: [0.5, 0.9, 0.99])
        }
        catalogDuration = duration("services")
        serviceDuration = duration("service")
    }
}
