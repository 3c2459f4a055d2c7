package import ConfigTree
import Discovery
package import Exposition
package import SeriesModel

/// The `global` section: defaults for scrape jobs, and what rules, remote ends and the query log take from it.
package struct ScrapeGlobals: Sendable, Hashable {
    /// ms
    package var scrapeInterval: Int64 = 60_000
    /// ms
    package var scrapeTimeout: Int64 = 10_000
    /// Nil: the standard ones.
    package var scrapeProtocols: [ExpositionFormat]?
    /// For rule groups that do not say. ms
    package var evaluationInterval: Int64 = 60_000
    /// For rule groups that do not say. ms
    package var ruleQueryOffset: Int64 = 0
    /// Put on what leaves this server; never stored.
    package var externalLabels = LabelSet.empty
    /// "" for none; relative names are resolved.
    package var queryLogFile = ""
    /// Where failed scrapes are noted by jobs that do not say; "" for nowhere.
    package var failureLogFile = ""
    package var limits = ScrapeLimits()
    package var nameValidation = NameValidation.utf8
    /// Nil: what follows from the validation.
    package var nameEscaping: MetricNameEscaping?
    package var histograms = HistogramOptions()
    package var addsExtraMetrics = false
    /// Whether protobuf is asked for first where nobody says: of the formats it is the one that says most.
    package var prefersProtobuf = false
    /// Things that are not errors, for the log: an external label that names an undefined variable.
    package var warnings: [String] = []

    package init() {}

    /// - Parameters:
    ///   - node: the section, or nil where the file has none.
    ///   - environment: the value of a variable, for `external_labels` only.
    package init(
        _ node: ConfigNode?, baseDirectory: String, prefersProtobuf: Bool = false,
        environment: (String) -> String? = { _ in nil }
    ) throws(ConfigError) {
        self.prefersProtobuf = prefersProtobuf
        guard let node, !node.isNull else { return }
        var section = try node.section("config.plain")
        let interval = try section.duration("scrape_interval") ?? 0
        let timeout = try section.duration("scrape_timeout") ?? 0
        if interval > 0 { scrapeInterval = interval }
        guard timeout <= scrapeInterval else {
            throw node.error("global scrape timeout greater than scrape interval")
        }
        scrapeTimeout = timeout > 0 ? timeout : min(scrapeTimeout, scrapeInterval)
        if let list = section.take("scrape_protocols") {
            scrapeProtocols = try ExpositionFormat.parseList(list, suffix: " for global config")
        }
        let evaluation = try section.duration("evaluation_interval") ?? 0
        if evaluation > 0 { evaluationInterval = evaluation }
        ruleQueryOffset = try section.duration("rule_query_offset") ?? 0
        let labels = section.take("external_labels")
        queryLogFile = ConfigFile.resolve(try section.string("query_log_file") ?? "", in: baseDirectory)
        failureLogFile = ConfigFile.resolve(try section.string("scrape_failure_log_file") ?? "", in: baseDirectory)
        try limits.take(from: &section)
        let names = try NameKeys.take(from: &section, of: "global")
        nameValidation = names.validation ?? .utf8
        nameEscaping = names.escaping
        try histograms.take(from: &section)
        addsExtraMetrics = try section.bool("extra_scrape_metrics") ?? false
        try section.finish()
        if let labels { try readExternalLabels(labels, environment) }
    }

    /// What a job asks for that does not say.
    func standardProtocols(_ histograms: HistogramOptions) -> [ExpositionFormat] {
        prefersProtobuf || histograms.scrapesNative ? ExpositionFormat.protobufFirst : ExpositionFormat.standard
    }

    private mutating func readExternalLabels(
        _ node: ConfigNode, _ environment: (String) -> String?
    ) throws(ConfigError) {
        var labels: [Label] = []
        for entry in try node.entries() {
            try LabelKeys.check(entry, legacy: nameValidation == .legacy)
            let value = EnvironmentText.expand(try entry.value.string()) { name in
                if let value = environment(name), !value.isEmpty { return value }
                warnings.append("empty environment variable \(name) in external label \(entry.key)")
                return ""
            }
            labels.append(Label(entry.key, value))
        }
        externalLabels = LabelSet(labels)
    }
}

extension ScrapeGlobals {
    /// The section with defaults filled in.
    package var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = [
            ("scrape_interval", .plain(DurationText.format(scrapeInterval))),
            ("scrape_timeout", .plain(DurationText.format(scrapeTimeout))),
            ("evaluation_interval", .plain(DurationText.format(evaluationInterval))),
        ]
        if let scrapeProtocols {
            entries.append(("scrape_protocols", .list(scrapeProtocols.map { .text($0.rawValue) })))
        }
        if ruleQueryOffset > 0 { entries.append(("rule_query_offset", .plain(DurationText.format(ruleQueryOffset)))) }
        if !externalLabels.isEmpty {
            entries.append(("external_labels", .mapping(externalLabels.map { ($0.name, .text($0.value)) })))
        }
        if !queryLogFile.isEmpty { entries.append(("query_log_file", .text(queryLogFile))) }
        if !failureLogFile.isEmpty { entries.append(("scrape_failure_log_file", .text(failureLogFile))) }
        entries += limits.output
        entries.append(("metric_name_validation_scheme", .text(nameValidation.rawValue)))
        if let nameEscaping { entries.append(("metric_name_escaping_scheme", .text(nameEscaping.rawValue))) }
        entries += histograms.output
        entries.append(("extra_scrape_metrics", .flag(addsExtraMetrics)))
        return .mapping(entries)
    }
}
