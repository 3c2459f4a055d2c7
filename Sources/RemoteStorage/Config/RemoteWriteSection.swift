package import ConfigTree
package import OutboundHTTP
package import Relabeling
import SeriesModel

/// One entry of `remote_write`.
package struct RemoteWriteSection: Sendable, Hashable {
    package enum Message: String, Sendable, CaseIterable {
        case version1 = "prometheus.WriteRequest"
        case version2 = "io.prometheus.write.v2.Request"
    }

    package var url: ConfigURL
    /// "" where none is given.
    package var name = ""
    /// ms
    package var timeout: Int64 = 30_000
    package var headers: [RequestHeader] = []
    package var relabelRules: [RelabelRule] = []
    package var sendsExemplars = false
    package var sendsNativeHistograms = false
    package var usesRoundRobinDNS = false
    package var logsFailedRequests = false
    package var message = Message.version1
    package var client: HTTPClientSection
    package var queue = QueueSection()
    package var metadata = MetadataSection()

    /// Version 2 always carries native histograms, as upstream has it; the key is about version 1.
    var carriesNativeHistograms: Bool { message == .version2 || sendsNativeHistograms }

    /// Reads the whole list.
    /// - Parameter requiresLegacyNames: `metric_name_validation_scheme: legacy`
    package static func list(
        _ nodes: [ConfigNode], baseDirectory: String, requiresLegacyNames: Bool = false
    ) throws(ConfigError) -> [RemoteWriteSection] {
        var sections: [RemoteWriteSection] = []
        var names: Set<String> = []
        for node in nodes {
            guard !node.isNull else { throw node.error("empty or null remote write config section") }
            let section = try RemoteWriteSection(
                node, baseDirectory: baseDirectory, requiresLegacyNames: requiresLegacyNames)
            guard section.name.isEmpty || names.insert(section.name).inserted else {
                throw node.error(
                    "found multiple remote write configs with job name \(GoQuote.quote(section.name))")
            }
            sections.append(section)
        }
        return sections
    }

    /// All else as without a configuration.
    init(url: ConfigURL, client: HTTPClientSection) {
        self.url = url
        self.client = client
    }

    init(_ node: ConfigNode, baseDirectory: String, requiresLegacyNames: Bool) throws(ConfigError) {
        var section = try node.section("config.plain")
        let urlNode = section.present("url")
        url = try urlNode.map { node throws(ConfigError) in try ConfigURL(node) } ?? ConfigURL("")
        client = try HTTPClientSection(taking: &section, baseDirectory: baseDirectory, enablesHTTP2: false)
        name = try section.string("name") ?? ""
        timeout = try section.duration("remote_timeout") ?? timeout
        sendsExemplars = try section.bool("send_exemplars") ?? false
        sendsNativeHistograms = try section.bool("send_native_histograms") ?? false
        usesRoundRobinDNS = try section.bool("round_robin_dns") ?? false
        logsFailedRequests = try section.bool("failed_request_logging") ?? false
        message = try RemoteWriteSection.message(section.present("protobuf_message"))
        headers = try RequestHeader.list(section.take("headers"))
        for rule in try section.sequence("write_relabel_configs") ?? [] {
            guard !rule.isNull else {
                throw rule.error("empty or null relabeling rule in remote write config")
            }
            relabelRules.append(try RelabelRule(rule, requiresLegacyNames: requiresLegacyNames))
        }
        if let node = section.present("queue_config") { queue = try QueueSection(node) }
        if let node = section.present("metadata_config") { metadata = try MetadataSection(node) }
        try RemoteWriteSection.refuseClouds(&section, client)
        try section.finish()
        guard urlNode != nil else { throw node.error("url for remote_write is empty") }
    }

    private static func message(_ node: ConfigNode?) throws(ConfigError) -> Message {
        guard let node else { return .version1 }
        let name = try node.string()
        guard let message = Message(rawValue: name) else {
            let known = Message.allCases.map(\.rawValue).joined(separator: ", ")
            throw node.error(
                "invalid protobuf_message value: unknown type for remote write protobuf message \(name), supported: "
                    + known)
        }
        return message
    }

    /// The clouds' own ways to prove who one is: contradictions are told first, then that they are not served.
    private static func refuseClouds(
        _ section: inout ConfigSection, _ client: HTTPClientSection
    ) throws(ConfigError) {
        var configured: [String] = []
        if client.basicAuth != nil { configured.append("basic_auth") }
        if client.authorization != nil { configured.append("authorization") }
        if client.oauth2 != nil { configured.append("oauth2") }
        var cloud: ConfigNode?
        for key in ["sigv4", "azuread", "google_iam"] {
            guard let node = section.present(key) else { continue }
            configured.append(key)
            cloud = cloud ?? node
        }
        guard let cloud else { return }
        guard configured.count < 2 else {
            throw section.node.error(
                "at most one of basic_auth, authorization, oauth2, sigv4, azuread or google_iam must be configured. "
                    + "Currently configured: [\(configured.joined(separator: " "))]")
        }
        throw cloud.error("remote_write: \"\(configured[0])\" is not supported by Hearth yet")
    }

    package var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = [("url", .text(url.redacted))]
        entries.append(("remote_timeout", .plain(DurationText.format(timeout))))
        entries += RequestHeader.output(headers)
        if !relabelRules.isEmpty { entries.append(("write_relabel_configs", .list(relabelRules.map(\.output)))) }
        if !name.isEmpty { entries.append(("name", .text(name))) }
        if sendsExemplars { entries.append(("send_exemplars", .flag(true))) }
        if sendsNativeHistograms { entries.append(("send_native_histograms", .flag(true))) }
        if usesRoundRobinDNS { entries.append(("round_robin_dns", .flag(true))) }
        if logsFailedRequests { entries.append(("failed_request_logging", .flag(true))) }
        entries.append(("protobuf_message", .text(message.rawValue)))
        entries += client.output
        entries.append(("queue_config", queue.output))
        entries.append(("metadata_config", metadata.output))
        return .mapping(entries)
    }
}

