package import ConfigTree
import OutboundHTTP
import OwnThreads
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
        // A header of the client's, so that it stays with its host when a redirect leads elsewhere.
        if !token.text.isEmpty { client.headers.append(.secret("X-Consul-Token", token)) }
        return ConsulDiscoverer(
            section: self, clock: context.clock, api: APIClient(context, client),
            metrics: ConsulMetrics(context.registry), threads: context.threads)
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

/// Watches the catalog, and each service in it, by blocking queries: a query names the state that is known, and is
/// answered when there is another, or after two minutes.
struct ConsulDiscoverer: Discoverer {
    private static let watchSeconds: Int64 = 120
    /// ms
    private static let retryInterval: Int64 = 15_000
    /// No catalog makes more watches than this.
    private static let servicesMax = 20_000

    let section: ConsulDiscovery
    let clock: any WallClock
    let api: APIClient
    let metrics: ConsulMetrics
    let threads: TaskThreads

    func run(_ feed: DiscoveryFeed) async {
        guard let datacenter = await datacenter(feed) else { return }
        if section.services.isEmpty || !section.tags.isEmpty {
            await watchCatalog(datacenter, feed)
        } else {
            await withDiscardingTaskGroup { group in
                for name in Set(section.services) {
                    group.addTask { await watchService(name, datacenter, feed) }
                }
            }
        }
    }

    /// The configured datacenter, or the agent's. Nil when cancelled.
    private func datacenter(_ feed: DiscoveryFeed) async -> String? {
        if !section.datacenter.isEmpty { return section.datacenter }
        while !Task.isCancelled {
            do throws(DiscoveryError) {
                let answer = try await api.json(url("/v1/agent/self", []), timeout: 60_000)
                if let name = answer["Config"]?["Datacenter"]?.string { return name }
                throw DiscoveryError("invalid value for Config.Datacenter")
            } catch {
                guard await failed("Error retrieving datacenter name", error, feed) else { return nil }
            }
        }
        return nil
    }

    /// - Returns: false when cancelled.
    private func failed(_ what: String, _ error: DiscoveryError, _ feed: DiscoveryFeed) async -> Bool {
        guard !Task.isCancelled else { return false }
        metrics.failures.increment()
        feed.refreshFailed(DiscoveryError(what + ": " + error.message))
        do {
            try await clock.sleep(milliseconds: ConsulDiscoverer.retryInterval)
            return true
        } catch { return false }
    }

    // MARK: - Watches

    /// One watch of each service that the catalog names, for as long as it does.
    private func watchCatalog(_ datacenter: String, _ feed: DiscoveryFeed) async {
        var services: [String: Task<Void, Never>] = [:]
        await watch("/v1/catalog/services", catalogParameters, metrics.catalogDuration, "service list", feed) {
            answer throws(DiscoveryError) in
            guard let catalog = answer.object else { throw DiscoveryError("json: the catalog is no object") }
            let wanted = catalog.filter { isWanted($0.key, tags: $0.value.texts) }
            guard wanted.count <= ConsulDiscoverer.servicesMax else {
                throw DiscoveryError("more than \(ConsulDiscoverer.servicesMax) services")
            }
            for (name, task) in services where wanted[name] == nil {
                services[name] = nil
                task.cancel()
                // Afterwards it has nothing to say any more.
                await task.value
                feed.update([TargetGroup(source: name, labels: .empty, targets: [])])
            }
            for name in wanted.keys where services[name] == nil {
                services[name] = Task(executorPreference: threads) { await watchService(name, datacenter, feed) }
            }
            if wanted.isEmpty { feed.update([]) }
        }
        for task in services.values { task.cancel() }
        for task in services.values { await task.value }
    }

    private var catalogParameters: [(name: String, value: String)] {
        section.filter.isEmpty ? [] : [("filter", section.filter)]
    }

    private func isWanted(_ name: String, tags: [String]) -> Bool {
        (section.services.isEmpty || section.services.contains(name)) && section.tags.allSatisfy(tags.contains)
    }

    private func watchService(_ name: String, _ datacenter: String, _ feed: DiscoveryFeed) async {
        var parameters = section.tags.map { (name: "tag", value: $0) }
        if !section.healthFilter.isEmpty { parameters.append(("filter", section.healthFilter)) }
        let path = "/v1/health/service/" + PercentEncoding.encode(name)
        await watch(path, parameters, metrics.serviceDuration, "service \(name)", feed) {
            answer throws(DiscoveryError) in
            guard let entries = answer.array else { throw DiscoveryError("json: the instances are no array") }
            let labels: LabelSet = ["__meta_consul_dc": datacenter, "__meta_consul_service": name]
            let targets = entries.compactMap { ConsulTarget.labels($0, tagSeparator: section.tagSeparator) }
            if Task.isCancelled { return }
            feed.update([TargetGroup(source: name, labels: labels, targets: targets)])
        }
    }

