package import ConfigTree
import SeriesModel

/// Where the targets of a scrape job, or the Alertmanagers, come from: the `static_configs` and `*_sd_configs` keys.
package struct DiscoverySection: Sendable, Hashable {
    package var staticGroups: [TargetGroup] = []
    package var files: [FileDiscoverySection] = []

    package init() {}

    /// The kinds that Prometheus knows and that are refused with a word of their own.
    private static let unsupported = [
        "aws", "azure", "consul", "digitalocean", "dns", "docker", "dockerswarm", "ec2", "ecs", "elasticache", "eureka",
        "gce", "hetzner", "http", "ionos", "kubernetes", "kuma", "lightsail", "linode", "marathon", "msk", "nerve",
        "nomad", "oci", "openstack", "outscale", "ovhcloud", "puppetdb", "rds", "scaleway", "serverset", "stackit",
        "triton", "uyuni", "vultr",
    ].map { $0 + "_sd_configs" }

    /// Takes the discovery keys out of a section that holds others too.
    package init(taking section: inout ConfigSection, baseDirectory: String) throws(ConfigError) {
        try section.refuse(unsupported: DiscoverySection.unsupported)
        for (index, node) in (try section.sequence("static_configs") ?? []).enumerated() {
            guard !node.isNull else { throw node.error("empty or null section in static_configs") }
            staticGroups.append(try TargetGroup(node, source: String(index)))
        }
        for node in try section.sequence("file_sd_configs") ?? [] {
            guard !node.isNull else { throw node.error("empty or null section in file_sd_configs") }
            files.append(try FileDiscoverySection(node, baseDirectory: baseDirectory))
        }
    }

    /// Static targets must be addresses, unless relabelling may still make them so.
    package func checkAddresses(at node: ConfigNode) throws(ConfigError) {
        for group in staticGroups {
            for target in group.targets {
                let address = target[TargetGroup.address] ?? ""
                guard !address.utf8.contains(UInt8(ascii: "/")) else {
                    throw node.error("\(GoQuote.quote(address)) is not a valid hostname")
                }
            }
        }
    }

    package var output: [(key: String, value: ConfigOutput)] {
        var entries: [(key: String, value: ConfigOutput)] = []
        if !files.isEmpty { entries.append(("file_sd_configs", .list(files.map(\.output)))) }
        if !staticGroups.isEmpty { entries.append(("static_configs", .list(staticGroups.map(\.output)))) }
        return entries
    }
}

extension TargetGroup {
    /// Reads `{targets: [...], labels: {...}}`, the shape of static groups and of files.
    init(_ node: ConfigNode, source: String) throws(ConfigError) {
        var section = try node.section("struct")
        var targets: [LabelSet] = []
        for address in try section.strings("targets") ?? [] {
            targets.append([TargetGroup.address: address])
        }
        var labels = LabelSet.empty
        if let node = section.take("labels") { labels = try LabelKeys.labels(node) }
        try section.finish()
        self.init(source: source, labels: labels, targets: targets)
    }

    fileprivate var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = [
            ("targets", .list(targets.map { .text($0[TargetGroup.address] ?? "") }))
        ]
        if !labels.isEmpty { entries.append(("labels", .mapping(labels.map { ($0.name, .text($0.value)) }))) }
        return .mapping(entries)
    }
}

/// One entry of `file_sd_configs`.
package struct FileDiscoverySection: Sendable, Hashable {
    /// Resolved; the last part of a path may be a pattern.
    package var patterns: [String]
    /// How often files are read again although nothing was noticed. ms
    package var refreshInterval: Int64

    init(_ node: ConfigNode, baseDirectory: String) throws(ConfigError) {
        var section = try node.section("file.SDConfig")
        let files = try section.sequence("files") ?? []
        refreshInterval = try section.duration("refresh_interval") ?? 300_000
        try section.finish()
        guard !files.isEmpty else {
            throw node.error("file service discovery config must contain at least one path name")
        }
        guard refreshInterval > 0 else { throw node.error("refresh_interval must be positive") }
        patterns = []
        for file in files {
            let path = try file.string()
            let isTargetFile = [".json", ".yml", ".yaml"].contains { path.lowercased().hasSuffix($0) }
            let parent = ConfigFile.directory(of: path)
            guard isTargetFile, !parent.contains(where: { "*?[".contains($0) }) else {
                throw file.error("path name \(GoQuote.quote(path)) is not valid for file discovery")
            }
            patterns.append(ConfigFile.resolve(path, in: baseDirectory))
        }
    }

    fileprivate var output: ConfigOutput {
        .mapping([
            ("files", .list(patterns.map { .text($0) })),
            ("refresh_interval", .plain(DurationText.format(refreshInterval))),
        ])
    }
}
