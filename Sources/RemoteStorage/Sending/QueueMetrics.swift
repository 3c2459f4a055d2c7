import SelfMetrics

/// One queue's metrics, under the names that mixins read; all exist, at zero, from its start.
struct QueueMetrics: Sendable {
    /// Counters of samples, histograms or exemplars.
    struct Kind: Sendable {
        let sent: Counter
        let failed: Counter
        let retried: Counter
        let pending: Gauge
        /// By reason.
        let dropped: [DropReason: Counter]
    }

    enum DropReason: String, Sendable, CaseIterable {
        case droppedSeries = "dropped_series"
        case unknownSeries = "unintentionally_dropped_series"
        case tooOld = "too_old"
        /// Custom buckets cannot be said in remote write 1.0.
        case customBuckets = "nhcb_in_rw1_not_supported"
    }

    private static let prefix = "prometheus_remote_storage_"
    private let registry: MetricsRegistry
    private let labels: [(String, String)]
    private let consumer: [(String, String)]

    let samples: Kind
    let histograms: Kind
    let exemplars: Kind
    let metadataSent: Counter
    let metadataFailed: Counter
    let metadataRetried: Counter
    let bytes: Counter
    let metadataBytes: Counter
    let enqueueRetries: Counter
    let batchDuration: Histogram
    let highestSent: Gauge
    let highestRead: Gauge
    let shardCapacity: Gauge
    let shards: Gauge
    let shardsMax: Gauge
    let shardsMin: Gauge
    let shardsDesired: Gauge
    let samplesPerSendMax: Gauge
    let currentSegment: Gauge
    let recordsRead: Counter
    let decodeFailures: Counter
    let backlogSamples: Counter

