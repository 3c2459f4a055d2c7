import SelfMetrics

/// The notifier's metrics, under the names that mixins read. Those of an Alertmanager are labelled by its URL and
/// exist, at zero, from when it is found.
struct NotifierMetrics: Sendable {
    private let registry: MetricsRegistry
    let dropped: Counter
    let discovered: Gauge

    init(_ registry: MetricsRegistry, capacity: Int) {
        self.registry = registry
        dropped = registry.counter(
            "prometheus_notifications_dropped_total",
            "Total number of alerts dropped due to errors when sending to Alertmanager.")
        discovered = registry.gauge(
            "prometheus_notifications_alertmanagers_discovered",
            "The number of alertmanagers discovered and active.")
        registry.gauge(
            "prometheus_notifications_queue_capacity", "The capacity of the alert notifications queue."
        ).set(Double(capacity))
    }

    struct PerAlertmanager: Sendable {
        let sent: Counter
        let errors: Counter
        let queueLength: Gauge
        let latency: Summary
        let latencyHistogram: Histogram
    }

    private static let names = [
        "prometheus_notifications_sent_total", "prometheus_notifications_errors_total",
        "prometheus_notifications_queue_length", "prometheus_notifications_latency_seconds",
        "prometheus_notifications_latency_histogram_seconds",
    ]

    func alertmanager(_ url: String) -> PerAlertmanager {
        let labels = [("alertmanager", url)]
        return PerAlertmanager(
            sent: registry.counter(
                "prometheus_notifications_sent_total", "Total number of alerts sent.", labels),
            errors: registry.counter(
                "prometheus_notifications_errors_total",
                "Total number of sent alerts affected by errors.", labels),
            queueLength: registry.gauge(
                "prometheus_notifications_queue_length", "The number of alert notifications in the queue.", labels),
            latency: registry.summary(
                "prometheus_notifications_latency_seconds", "Latency quantiles for sending alert notifications.",
                labels,
                quantiles: [0.5, 0.9, 0.99]),
            latencyHistogram: registry.histogram(
                "prometheus_notifications_latency_histogram_seconds",
                "Latency histogram for sending alert notifications.", labels, buckets: [0.01, 0.1, 1, 10]))
    }

    func remove(_ url: String) {
        for name in NotifierMetrics.names { registry.remove(name, [("alertmanager", url)]) }
    }
}
