import Logging
import SelfMetrics
import SeriesModel

/// What service discovery tells about itself (inventory 9.2.11), for one of its users: `scrape` or `notify`. What only
/// one kind has to tell is in that kind's file.
struct DiscoveryMetrics: Sendable {
    let registry: MetricsRegistry
    private let name: String
    private let received: Counter
    private let updates: Counter
    private let delayed: Counter
    private let lastUpdate: Gauge
    private let logger: Logger

    init(registry: MetricsRegistry, name: String, logger: Logger) {
        self.registry = registry
        self.name = name
        self.logger = logger
        let user = [("name", name)]
        received = registry.counter(
            "prometheus_sd_received_updates_total", "Total number of update events received from the SD providers.",
            user)
        updates = registry.counter(
            "prometheus_sd_updates_total", "Total number of update events sent to the SD consumers.", user)
        delayed = registry.counter(
            "prometheus_sd_updates_delayed_total",
            "Total number of update events that couldn't be sent immediately.", user)
        lastUpdate = registry.gauge(
            "prometheus_sd_last_update_timestamp_seconds",
            "Timestamp of the last update sent to the SD consumers.", user)
        // Nothing that can fail is done when a configuration is applied: it was found when the file was read.
        _ = registry.gauge(
            "prometheus_sd_failed_configs", "Current number of service discovery configurations that failed to load.",
            user)
        for kind in DiscoveryKinds.all { kind.registerMetrics(registry) }
    }

    /// Makes the series of one configured job, so that the first failure is an increase.
    /// - Parameter mechanisms: the kinds it uses.
    func configure(_ config: String, mechanisms: Set<String>) {
        // The alert on refresh failures wants a series of each job, also of those that have nothing to refresh.
        _ = failures("file", config)
        for mechanism in mechanisms {
            _ = failures(mechanism, config)
            _ = durations(mechanism, config)
            _ = durationBuckets(mechanism)
        }
        discovered(config, targets: nil)
    }

    /// The configuration does not use these kinds any more.
    func forget(_ config: String, mechanisms: Set<String>) {
        for mechanism in mechanisms {
            let labels = [("mechanism", mechanism), ("config", config)]
            registry.remove("prometheus_sd_refresh_failures_total", labels)
            registry.remove("prometheus_sd_refresh_duration_seconds", labels)
        }
    }

    /// There is no such configuration any more.
    func forget(_ config: String) {
        registry.remove("prometheus_sd_discovered_targets", [("name", name), ("config", config)])
        registry.remove("prometheus_sd_refresh_failures_total", [("mechanism", "file"), ("config", config)])
    }

    /// - Parameter targets: nil to make the series and leave what it says.
    func discovered(_ config: String, targets: Int?) {
        let gauge = registry.gauge(
            "prometheus_sd_discovered_targets", "Current number of discovered targets.",
            [("name", name), ("config", config)])
        if let targets { gauge.set(Double(targets)) }
    }

    func updateReceived() { received.increment() }

    func updateSent(at time: Timestamp) {
        updates.increment()
        lastUpdate.set(Double(time) / 1000)
    }

    func updateDelayed() { delayed.increment() }

    func refreshFailed(_ mechanism: String, configs: Set<String>, _ error: DiscoveryError) {
        for config in configs { failures(mechanism, config).increment() }
        logger.error(
            "Unable to refresh target groups",
            metadata: [
                "discovery": "\(mechanism)", "config": "\(configs.sorted().joined(separator: ","))", "err": "\(error)",
            ])
    }

    func refreshed(_ mechanism: String, configs: Set<String>, in duration: Duration) {
        let seconds = duration.seconds
        for config in configs { durations(mechanism, config).observe(seconds) }
        durationBuckets(mechanism).observe(seconds)
    }

    private func failures(_ mechanism: String, _ config: String) -> Counter {
        registry.counter(
            "prometheus_sd_refresh_failures_total", "Number of refresh failures for the given SD mechanism.",
            [("mechanism", mechanism), ("config", config)])
    }

    private func durations(_ mechanism: String, _ config: String) -> Summary {
        registry.summary(
            "prometheus_sd_refresh_duration_seconds",
            "The duration of a refresh in seconds for the given SD mechanism.",
            [("mechanism", mechanism), ("config", config)], quantiles: [0.5, 0.9, 0.99])
    }

    private func durationBuckets(_ mechanism: String) -> Histogram {
        registry.histogram(
            "prometheus_sd_refresh_duration_histogram_seconds",
            "The duration of a refresh for the given SD mechanism.", [("mechanism", mechanism)],
            buckets: [0.01, 0.1, 1, 10])
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
