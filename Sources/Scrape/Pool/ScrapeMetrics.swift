import SelfMetrics

/// What scraping tells about itself (inventory 9.1.9 to 9.1.16, 9.2.10): everything without a job's name exists from
/// the start.
struct ScrapeMetrics: Sendable {
    static let quantiles = [0.01, 0.05, 0.5, 0.9, 0.99]
    /// Seconds, of the histograms beside the summaries.
    static let buckets = [0.01, 0.1, 1, 10]

    let registry: MetricsRegistry
    let pools: Counter
    let poolsFailed: Counter
    let poolReloads: Counter
    let poolReloadsFailed: Counter
    let targetLimitExceeded: Counter
    let labelLimitsExceeded: Counter
    let bodyLimitExceeded: Counter
    let sampleLimitExceeded: Counter
    let bucketLimitExceeded: Counter
    let duplicates: Counter
    let outOfOrder: Counter
    let outOfBounds: Counter
    let exemplarsOutOfOrder: Counter

    init(registry: MetricsRegistry) {
        self.registry = registry
        func counter(_ name: String, _ help: String) -> Counter {
            registry.counter("prometheus_target_" + name, help)
        }
        pools = counter("scrape_pools_total", "Total number of scrape pool creation attempts.")
        poolsFailed = counter("scrape_pools_failed_total", "Total number of scrape pool creations that failed.")
        poolReloads = counter("scrape_pool_reloads_total", "Total number of scrape pool reloads.")
        poolReloadsFailed = counter("scrape_pool_reloads_failed_total", "Total number of failed scrape pool reloads.")
        targetLimitExceeded = counter(
            "scrape_pool_exceeded_target_limit_total",
            "Total number of times scrape pools hit the target limit, during sync or config reload.")
        labelLimitsExceeded = counter(
            "scrape_pool_exceeded_label_limits_total",
            "Total number of times scrape pools hit the label limits, during sync or config reload.")
        bodyLimitExceeded = counter(
            "scrapes_exceeded_body_size_limit_total",
            "Total number of scrapes that hit the body size limit")
        sampleLimitExceeded = counter(
            "scrapes_exceeded_sample_limit_total",
            "Total number of scrapes that hit the sample limit and were rejected.")
        duplicates = counter(
            "scrapes_sample_duplicate_timestamp_total",
            "Total number of samples rejected due to duplicate timestamps but different values.")
        outOfOrder = counter(
            "scrapes_sample_out_of_order_total",
            "Total number of samples rejected due to not being out of the expected order.")
        outOfBounds = counter(
            "scrapes_sample_out_of_bounds_total",
            "Total number of samples rejected due to timestamp falling outside of the time bounds.")
        _ = counter(
            "scrapes_cache_flush_forced_total",
            "How many times a scrape cache was flushed due to getting big while scrapes are failing.")
        exemplarsOutOfOrder = counter(
            "scrapes_exemplar_out_of_order_total",
            "Total number of exemplar rejected due to not being out of the expected order.")
        bucketLimitExceeded = counter(
            "scrapes_exceeded_native_histogram_bucket_limit_total",
            "Total number of scrapes that hit the native histogram bucket limit and were rejected.")
    }

    /// The actual time between scrapes that should be an interval apart.
    func intervalLength(_ interval: String) -> Summary {
        registry.summary(
            "prometheus_target_interval_length_seconds", "Actual intervals between scrapes.",
            [("interval", interval)], quantiles: ScrapeMetrics.quantiles)
    }

    /// The same, as a histogram.
    func intervalLengthHistogram(_ interval: String) -> Histogram {
        registry.histogram(
            "prometheus_target_interval_length_histogram_seconds", "Actual intervals between scrapes.",
            [("interval", interval)], buckets: ScrapeMetrics.buckets)
    }

    /// How long it took until the pool of a job that has changed was at work again.
    func reloadLength(_ interval: String) -> Summary {
        registry.summary(
            "prometheus_target_reload_length_seconds",
            "Actual interval to reload the scrape pool with a given configuration.", [("interval", interval)],
            quantiles: ScrapeMetrics.quantiles)
    }

    func job(_ name: String) -> JobMetrics { JobMetrics(registry: registry, job: name) }
}

/// The metrics of one scrape job.
struct JobMetrics: Sendable {
    private static let gauges = [
        "scrape_pool_targets": "Current number of targets in this scrape pool.",
        "scrape_pool_target_limit": "Maximum number of targets allowed in this scrape pool.",
        "scrape_pool_symboltable_items": "Current number of symbols in the scrape pool.",
        "metadata_cache_entries": "Total number of metric metadata entries in the cache",
        "metadata_cache_bytes": "The number of bytes that are currently used for storing metric metadata in the cache",
    ]

    private let registry: MetricsRegistry
    private let labels: [(String, String)]
    let targets: Gauge
    let targetLimit: Gauge
    let metadataEntries: Gauge
    let metadataBytes: Gauge
    let syncs: Counter
    let syncFailures: Counter
    let syncLength: Summary
    let syncLengthHistogram: Histogram

    init(registry: MetricsRegistry, job: String) {
        self.registry = registry
        let labels = [("scrape_job", job)]
        self.labels = labels
        func gauge(_ name: String) -> Gauge {
            registry.gauge("prometheus_target_" + name, JobMetrics.gauges[name] ?? "", labels)
        }
        targets = gauge("scrape_pool_targets")
        targetLimit = gauge("scrape_pool_target_limit")
        metadataEntries = gauge("metadata_cache_entries")
        metadataBytes = gauge("metadata_cache_bytes")
        _ = gauge("scrape_pool_symboltable_items")
        syncs = registry.counter(
            "prometheus_target_scrape_pool_sync_total",
            "Total number of syncs that were executed on a scrape pool.", labels)
        syncFailures = registry.counter(
            "prometheus_target_sync_failed_total", "Total number of target sync failures.", labels)
        syncLength = registry.summary(
            "prometheus_target_sync_length_seconds", "Actual interval to sync the scrape pool.", labels,
            quantiles: ScrapeMetrics.quantiles)
        syncLengthHistogram = registry.histogram(
            "prometheus_target_sync_length_histogram_seconds", "Actual interval to sync the scrape pool.", labels,
            buckets: ScrapeMetrics.buckets)
    }

    /// The job is gone.
    func remove() {
        for name in JobMetrics.gauges.keys { registry.remove("prometheus_target_" + name, labels) }
        for name in [
            "scrape_pool_sync_total", "sync_failed_total", "sync_length_seconds", "sync_length_histogram_seconds",
        ] {
            registry.remove("prometheus_target_" + name, labels)
        }
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
