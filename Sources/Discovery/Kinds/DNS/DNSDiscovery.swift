package import ConfigTree
import Logging
package import SelfMetrics
import SeriesModel

/// One entry of `dns_sd_configs`: names whose records are targets.
package struct DNSDiscovery: DiscoveryKind {
    package static let name = "dns"

    var names: [String]
    var type: DNSRecordType
    /// For all types but SRV, whose records have their own.
    var port: Int
    /// ms
    var refreshInterval: Int64

    package init(_ node: ConfigNode, baseDirectory: String) throws(ConfigError) {
        var section = try node.section("dns.plain")
        names = try section.strings("names") ?? []
        let typeName = try section.string("type") ?? "SRV"
        port = try section.int("port") ?? 0
        refreshInterval = try section.refreshInterval(30_000)
        try section.finish()
        guard !names.isEmpty else { throw node.error("DNS-SD config must contain at least one SRV record name") }
        guard let type = DNSRecordType(configured: typeName.uppercased()) else {
            throw node.error("invalid DNS-SD records type \(typeName)")
        }
        self.type = type
        guard type == .srv || port != 0 else {
            throw node.error("a port is required in DNS-SD configs for all record types except SRV")
        }
        guard (0...65_535).contains(port) else { throw node.error("invalid port \(port)") }
        for name in names where DNSMessage.encoded(name: name) == nil {
            throw node.error("\(GoQuote.quote(name)) is not a valid domain name")
        }
    }

    package var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = [
            ("names", .list(names.map { .text($0) })),
            ("refresh_interval", .plain(DurationText.format(refreshInterval))), ("type", .text(type.name)),
        ]
        if port != 0 { entries.append(("port", .number(port))) }
        return .mapping(entries)
    }

    package func discoverer(_ context: DiscoveryContext) -> any Discoverer {
        DNSDiscoverer(
            section: self, clock: context.clock, metrics: DNSMetrics(context.registry), logger: context.logger)
    }

    package static func registerMetrics(_ registry: MetricsRegistry) { _ = DNSMetrics(registry) }
}

struct DNSMetrics: Sendable {
    let lookups: Counter
    let failures: Counter

    init(_ registry: MetricsRegistry) {
        lookups = registry.counter("prometheus_sd_dns_lookups_total", "The number of DNS-SD lookups.")
        failures = registry.counter("prometheus_sd_dns_lookup_failures_total", "The number of DNS-SD lookup failures.")
    }
}

struct DNSDiscoverer: RefreshingDiscoverer {
    let section: DNSDiscovery
    let clock: any WallClock
    let metrics: DNSMetrics
    let logger: Logger
    /// Read before each refresh: name servers may change.
    var configuration: @Sendable () -> ResolverConfiguration = { ResolverConfiguration.system() }

    var refreshInterval: Int64 { section.refreshInterval }

    /// A name that cannot be looked up keeps its targets, whatever becomes of the others. The refresh as a whole has
    /// failed when all of them have.
    func refresh(_ feed: DiscoveryFeed) async throws(DiscoveryError) {
        let resolver = DNSResolver(configuration: configuration())
        let failure = await withTaskGroup(of: DiscoveryError?.self) { lookups -> DiscoveryError? in
            for name in section.names { lookups.addTask { await lookUp(name, resolver, feed) } }
            var last: DiscoveryError?
            var isAnyGood = false
            for await failure in lookups {
                if let failure { last = failure } else { isAnyGood = true }
            }
            return isAnyGood ? nil : last
        }
        if let failure { throw failure }
    }

    private func lookUp(_ name: String, _ resolver: DNSResolver, _ feed: DiscoveryFeed) async -> DiscoveryError? {
        metrics.lookups.increment()
        do throws(DiscoveryError) {
            let records = try await resolver.lookUp(name, section.type)
            feed.update([TargetGroup(source: name, labels: .empty, targets: records.compactMap { target($0, name) })])
            return nil
        } catch {
            metrics.failures.increment()
            if !Task.isCancelled {
                logger.error("Error refreshing DNS targets", metadata: ["name": "\(name)", "err": "\(error)"])
            }
            return error
        }
    }

    private func target(_ record: DNSRecord, _ name: String) -> LabelSet? {
        var labels = MetaLabelBuilder()
        labels["__meta_dns_name"] = name
        let host: String
        var port = section.port
        switch record {
        case .address(let address): host = address
        case .service(let target, let servicePort):
            labels["__meta_dns_srv_record_target"] = target
            labels["__meta_dns_srv_record_port"] = String(servicePort)
            host = target
            port = servicePort
        case .mailExchange(let target):
            labels["__meta_dns_mx_record_target"] = target
            host = target
        case .nameServer(let target):
            labels["__meta_dns_ns_record_target"] = target
            host = target
        }
        var bare = host[...]
        while bare.utf8.last == UInt8(ascii: ".") { bare = bare.dropLast() }
        // A service that is expressly not there has the root as its target.
        guard !bare.isEmpty else { return nil }
        labels[TargetGroup.address] = MetaLabels.address(String(bare), port)
        return labels.build()
    }
}
