package import ConfigTree
import OutboundHTTP
import SeriesModel

/// One entry of `docker_sd_configs`: the containers of a Docker daemon.
package struct DockerDiscovery: DiscoveryKind {
    package static let name = "docker"

    struct Filter: Sendable, Hashable {
        var name: String
        var values: [String]
    }

    var host: String
    /// The beginning of all URLs.
    var endpoint: String
    /// For containers that publish no port.
    var port: Int
    /// The address of containers in the host's network.
    var hostNetworkingHost: String
    var matchesFirstNetwork: Bool
    var filters: [Filter] = []
    /// ms
    var refreshInterval: Int64
    var client: HTTPClientSection

    package init(_ node: ConfigNode, baseDirectory: String) throws(ConfigError) {
        var section = try node.section("moby.plain")
        host = try section.string("host") ?? ""
        port = try section.int("port") ?? 80
        hostNetworkingHost = try section.string("host_networking_host") ?? "localhost"
        matchesFirstNetwork = try section.bool("match_first_network") ?? true
        for node in try section.sequence("filters") ?? [] {
            var filter = try node.section("moby.Filter")
            filters.append(
                Filter(name: try filter.string("name") ?? "", values: try filter.strings("values") ?? []))
            try filter.finish()
        }
        refreshInterval = try section.refreshInterval(60_000)
        client = try HTTPClientSection(taking: &section, baseDirectory: baseDirectory)
        try section.finish()
        guard !host.isEmpty else { throw node.error("host missing") }
        guard (1...65_535).contains(port) else { throw node.error("invalid port \(port)") }
        guard let endpoint = DockerDiscovery.endpoint(host, isTLS: client.tls != TLSSection()) else {
            throw node.error("unable to parse docker host \(GoQuote.quote(host))")
        }
        self.endpoint = endpoint
    }

    /// The URL that requests begin with. TCP means HTTP, or HTTPS where TLS is configured.
    private static func endpoint(_ host: String, isTLS: Bool) -> String? {
        guard let (scheme, rest) = URLText.parts(host), !rest.isEmpty else { return nil }
        switch scheme {
        case "unix": return rest.hasPrefix("/") ? "http+unix://" + PercentEncoding.encode(rest) : nil
        case "tcp": return (isTLS ? "https://" : "http://") + URLText.withoutTrailingSlashes(rest)
        case "http", "https": return scheme + "://" + URLText.withoutTrailingSlashes(rest)
        default: return nil
        }
    }

    package var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = [("host", .text(host)), ("port", .number(port))]
        if !filters.isEmpty {
            entries.append(
                (
                    "filters",
                    .list(
                        filters.map { filter in
                            .mapping([
                                ("name", .text(filter.name)), ("values", .list(filter.values.map { .text($0) })),
                            ])
                        })
                ))
        }
        entries += [
            ("host_networking_host", .text(hostNetworkingHost)),
            ("refresh_interval", .plain(DurationText.format(refreshInterval))),
            ("match_first_network", .flag(matchesFirstNetwork)),
        ]
        return .mapping(entries + client.output)
    }

    package func discoverer(_ context: DiscoveryContext) -> any Discoverer {
        // A socket of this machine knows nothing of proxies and TLS.
        let client = endpoint.hasPrefix("http+unix:") ? HTTPClientSection() : client
        return DockerDiscoverer(section: self, clock: context.clock, api: APIClient(context, client))
    }
}

struct DockerDiscoverer: RefreshingDiscoverer {
    let section: DockerDiscovery
    let clock: any WallClock
    let api: APIClient

    var refreshInterval: Int64 { section.refreshInterval }

    func refresh(_ feed: DiscoveryFeed) async throws(DiscoveryError) {
        var parameters: [(name: String, value: String)] = []
        if !section.filters.isEmpty { parameters.append(("filters", DockerDiscoverer.json(section.filters))) }
        let containers: JSONValue
        let networks: JSONValue
        do throws(DiscoveryError) {
            containers = try await get("/containers/json" + URLText.query(parameters))
        } catch {
            throw DiscoveryError("error while listing containers: " + error.message)
        }
        do throws(DiscoveryError) {
            networks = try await get("/networks")
        } catch {
            throw DiscoveryError("error while computing network labels: " + error.message)
        }
        let view = DockerView(section: section, containers: containers, networks: networks)
        feed.replace(with: [TargetGroup(source: "Docker", labels: .empty, targets: view.targets)])
    }

    private func get(_ path: String) async throws(DiscoveryError) -> JSONValue {
        let answer = try await api.json(section.endpoint + path, timeout: section.refreshInterval)
        guard answer.array != nil || answer.isNull else { throw DiscoveryError("json: \(path): no array") }
        return answer
    }

