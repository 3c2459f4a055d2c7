package import ConfigTree
import Discovery
import Exposition
import OutboundHTTP
import Relabeling
import SeriesModel

extension ScrapeConfig {
    /// Reads the entries of `scrape_configs` of one file.
    /// - Parameters:
    ///   - baseDirectory: where relative file names start.
    ///   - names: the jobs read so far, with where they were found; those read here are added.
    ///   - source: for messages, where these are found; nil for the main file.
    /// - Throws: `ConfigError` at the first mistake, a job name twice included.
    package static func parseAll(
        _ nodes: [ConfigNode], globals: ScrapeGlobals, baseDirectory: String, names: inout [String: String],
        source: String? = nil
    ) throws(ConfigError) -> [ScrapeConfig] {
        var configs: [ScrapeConfig] = []
        for node in nodes {
            guard !node.isNull else { throw node.error("empty or null scrape config section") }
            let config = try ScrapeConfig(node, globals: globals, baseDirectory: baseDirectory)
            if let first = names.updateValue(source ?? "main config file", forKey: config.jobName) {
                let place = source == nil ? "" : ", first found in \(first)"
                throw node.error(
                    "found multiple scrape configs with job name \(GoQuote.quote(config.jobName))\(place)")
            }
            configs.append(config)
        }
        return configs
    }

    /// The jobs of one file by themselves.
    package static func parseAll(
        _ nodes: [ConfigNode], globals: ScrapeGlobals, baseDirectory: String
    ) throws(ConfigError) -> [ScrapeConfig] {
        var names: [String: String] = [:]
        return try parseAll(nodes, globals: globals, baseDirectory: baseDirectory, names: &names)
    }

    init(_ node: ConfigNode, globals: ScrapeGlobals, baseDirectory: String) throws(ConfigError) {
        var section = try node.section("config.ScrapeConfig")
        let jobName = try section.string("job_name") ?? ""
        self.init(jobName: jobName, globals: globals)
        try takeTiming(from: &section, globals)
        try histograms.take(from: &section)
        try histograms.takeLimits(from: &section)
        try takeProtocols(from: &section, globals)
        try takeRequest(from: &section)
        try takeNames(from: &section, globals)
        honorsLabels = try section.bool("honor_labels") ?? false
        honorsTimestamps = try section.bool("honor_timestamps") ?? true
        tracksTimestampStaleness = try section.bool("track_timestamps_staleness") ?? false
        addsExtraMetrics = try section.bool("extra_scrape_metrics") ?? addsExtraMetrics
        if let path = try section.string("scrape_failure_log_file"), !path.isEmpty {
            failureLogFile = ConfigFile.resolve(path, in: baseDirectory)
        }
        try limits.take(from: &section)
        relabelRules = try rules(section.sequence("relabel_configs", "[]*relabel.Config"), "target")
        metricRelabelRules = try rules(section.sequence("metric_relabel_configs", "[]*relabel.Config"), "metric")
        client = try HTTPClientSection(taking: &section, baseDirectory: baseDirectory)
        discovery = try DiscoverySection(taking: &section, baseDirectory: baseDirectory)
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

    private mutating func takeProtocols(
        from section: inout ConfigSection, _ globals: ScrapeGlobals
    ) throws(ConfigError) {
        let job = " for scrape config with job name " + GoQuote.quote(jobName)
        let own = try section.take("scrape_protocols").flatMap { node throws(ConfigError) in
            try ExpositionFormat.parseList(node, suffix: job)
        }
        scrapeProtocols =
            own ?? globals.scrapeProtocols
            ?? globals.standardProtocols(histograms)
        if let node = section.take("fallback_scrape_protocol"), !(try node.string()).isEmpty {
            do {
                fallbackProtocol = try ExpositionFormat.parse(node)
            } catch {
                throw node.error("invalid fallback_scrape_protocol\(job): \(error.message)")
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
        let names = try NameKeys.take(from: &section, of: "scrape config")
        nameValidation = names.validation ?? globals.nameValidation
        // A job with a validation of its own does not inherit the escaping, which might contradict it.
        let inherited =
            names.validation == nil
            ? globals.nameEscaping ?? globals.nameValidation.escaping : nameValidation.escaping
        nameEscaping = names.escaping ?? inherited
        if nameValidation == .legacy, nameEscaping == .allowUTF8 {
            throw section.node.error("utf8 metric names requested but validation scheme is not set to UTF8")
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
