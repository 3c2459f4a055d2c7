package import ConfigTree
import SeriesModel

/// Where the targets of a scrape job, or the Alertmanagers, come from: the `static_configs` and `*_sd_configs` keys.
package struct DiscoverySection: Sendable, Hashable {
    /// One entry of one `*_sd_configs` list.
    package struct Entry: Sendable, Hashable {
        package let kind: any DiscoveryKind

        package init(_ kind: any DiscoveryKind) { self.kind = kind }

        package static func == (a: Entry, b: Entry) -> Bool { AnyHashable(a.kind) == AnyHashable(b.kind) }

        package func hash(into hasher: inout Hasher) { AnyHashable(kind).hash(into: &hasher) }

        var mechanism: String { type(of: kind).name }
    }

    package var staticGroups: [TargetGroup] = []
    package var entries: [Entry] = []

    package init() {}

    /// Takes the discovery keys out of a section that holds others too.
    package init(taking section: inout ConfigSection, baseDirectory: String) throws(ConfigError) {
        try section.refuse(unsupported: DiscoveryKinds.unsupported.map { $0 + "_sd_configs" })
        for (index, node) in (try section.sequence("static_configs") ?? []).enumerated() {
            guard !node.isNull else { throw node.error("empty or null section in static_configs") }
            staticGroups.append(try TargetGroup(node, source: String(index)))
        }
        for kind in DiscoveryKinds.all {
            let key = kind.name + "_sd_configs"
            for node in try section.sequence(key) ?? [] {
                guard !node.isNull else { throw node.error("empty or null section in \(key)") }
                entries.append(Entry(try kind.init(node, baseDirectory: baseDirectory)))
            }
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
        var all: [(key: String, value: ConfigOutput)] = []
        for kind in DiscoveryKinds.all {
            let list = entries.filter { $0.mechanism == kind.name }.map(\.kind.output)
            if !list.isEmpty { all.append((kind.name + "_sd_configs", .list(list))) }
        }
        if !staticGroups.isEmpty { all.append(("static_configs", .list(staticGroups.map(\.output)))) }
        return all
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

/// Labels that a file writes as a mapping.
package enum LabelKeys {
    /// - Parameter legacy: `metric_name_validation_scheme: legacy`
    package static func check(_ entry: ConfigNode.Entry, legacy: Bool = false) throws(ConfigError) {
        if let bytes = entry.keyNode.invalidBytes {
            throw entry.keyNode.error("\(GoQuote.quote(bytes: bytes)) is not a valid label name")
        }
        guard legacy ? LabelName.isLegacyLabelName(entry.key) : LabelName.isValid(entry.key) else {
            throw entry.keyNode.error("\(GoQuote.quote(entry.key)) is not a valid label name")
        }
        if let bytes = entry.value.invalidBytes {
            throw entry.value.error("\(GoQuote.quote(bytes: bytes)) is not a valid label value")
        }
    }

    static func labels(_ node: ConfigNode) throws(ConfigError) -> LabelSet {
        var labels: [Label] = []
        for entry in try node.entries() {
            try check(entry)
            labels.append(Label(entry.key, try entry.value.string()))
        }
        return LabelSet(labels)
    }
}