    /// `{"name":{"value":true}}`, as the daemon wants filters.
    private static func json(_ filters: [DockerDiscovery.Filter]) -> String {
        var values: [String: Set<String>] = [:]
        for filter in filters { values[filter.name, default: []].formUnion(filter.values) }
        let members = values.sorted { $0.key < $1.key }.map { name, values in
            let inner = values.sorted().map { JSONText.quoted($0) + ":true" }
            return JSONText.quoted(name) + ":{" + inner.joined(separator: ",") + "}"
        }
        return "{" + members.joined(separator: ",") + "}"
    }
}

/// The targets in what a daemon says: one for each TCP port of a container in each of its networks.
struct DockerView {
    private let section: DockerDiscovery
    private let containers: [JSONValue]
    private var containersByIdentifier: [String: JSONValue] = [:]
    private var networkLabels: [String: MetaLabelBuilder] = [:]

    init(section: DockerDiscovery, containers: JSONValue, networks: JSONValue) {
        self.section = section
        self.containers = containers.array ?? []
        for container in self.containers {
            if let identifier = container["Id"]?.string { containersByIdentifier[identifier] = container }
        }
        for network in networks.array ?? [] {
            guard let identifier = network["Id"]?.string else { continue }
            networkLabels[identifier] = DockerView.labels(network, identifier)
        }
    }

    private static func labels(_ network: JSONValue, _ identifier: String) -> MetaLabelBuilder {
        let prefix = "__meta_docker_network_"
        var labels = MetaLabelBuilder()
        labels[prefix + "id"] = identifier
        labels[prefix + "name"] = network["Name"]?.string
        labels[prefix + "scope"] = network["Scope"]?.string
        labels[prefix + "internal"] = network["Internal"]?.bool == true ? "true" : "false"
        labels[prefix + "ingress"] = network["Ingress"]?.bool == true ? "true" : "false"
        for (name, value) in network["Labels"]?.textMembers ?? [] {
            labels[prefix + "label_" + MetaLabels.sanitized(name)] = value
        }
        return labels
    }

    var targets: [LabelSet] { containers.flatMap(targets) }

    private func targets(_ container: JSONValue) -> [LabelSet] {
        guard let name = container["Names"]?.texts.first else { return [] }
        let mode = DockerView.networkMode(container)
        var common = MetaLabelBuilder()
        common["__meta_docker_container_id"] = container["Id"]?.string
        common["__meta_docker_container_name"] = name
        common["__meta_docker_container_network_mode"] = mode
        for (name, value) in container["Labels"]?.textMembers ?? [] {
            common["__meta_docker_container_label_" + MetaLabels.sanitized(name)] = value
        }
        var targets: [LabelSet] = []
        for network in networks(container) {
            let ip = network["IPAddress"]?.string ?? ""
            var labels = common
            if let identifier = network["NetworkID"]?.string, let more = networkLabels[identifier] {
                labels.merge(more)
            }
            labels["__meta_docker_network_ip"] = ip
            let ports = (container["Ports"]?.array ?? []).filter { $0["Type"]?.string == "tcp" }
            for port in ports {
                guard let privatePort = port["PrivatePort"]?.port else { continue }
                var labels = labels
                labels["__meta_docker_port_private"] = String(privatePort)
                if let publicPort = port["PublicPort"]?.port, publicPort > 0 {
                    labels["__meta_docker_port_public"] = String(publicPort)
                    labels["__meta_docker_port_public_ip"] = port["IP"]?.string
                }
                labels[TargetGroup.address] = MetaLabels.address(ip, privatePort)
                targets.append(labels.build())
            }
            if ports.isEmpty {
                // Containers in the host's network have no ports.
                labels[TargetGroup.address] =
                    mode == "host" ? section.hostNetworkingHost : MetaLabels.address(ip, section.port)
                targets.append(labels.build())
            }
        }
        return targets
    }

    private static func networkMode(_ container: JSONValue) -> String {
        container["HostConfig"]?["NetworkMode"]?.string ?? ""
    }

    /// The networks of a container in the order of their names, or those of the container whose networks it shares.
    private func networks(_ container: JSONValue) -> [JSONValue] {
        var container = container
        // A chain may be a ring.
        for _ in 0...containers.count {
            let networks = (container["NetworkSettings"]?["Networks"]?.object ?? [:]).filter { !$0.value.isNull }
            if !networks.isEmpty {
                let sorted = networks.sorted { $0.key.precedesByBytes($1.key) }.map(\.value)
                return section.matchesFirstNetwork ? Array(sorted.prefix(1)) : sorted
            }
            let mode = DockerView.networkMode(container)
            let prefix = "container:"
            guard mode.hasPrefix(prefix),
                let other = containersByIdentifier[String(mode.dropFirst(prefix.utf8.count))]
            else { return [] }
            container = other
        }
        return []
    }
}
