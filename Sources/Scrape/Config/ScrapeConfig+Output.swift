package import ConfigTree
import Discovery
import Exposition
import OutboundHTTP
import Relabeling
import SeriesModel

extension ScrapeConfig {
    /// The job with defaults filled in and secrets masked.
    package var output: ConfigOutput {
        var entries: [(key: String, value: ConfigOutput)] = [("job_name", .text(jobName))]
        if honorsLabels { entries.append(("honor_labels", .flag(true))) }
        entries.append(("honor_timestamps", .flag(honorsTimestamps)))
        entries.append(("track_timestamps_staleness", .flag(tracksTimestampStaleness)))
        if !parameters.isEmpty {
            entries.append(
                ("params", .mapping(parameters.map { ($0.name, .list($0.values.map { .text($0) })) })))
        }
        entries.append(("scrape_interval", .plain(DurationText.format(scrapeInterval))))
        entries.append(("scrape_timeout", .plain(DurationText.format(scrapeTimeout))))
        entries.append(("scrape_protocols", .list(scrapeProtocols.map { .text($0.rawValue) })))
        if let fallbackProtocol { entries.append(("fallback_scrape_protocol", .text(fallbackProtocol.rawValue))) }
        entries += histograms.output
        entries.append(("extra_scrape_metrics", .flag(addsExtraMetrics)))
        entries.append(("metrics_path", .text(metricsPath)))
        entries.append(("scheme", .text(scheme.rawValue)))
        entries.append(("enable_compression", .flag(enablesCompression)))
        entries.append(("metric_name_validation_scheme", .text(nameValidation.rawValue)))
        entries.append(("metric_name_escaping_scheme", .text(nameEscaping.rawValue)))
        if !failureLogFile.isEmpty { entries.append(("scrape_failure_log_file", .text(failureLogFile))) }
        entries += limits.output + histograms.limitsOutput
        entries += client.output
        if !relabelRules.isEmpty { entries.append(("relabel_configs", .list(relabelRules.map(\.output)))) }
        if !metricRelabelRules.isEmpty {
            entries.append(("metric_relabel_configs", .list(metricRelabelRules.map(\.output))))
        }
        return .mapping(entries + discovery.output)
    }
}
