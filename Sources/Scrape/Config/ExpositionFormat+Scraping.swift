import ConfigTree
package import Exposition

/// `scrape_protocols` and `fallback_scrape_protocol`: the formats a target may be asked for, by their names in the
/// configuration.
extension ExpositionFormat {
    /// What is asked for unless the configuration says otherwise where native histograms are wanted: only one format
    /// has them.
    package static let protobufFirst: [ExpositionFormat] = [.protobuf] + standard

    /// Reads one name.
    static func parse(_ node: ConfigNode, suffix: String = "") throws(ConfigError) -> ExpositionFormat {
        let name = try node.string()
        guard let value = ExpositionFormat(rawValue: name) else {
            let supported = allCases.map(\.rawValue).sorted().joined(separator: " ")
            throw node.error("unknown scrape protocol \(name), supported: [\(supported)]\(suffix)")
        }
        return value
    }

    /// Nil for nothing, which means "not said".
    static func parseList(_ node: ConfigNode, suffix: String) throws(ConfigError) -> [ExpositionFormat]? {
        if node.isNull { return nil }
        let nodes = try node.sequence("[]config.ScrapeProtocol")
        guard !nodes.isEmpty else { throw node.error("scrape_protocols cannot be empty" + suffix) }
        let names = try node.strings()
        var seen: Set<String> = []
        var protocols: [ExpositionFormat] = []
        for (item, name) in zip(nodes, names) {
            guard seen.insert(name.lowercased()).inserted else {
                throw item.error(
                    "duplicated protocol in scrape_protocols, got [\(names.joined(separator: " "))]\(suffix)")
            }
            do {
                protocols.append(try parse(item, suffix: suffix))
            } catch {
                throw item.error("scrape_protocols: " + error.message)
            }
        }
        return protocols
    }

    /// The `Accept` header, names escaped as the job wishes.
    static func acceptHeader(_ protocols: [ExpositionFormat], escaping: MetricNameEscaping) -> String {
        let standard = ExpositionFormat.acceptHeader(protocols)
        let scheme = MetricNameEscaping.allowUTF8.rawValue
        return escaping == .allowUTF8
            ? standard
            : standard.split(separator: scheme, omittingEmptySubsequences: false).joined(
                separator: escaping.rawValue)
    }
}
