import SelfMetrics
import SeriesModel
import Synchronization

/// What has come into the log, counted once however many queues read it.
final class Intake: Sendable {
    private let newest = Mutex<UInt64>(0)
    private let samples: Counter
    private let histograms: Counter
    private let exemplars: Counter
    private let highest: Gauge

    init(_ registry: MetricsRegistry) {
        func counter(_ kind: String) -> Counter {
            registry.counter(
                "prometheus_remote_storage_\(kind)_in_total",
                "\(kind.prefix(1).uppercased())\(kind.dropFirst()) in to remote storage, compare to \(kind) out for queue managers."
            )
        }
        samples = counter("samples")
        histograms = counter("histograms")
        exemplars = counter("exemplars")
        highest = registry.gauge(
            "prometheus_remote_storage_highest_timestamp_in_seconds",
            "Highest timestamp that has come into the remote storage via the Appender interface, in seconds since epoch. Initialized to 0 when no data has been received yet."
        )
    }

    func count(record: UInt64, samples: Int, histograms: Int, exemplars: Int) {
        let isNew = newest.withLock { newest in
            guard record > newest else { return false }
            newest = record
            return true
        }
        guard isNew else { return }
        self.samples.increment(by: Double(samples))
        if histograms > 0 { self.histograms.increment(by: Double(histograms)) }
        if exemplars > 0 { self.exemplars.increment(by: Double(exemplars)) }
    }

    /// - Parameter timestamp: ms
    func setHighest(_ timestamp: Timestamp) {
        let seconds = (Double(timestamp) / 1000).rounded(.down)
        if seconds > highest.value { highest.set(seconds) }
    }
}
