import ConfigTree
import Exposition

/// `scrape_protocols` and `fallback_scrape_protocol`: the formats a target may be asked for.
enum ScrapeProtocol {
    private static let protobuf = "PrometheusProto"

    /// Reads one name.
    static func parse(_ node: ConfigNode, suffix: String) throws(ConfigError) -> ExpositionFormat {
        let name = try node.string()
        if let format = ExpositionFormat(rawValue: name) { return format }
        if name == protobuf { throw node.error("scrape protocol \(name) is not supported by Hearth yet") }
        let supported = (ExpositionFormat.allCases.map(\.rawValue) + [protobuf]).sorted().joined(separator: " ")
        throw node.error("unknown scrape protocol \(name), supported: [\(supported)]\(suffix)")
    }

    /// Nil for an empty list, which means "not said".
    static func parseList(_ node: ConfigNode, suffix: String) throws(ConfigError) -> [ExpositionFormat]? {
        let nodes = try node.sequence()
        let names = try node.strings()
        for (index, name) in names.enumerated() where names[..<index].contains(name) {
            throw nodes[index].error(
                "duplicated protocol in scrape_protocols, got [\(names.joined(separator: " "))]\(suffix)")
        }
        var formats: [ExpositionFormat] = []
        for item in nodes {
            do {
                formats.append(try parse(item, suffix: suffix))
            } catch {
                throw item.error("scrape_protocols: " + error.message)
            }
        }
        return formats.isEmpty ? nil : formats
    }

    /// The `Accept` header, names escaped as the job wishes.
    static func acceptHeader(_ formats: [ExpositionFormat], escaping: MetricNameEscaping) -> String {
        let standard = ExpositionFormat.acceptHeader(formats)
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
}