    /// Asks again and again for what is behind a path, until cancelled.
    private func watch(
        _ path: String, _ parameters: [(name: String, value: String)], _ duration: Summary, _ what: String,
        _ feed: DiscoveryFeed, _ handle: (JSONValue) async throws(DiscoveryError) -> Void
    ) async {
        var index: UInt64 = 0
        while !Task.isCancelled {
            let begin = clock.now()
            let start = ContinuousClock.now
            do throws(DiscoveryError) {
                let waiting = [
                    (name: "index", value: String(index)), (name: "wait", value: "\(ConsulDiscoverer.watchSeconds)s"),
                ]
                let response = try await api.get(
                    url(path, parameters + waiting), timeout: (ConsulDiscoverer.watchSeconds + 15) * 1000)
                let elapsed = start.duration(to: .now)
                duration.observe(elapsed.seconds)
                let next = response.header("x-consul-index").flatMap { UInt64($0) } ?? 0
                // The same: the wait has ended without news.
                if next == 0 || next != index { try await handle(JSONValue(parsing: response.body)) }
                // Going back means that the servers have begun anew.
                index = next < index ? 0 : next
                feed.refreshed(in: elapsed)
            } catch {
                guard await failed("Error refreshing \(what)", error, feed) else { return }
                continue
            }
            do { try await clock.sleep(until: begin.addingClamped(section.refreshInterval)) } catch { return }
        }
    }

    private func url(_ path: String, _ parameters: [(name: String, value: String)]) -> String {
        var all = parameters
        let scopes = [("dc", section.datacenter), ("ns", section.namespace), ("partition", section.partition)]
        for (name, value) in scopes where !value.isEmpty { all.append((name, value)) }
        if section.allowsStale { all.append(("stale", "")) }
        for pair in section.nodeMeta { all.append(("node-meta", pair.name + ":" + pair.value)) }
        var prefix = URLText.withoutTrailingSlashes(section.pathPrefix)
        if !prefix.isEmpty, !prefix.hasPrefix("/") { prefix = "/" + prefix }
        return section.scheme + "://" + section.server + prefix + path + URLText.query(all)
    }
}

/// The labels of one instance of a service, as `/v1/health/service` tells it.
enum ConsulTarget {
    /// Nil where there is no address.
    static func labels(_ entry: JSONValue, tagSeparator: String) -> LabelSet? {
        guard let node = entry["Node"], let service = entry["Service"] else { return nil }
        let nodeAddress = node["Address"]?.string ?? ""
        let serviceAddress = service["Address"]?.string ?? ""
        let host = serviceAddress.isEmpty ? nodeAddress : serviceAddress
        let port = service["Port"]?.port ?? 0
        guard !host.isEmpty else { return nil }
        var labels = MetaLabelBuilder()
        labels[TargetGroup.address] = MetaLabels.address(host, port)
        labels["__meta_consul_address"] = nodeAddress
        labels["__meta_consul_node"] = node["Node"]?.string
        labels["__meta_consul_namespace"] = service["Namespace"]?.string
        labels["__meta_consul_partition"] = service["Partition"]?.string
        // With separators at both ends, so that a rule finds a whole tag between two.
        let tags = service["Tags"]?.texts ?? []
        labels["__meta_consul_tags"] = tagSeparator + tags.joined(separator: tagSeparator) + tagSeparator
        labels["__meta_consul_service_address"] = serviceAddress
        labels["__meta_consul_service_port"] = String(port)
        labels["__meta_consul_service_id"] = service["ID"]?.string
        labels["__meta_consul_health"] = health(entry["Checks"]?.array ?? [])
        let maps = [
            (node["Meta"], "metadata_"), (service["Meta"], "service_metadata_"),
            (node["TaggedAddresses"], "tagged_address_"),
        ]
        for (map, prefix) in maps {
            for (name, value) in map?.textMembers ?? [] {
                labels["__meta_consul_" + prefix + MetaLabels.sanitized(name)] = value
            }
        }
        return labels.build()
    }

    /// The worst of the checks; maintenance before all.
    private static func health(_ checks: [JSONValue]) -> String {
        var worst = "passing"
        for check in checks {
            let identifier = check["CheckID"]?.string ?? ""
            if identifier == "_node_maintenance" || identifier.hasPrefix("_service_maintenance:") {
                return "maintenance"
            }
            switch check["Status"]?.string {
            case "critical": worst = "critical"
            case "warning": if worst == "passing" { worst = "warning" }
            default: break
            }
        }
        return worst
    }
}
