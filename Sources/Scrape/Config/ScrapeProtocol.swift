import ConfigTree
package import Exposition

/// `scrape_protocols` and `fallback_scrape_protocol`: the formats a target may be asked for, by their names in the
/// configuration.
package enum ScrapeProtocol: String, Sendable, Hashable, CaseIterable {
    case protobuf = "PrometheusProto"
    case text004 = "PrometheusText0.0.4"
    case text100 = "PrometheusText1.0.0"
    case openMetrics001 = "OpenMetricsText0.0.1"
    case openMetrics100 = "OpenMetricsText1.0.0"

    /// What is asked for unless the configuration says otherwise, best first.
    package static let standard: [ScrapeProtocol] = [.openMetrics100, .openMetrics001, .text100, .text004]

    /// The same where native histograms are wanted: only one format has them.
    package static let protobufFirst: [ScrapeProtocol] = [.protobuf] + standard

    package var format: ExpositionFormat {
        switch self {
        case .protobuf: .protobuf
        case .text004: .text004
        case .text100: .text100
        case .openMetrics001: .openMetrics001
        case .openMetrics100: .openMetrics100
        }
    }

    /// Reads one name.
    static func parse(_ node: ConfigNode, suffix: String = "") throws(ConfigError) -> ScrapeProtocol {
        let name = try node.string()
        guard let value = ScrapeProtocol(rawValue: name) else {
            let supported = allCases.map(\.rawValue).sorted().joined(separator: " ")
            throw node.error("unknown scrape protocol \(name), supported: [\(supported)]\(suffix)")
        }
        return value
    }

    /// Nil for nothing, which means "not said".
    static func parseList(_ node: ConfigNode, suffix: String) throws(ConfigError) -> [ScrapeProtocol]? {
        if node.isNull { return nil }
        let nodes = try node.sequence("[]config.ScrapeProtocol")
        guard !nodes.isEmpty else { throw node.error("scrape_protocols cannot be empty" + suffix) }
        let names = try node.strings()
        var seen: Set<String> = []
        var protocols: [ScrapeProtocol] = []
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
    static func acceptHeader(_ protocols: [ScrapeProtocol], escaping: MetricNameEscaping) -> String {
        let standard = ExpositionFormat.acceptHeader(protocols.map(\.format))
        let scheme = MetricNameEscaping.allowUTF8.rawValue
        return escaping == .allowUTF8
            ? standard
            : standard.split(separator: scheme, omittingEmptySubsequences: false).joined(
                separator: escaping.rawValue)
    }
}

/// How a target shall write metric names outside the legacy alphabet.
package enum MetricNameEscaping: String, Sendable, CaseIterable {
    case allowUTF8 = "allow-utf-8"
    case underscores, dots, values
}

/// Which metric and label names are taken.
package enum NameValidation: String, Sendable, CaseIterable {
    case utf8, legacy

    /// The escaping that goes with it unless another is said.
    var escaping: MetricNameEscaping { self == .legacy ? .underscores : .allowUTF8 }
}
