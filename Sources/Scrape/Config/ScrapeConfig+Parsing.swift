package import ConfigTree
import Discovery
import OutboundHTTP
import Relabeling
import SeriesModel

extension ScrapeConfig {
    /// Reads the entries of `scrape_configs`, of the main file and of further ones together.
    /// - Throws: `ConfigError` at the first mistake, a job name twice included.
    package static func parseAll(
        _ nodes: [ConfigNode], globals: ScrapeGlobals, baseDirectory: String
    ) throws(ConfigError) -> [ScrapeConfig] {
        var configs: [ScrapeConfig] = []
        var names: Set<String> = []
        for node in nodes {
            guard !node.isNull else { throw node.error("empty or null scrape config section") }
            let config = try ScrapeConfig(node, globals: globals, baseDirectory: baseDirectory)
            guard names.insert(config.jobName).inserted else {
                throw node.error("found multiple scrape configs with job name \(GoQuote.quote(config.jobName))")
            }
            configs.append(config)
        }
        return configs
    }

    init(_ node: ConfigNode, globals: ScrapeGlobals, baseDirectory: String) throws(ConfigError) {
        var section = try node.section("config.ScrapeConfig")
        let jobName = try section.string("job_name") ?? ""
        self.init(jobName: jobName, globals: globals)
        try takeTiming(from: &section, globals)
        try takeProtocols(from: &section)
        try takeRequest(from: &section)
        try takeNames(from: &section, globals)
        honorsLabels = try section.bool("honor_labels") ?? false
        honorsTimestamps = try section.bool("honor_timestamps") ?? true
        tracksTimestampStaleness = try section.bool("track_timestamps_staleness") ?? false
        addsExtraMetrics = try section.bool("extra_scrape_metrics") ?? addsExtraMetrics
        alwaysScrapesClassicHistograms =
            try section.bool("always_scrape_classic_histograms") ?? alwaysScrapesClassicHistograms
        try HistogramKeys.take(from: &section)
        try ScrapeConfig.refuseBucketLimits(in: &section)
        try limits.take(from: &section)
        relabelRules = try rules(section.sequence("relabel_configs"), "target")
        metricRelabelRules = try rules(section.sequence("metric_relabel_configs"), "metric")
        client = try HTTPClientSection(taking: &section, baseDirectory: baseDirectory)
        discovery = try DiscoverySection(taking: &section, baseDirectory: baseDirectory)
        try section.refuse(unsupported: ["scrape_failure_log_file"])
        try section.finish()
        guard !jobName.isEmpty else { throw node.error("job_name is empty") }
        if relabelRules.isEmpty { try discovery.checkAddresses(at: node) }
    }

    private mutating func takeTiming(
        from section: inout ConfigSection, _ globals: ScrapeGlobals
    ) throws(ConfigError) {
        let place = section.node
        let interval = try section.duration("scrape_interval") ?? 0
        let timeout = try section.duration("scrape_timeout") ?? 0
        scrapeInterval = interval > 0 ? interval : globals.scrapeInterval
        guard timeout <= scrapeInterval else {
            throw place.error(
                "scrape timeout greater than scrape interval for scrape config with job name "
                    + GoQuote.quote(jobName))
        }
        scrapeTimeout = timeout > 0 ? timeout : min(globals.scrapeTimeout, scrapeInterval)
    }

    private mutating func takeProtocols(from section: inout ConfigSection) throws(ConfigError) {
        let suffix = " for scrape config with job name " + GoQuote.quote(jobName)
        if let node = section.take("scrape_protocols"),
            let formats = try ScrapeProtocol.parseList(node, suffix: suffix)
        {
            scrapeProtocols = formats
        }
        if let node = section.take("fallback_scrape_protocol"), !(try node.string()).isEmpty {
            do {
                fallbackProtocol = try ScrapeProtocol.parse(node, suffix: suffix)
            } catch {
                throw node.error("invalid fallback_scrape_protocol: " + error.message)
            }
        }
        enablesCompression = try section.bool("enable_compression") ?? true
    }

    private mutating func takeRequest(from section: inout ConfigSection) throws(ConfigError) {
        metricsPath = try section.string("metrics_path") ?? metricsPath
        if metricsPath.isEmpty { metricsPath = "/metrics" }
        if let node = section.take("scheme"), !node.isNull {
            guard let scheme = Scheme(rawValue: try node.string().lowercased()) else {
                throw node.error("unknown scheme \(GoQuote.quote(try node.string())), must be http or https")
            }
            self.scheme = scheme
        }
        for entry in try section.take("params")?.entries() ?? [] {
            parameters.append(Parameter(name: entry.key, values: try entry.value.strings()))
        }
        parameters.sort { $0.name.precedesByBytes($1.name) }
    }

    private mutating func takeNames(
        from section: inout ConfigSection, _ globals: ScrapeGlobals
    ) throws(ConfigError) {
        let names = try NameKeys.take(from: &section)
        nameValidation = names.validation ?? globals.nameValidation
        let escaping = names.escaping ?? globals.nameEscaping
        try NameKeys.check(nameValidation, escaping, at: section.node)
        nameEscaping = escaping ?? (nameValidation == .legacy ? .underscores : .allowUTF8)
    }

    /// Limits on native histograms, which are not served yet: only "none" is taken.
    private static func refuseBucketLimits(in section: inout ConfigSection) throws(ConfigError) {
        for key in ["native_histogram_bucket_limit", "native_histogram_min_bucket_factor"] {
            guard let node = section.take(key) else { continue }
            guard try node.double() == 0 else { throw node.error("\"\(key)\" is not supported by Hearth yet") }
        }
    }

    private func rules(_ nodes: [ConfigNode]?, _ what: String) throws(ConfigError) -> [RelabelRule] {
        var rules: [RelabelRule] = []
        for node in nodes ?? [] {
            guard !node.isNull else {
                throw node.error("empty or null \(what) relabeling rule in scrape config")
            }
            rules.append(try RelabelRule(node, requiresLegacyNames: nameValidation == .legacy))
        }
        return rules
    }
}