/// `queue_config`: how much waits and how it is sent.
package struct QueueSection: Sendable, Hashable {
    /// Samples that wait in a shard.
    package var capacity = 10_000
    package var shardsMax = 50
    package var shardsMin = 1
    package var samplesPerSendMax = 2000
    /// ms
    package var batchSendDeadline: Int64 = 5000
    /// ms
    package var backoffMin: Int64 = 30
    /// ms
    package var backoffMax: Int64 = 5000
    package var retriesOnRateLimit = false
    /// Older samples are dropped; 0 for none. ms
    package var sampleAgeLimit: Int64 = 0

    package init() {}

    init(_ node: ConfigNode) throws(ConfigError) {
        var section = try node.section("config.QueueConfig")
        capacity = try section.int("capacity") ?? capacity
        shardsMax = try section.int("max_shards") ?? shardsMax
        shardsMin = try section.int("min_shards") ?? shardsMin
        samplesPerSendMax = try section.int("max_samples_per_send") ?? samplesPerSendMax
        batchSendDeadline = try section.duration("batch_send_deadline") ?? batchSendDeadline
        backoffMin = try section.duration("min_backoff") ?? backoffMin
        backoffMax = try section.duration("max_backoff") ?? backoffMax
        retriesOnRateLimit = try section.bool("retry_on_http_429") ?? false
        sampleAgeLimit = try section.duration("sample_age_limit") ?? 0
        try section.finish()
        let counts = [
            ("capacity", capacity), ("max_shards", shardsMax), ("min_shards", shardsMin),
            ("max_samples_per_send", samplesPerSendMax),
        ]
        for (name, count) in counts where count <= 0 {
            throw node.error("remote write queue \(name) must be positive")
        }
        for (name, time) in [("batch_send_deadline", batchSendDeadline), ("min_backoff", backoffMin)] where time <= 0 {
            throw node.error("remote write queue \(name) must be positive")
        }
        guard shardsMin <= shardsMax else {
            throw node.error("remote write queue min_shards must not be greater than max_shards")
        }
        guard backoffMin <= backoffMax else {
            throw node.error("remote write queue max_backoff must not be less than min_backoff")
        }
    }

    var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = [
            ("capacity", .number(capacity)), ("max_shards", .number(shardsMax)), ("min_shards", .number(shardsMin)),
            ("max_samples_per_send", .number(samplesPerSendMax)),
            ("batch_send_deadline", .plain(DurationText.format(batchSendDeadline))),
            ("min_backoff", .plain(DurationText.format(backoffMin))),
            ("max_backoff", .plain(DurationText.format(backoffMax))),
        ]
        if retriesOnRateLimit { entries.append(("retry_on_http_429", .flag(true))) }
        if sampleAgeLimit > 0 { entries.append(("sample_age_limit", .plain(DurationText.format(sampleAgeLimit)))) }
        return .mapping(entries)
    }
}

/// `metadata_config`: how types and help texts are sent.
package struct MetadataSection: Sendable, Hashable {
    package var isSent = true
    /// ms
    package var interval: Int64 = 60_000
    package var samplesPerSendMax = 2000

    package init() {}

    init(_ node: ConfigNode) throws(ConfigError) {
        var section = try node.section("config.MetadataConfig")
        isSent = try section.bool("send") ?? true
        interval = try section.duration("send_interval") ?? interval
        samplesPerSendMax = try section.int("max_samples_per_send") ?? samplesPerSendMax
        try section.finish()
    }

    var output: ConfigOutput {
        .mapping([
            ("send", .flag(isSent)), ("send_interval", .plain(DurationText.format(interval))),
            ("max_samples_per_send", .number(samplesPerSendMax)),
        ])
    }
}