    private static let durationBuckets = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120, 300,
    ]

    private static let counters: [(name: String, help: String)] = [
        ("bytes_total", "The total number of bytes of data (not metadata) sent by the queue after compression."),
        ("metadata_bytes_total", "The total number of bytes of metadata sent by the queue after compression."),
        ("enqueue_retries_total", "Total number of times enqueue has failed because a shards queue was full."),
        ("metadata_total", "Total number of metadata entries sent to remote storage."),
        (
            "metadata_failed_total",
            "Total number of metadata entries which failed on send to remote storage, non-recoverable errors."
        ),
        (
            "metadata_retried_total",
            "Total number of metadata entries which failed on send to remote storage but were retried because the send error was recoverable."
        ),
    ]

    private static let gauges: [(name: String, help: String)] = [
        (
            "queue_highest_sent_timestamp_seconds",
            "Timestamp from a WAL sample, the highest timestamp successfully sent by this queue, in seconds since epoch. Initialized to 0 when no data has been sent yet."
        ),
        (
            "queue_highest_timestamp_seconds",
            "Timestamp that was enqueued, in seconds since epoch. Initialized to 0 when no data has been received yet."
        ),
        ("shard_capacity", "The capacity of each shard of the queue used for parallel sending to the remote storage."),
        ("shards", "The number of shards used for parallel sending to the remote storage."),
        ("shards_max", "The maximum number of shards that the queue is allowed to run."),
        ("shards_min", "The minimum number of shards that the queue is allowed to run."),
        (
            "shards_desired",
            "The number of shards that the queues shard calculation wants to run based on the rate of samples in vs. samples out."
        ),
        (
            "max_samples_per_send",
            "The maximum number of samples to be sent, in a single request, to the remote storage. Exemplars count towards it."
        ),
    ]

    private static let kinds = ["samples", "histograms", "exemplars"]

    /// - Parameters:
    ///   - name: of the queue.
    ///   - url: without its password.
    init(_ registry: MetricsRegistry, name: String, url: String) {
        self.registry = registry
        let labels = [("remote_name", name), ("url", url)]
        self.labels = labels
        let consumer = [("consumer", name)]
        self.consumer = consumer
        samples = QueueMetrics.kind("samples", registry, labels)
        histograms = QueueMetrics.kind("histograms", registry, labels)
        exemplars = QueueMetrics.kind("exemplars", registry, labels)
        let counters = QueueMetrics.counters.map { registry.counter(QueueMetrics.prefix + $0.name, $0.help, labels) }
        (bytes, metadataBytes, enqueueRetries) = (counters[0], counters[1], counters[2])
        (metadataSent, metadataFailed, metadataRetried) = (counters[3], counters[4], counters[5])
        let gauges = QueueMetrics.gauges.map { registry.gauge(QueueMetrics.prefix + $0.name, $0.help, labels) }
        (highestSent, highestRead, shardCapacity, shards) = (gauges[0], gauges[1], gauges[2], gauges[3])
        (shardsMax, shardsMin, shardsDesired, samplesPerSendMax) = (gauges[4], gauges[5], gauges[6], gauges[7])
        batchDuration = registry.histogram(
            QueueMetrics.prefix + "sent_batch_duration_seconds", "Duration of send calls to the remote storage.",
            labels,
            buckets: QueueMetrics.durationBuckets)
        currentSegment = registry.gauge(
            "prometheus_wal_watcher_current_segment", "Current segment the WAL watcher is reading records from.",
            consumer)
        recordsRead = registry.counter(
            "prometheus_wal_watcher_records_read_total", "Number of records read by the WAL watcher from the WAL.",
            consumer + [("type", "samples")])
        decodeFailures = registry.counter(
            "prometheus_wal_watcher_record_decode_failures_total",
            "Number of records read by the WAL watcher that resulted in an error when decoding.", consumer)
        backlogSamples = registry.counter(
            "prometheus_wal_watcher_samples_sent_pre_tailing_total",
            "Number of sample records read by the WAL watcher and sent to remote write during replay of existing WAL.",
            consumer)
    }

    private static func kind(_ kind: String, _ registry: MetricsRegistry, _ labels: [(String, String)]) -> Kind {
        var dropped: [DropReason: Counter] = [:]
        for reason in DropReason.allCases {
            dropped[reason] = registry.counter(
                "\(prefix)\(kind)_dropped_total",
                "Total number of \(kind) which were dropped after being read from the WAL before being sent via remote write, by reason.",
                [("reason", reason.rawValue)] + labels)
        }
        return Kind(
            sent: registry.counter(
                "\(prefix)\(kind)_total", "Total number of \(kind) sent to remote storage.", labels),
            failed: registry.counter(
                "\(prefix)\(kind)_failed_total",
                "Total number of \(kind) which failed on send to remote storage, non-recoverable errors.", labels),
            retried: registry.counter(
                "\(prefix)\(kind)_retried_total",
                "Total number of \(kind) which failed on send to remote storage but were retried because the send error was recoverable.",
                labels),
            pending: registry.gauge(
                "\(prefix)\(kind)_pending",
                "The number of \(kind) pending in the queues shards to be sent to the remote storage.", labels),
            dropped: dropped)
    }

    func retried(_ counts: SampleRows.Counts) { add(counts) { $0.retried } }
    func failed(_ counts: SampleRows.Counts) { add(counts) { $0.failed } }
    func sent(_ counts: SampleRows.Counts) { add(counts) { $0.sent } }

    func dropped(_ counts: SampleRows.Counts, _ reason: DropReason) {
        guard counts.total > 0 else { return }
        samples.dropped[reason]?.increment(by: Double(counts.samples))
        histograms.dropped[reason]?.increment(by: Double(counts.histograms))
        exemplars.dropped[reason]?.increment(by: Double(counts.exemplars))
    }

    private func add(_ counts: SampleRows.Counts, _ counter: (Kind) -> Counter) {
        if counts.samples > 0 { counter(samples).increment(by: Double(counts.samples)) }
        if counts.histograms > 0 { counter(histograms).increment(by: Double(counts.histograms)) }
        if counts.exemplars > 0 { counter(exemplars).increment(by: Double(counts.exemplars)) }
    }

    func setPending(_ counts: SampleRows.Counts) {
        samples.pending.set(Double(counts.samples))
        histograms.pending.set(Double(counts.histograms))
        exemplars.pending.set(Double(counts.exemplars))
    }

    /// The queue is not configured any more.
    func remove() {
        for kind in QueueMetrics.kinds {
            for suffix in ["total", "failed_total", "retried_total", "pending"] {
                registry.remove("\(QueueMetrics.prefix)\(kind)_\(suffix)", labels)
            }
            for reason in DropReason.allCases {
                registry.remove(
                    "\(QueueMetrics.prefix)\(kind)_dropped_total", [("reason", reason.rawValue)] + labels)
            }
        }
        for (name, _) in QueueMetrics.counters + QueueMetrics.gauges {
            registry.remove(QueueMetrics.prefix + name, labels)
        }
        registry.remove(QueueMetrics.prefix + "sent_batch_duration_seconds", labels)
        for name in ["current_segment", "record_decode_failures_total", "samples_sent_pre_tailing_total"] {
            registry.remove("prometheus_wal_watcher_" + name, consumer)
        }
        registry.remove("prometheus_wal_watcher_records_read_total", consumer + [("type", "samples")])
    }
}
