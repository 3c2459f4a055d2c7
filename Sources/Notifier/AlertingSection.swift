package import ConfigTree
package import Discovery
package import OutboundHTTP
package import Relabeling
private import SeriesModel

/// The `alerting` section: what is done to alerts on their way out, and where they go.
package struct AlertingSection: Sendable, Hashable {
    package var alertRelabelRules: [RelabelRule] = []
    package var alertmanagers: [AlertmanagerSection] = []

    package init() {}

    /// Things that are not errors, for the log.
    package var warnings: [String] {
        alertmanagers.contains { $0.isOfOldVersion }
            ? ["alertmanagers: api_version v1 is gone from Alertmanager, v2 is used"] : []
    }

    /// - Parameter node: the section, nil where the file has none.
    package init(
        _ node: ConfigNode?, baseDirectory: String, requiresLegacyNames: Bool = false
    ) throws(ConfigError) {
        guard let node, !node.isNull else { return }
        var section = try node.section("config.AlertingConfig")
        alertRelabelRules = try RelabelList.take(
            from: &section, "alert_relabel_configs", empty: "empty or null alert relabeling rule",
            legacy: requiresLegacyNames)
        for node in try section.sequence("alertmanagers", "config.AlertmanagerConfigs") ?? [] {
            alertmanagers.append(
                try AlertmanagerSection(
                    node, baseDirectory: baseDirectory, requiresLegacyNames: requiresLegacyNames))
        }
        try section.finish()
    }

    /// The section with defaults filled in; nil where it says nothing.
    package var output: ConfigOutput? {
        if alertRelabelRules.isEmpty, alertmanagers.isEmpty { return nil }
        var entries: [(key: String, value: ConfigOutput)] = []
        if !alertRelabelRules.isEmpty {
            entries.append(("alert_relabel_configs", .list(alertRelabelRules.map(\.output))))
        }
        if !alertmanagers.isEmpty { entries.append(("alertmanagers", .list(alertmanagers.map(\.output)))) }
        return .mapping(entries)
    }
}

/// One entry of `alertmanagers`: a set of Alertmanagers that are found and talked to in the same way.
package struct AlertmanagerSection: Sendable, Hashable {
    package var discovery: DiscoverySection
    package var relabelRules: [RelabelRule]
    package var alertRelabelRules: [RelabelRule]
    /// `http` or `https`
    package var scheme: String
    /// With a slash in front, without one at the end; "" for none.
    package var pathPrefix: String
    /// ms
    package var timeout: Int64
    package var client: HTTPClientSection
    /// Whether version 1 of the API is asked for, which current Alertmanagers do not have.
    package var isOfOldVersion = false

    init(_ node: ConfigNode, baseDirectory: String, requiresLegacyNames: Bool) throws(ConfigError) {
        guard !node.isNull else { throw node.error("empty or null section in alertmanagers") }
        var section = try node.section("config.AlertmanagerConfig")
        try section.refuse(unsupported: ["sigv4"])
        scheme = try AlertmanagerSection.scheme(section.take("scheme"))
        pathPrefix = AlertmanagerSection.normalised(try section.string("path_prefix") ?? "")
        timeout = try section.duration("timeout") ?? 10_000
        if let version = section.take("api_version") {
            let text = try version.string()
            isOfOldVersion = text == "v1"
            guard text.isEmpty || text == "v2" || isOfOldVersion else {
                throw version.error("expected Alertmanager api version to be one of [v2] but got \(text)")
            }
        }
        relabelRules = try RelabelList.take(
            from: &section, "relabel_configs", empty: "empty or null Alertmanager target relabeling rule",
            legacy: requiresLegacyNames)
        alertRelabelRules = try RelabelList.take(
            from: &section, "alert_relabel_configs", empty: "empty or null Alertmanager alert relabeling rule",
            legacy: requiresLegacyNames)
        client = try HTTPClientSection(taking: &section, baseDirectory: baseDirectory)
        discovery = try DiscoverySection(taking: &section, baseDirectory: baseDirectory)
        try section.finish()
        // Relabelling may still make an address of what is none.
        if relabelRules.isEmpty { try discovery.checkAddresses(at: node) }
        guard timeout > 0 else { throw node.error("timeout must be positive") }
    }

    private static func scheme(_ node: ConfigNode?) throws(ConfigError) -> String {
        guard let node else { return "http" }
        let text = try node.string()
        guard text.isEmpty || text == "http" || text == "https" else {
            throw node.error("scheme must be http or https, got \(GoQuote.quote(text))")
        }
        return text.isEmpty ? "http" : text
    }

    private static func normalised(_ prefix: String) -> String {
        let parts = prefix.split(separator: "/").filter { $0 != "." }
        return parts.map { "/" + $0 }.joined()
    }

    var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = client.output
        entries.append(("scheme", .text(scheme)))
        if !pathPrefix.isEmpty { entries.append(("path_prefix", .text(pathPrefix))) }
        entries.append(("timeout", .plain(DurationText.format(timeout))))
        entries.append(("api_version", .plain("v2")))
        if !relabelRules.isEmpty { entries.append(("relabel_configs", .list(relabelRules.map(\.output)))) }
        if !alertRelabelRules.isEmpty {
            entries.append(("alert_relabel_configs", .list(alertRelabelRules.map(\.output))))
        }
        return .mapping(entries + discovery.output)
    }
}

private enum RelabelList {
    static func take(
        from section: inout ConfigSection, _ key: String, empty complaint: String, legacy: Bool
    ) throws(ConfigError) -> [RelabelRule] {
        var rules: [RelabelRule] = []
        for node in try section.sequence(key) ?? [] {
            guard !node.isNull else { throw node.error(complaint) }
            rules.append(try RelabelRule(node, requiresLegacyNames: legacy))
        }
        return rules
    }
}
