import ConfigTree
import Logging
package import SelfMetrics

/// What service discovery tells about itself (inventory 9.2.11), for one of its users: `scrape` or `notify`.
package struct DiscoveryMetrics: Sendable {
    private let registry: MetricsRegistry
    private let name: String
    private let received: Counter
    private let updates: Counter
    private let fileReadErrors: Counter
    private let fileScan: Summary
    private let logger = Logger(label: "discovery")

    package init(registry: MetricsRegistry, name: String) {
        self.registry = registry
        self.name = name
        let user = [("name", name)]
        received = registry.counter(
            "prometheus_sd_received_updates_total", "Total number of update events received from the SD providers.",
            user)
        updates = registry.counter(
            "prometheus_sd_updates_total", "Total number of update events sent to the SD consumers.", user)
        _ = registry.counter(
            "prometheus_sd_updates_delayed_total",
            "Total number of update events that couldn't be sent immediately.", user)
        _ = registry.gauge(
            "prometheus_sd_failed_configs", "Current number of service discovery configurations that failed to load.",
            user)
        fileReadErrors = registry.counter(
            "prometheus_sd_file_read_errors_total", "The number of File-SD read errors.")
        fileScan = registry.summary(
            "prometheus_sd_file_scan_duration_seconds", "The duration of the File-SD scan in seconds.",
            quantiles: [0.5, 0.9, 0.99])
        _ = registry.counter(
            "prometheus_sd_file_watcher_errors_total",
            "The number of File-SD errors caused by filesystem watch failures.")
        // Read by the mixin's alert even where there is no such discovery.
        _ = registry.counter(
            "prometheus_sd_kubernetes_failures_total", "The number of failed WATCH/LIST requests.")
        _ = registry.counter("prometheus_sd_http_failures_total", "Number of HTTP service discovery refresh failures.")
        _ = registry.counter("prometheus_sd_dns_lookups_total", "The number of DNS-SD lookups.")
        _ = registry.counter("prometheus_sd_dns_lookup_failures_total", "The number of DNS-SD lookup failures.")
    }

    /// Makes the series of one configured job, so that the first failure is an increase.
    package func configure(_ config: String) {
        _ = registry.counter(
            "prometheus_sd_refresh_failures_total", "Number of refresh failures for the given SD mechanism.",
            [("mechanism", "file"), ("config", config)])
        discovered(config, targets: 0)
    }

    package func forget(_ config: String) {
        registry.remove("prometheus_sd_refresh_failures_total", [("mechanism", "file"), ("config", config)])
        registry.remove("prometheus_sd_discovered_targets", [("name", name), ("config", config)])
    }

    package func discovered(_ config: String, targets: Int) {
        registry.gauge(
            "prometheus_sd_discovered_targets", "Current number of discovered targets.",
            [("name", name), ("config", config)]
        ).set(Double(targets))
    }

    package func updateReceived() {
        received.increment()
        updates.increment()
    }

    func observeFileScan(_ duration: Duration) { fileScan.observe(duration.seconds) }

    func fileReadFailed(_ error: ConfigError) {
        fileReadErrors.increment()
        logger.error("Error reading file", metadata: ["err": "\(error)"])
    }

    func setFileTime(_ path: String, seconds: Double) {
        registry.gauge(
            "prometheus_sd_file_mtime_seconds", "Timestamp (mtime) of files read by FileSD.", [("filename", path)]
        ).set(seconds)
    }

    func forgetFile(_ path: String) {
        registry.remove("prometheus_sd_file_mtime_seconds", [("filename", path)])
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
