import SelfMetrics
import SeriesModel
import Synchronization

/// How the newest reading of the configuration went: on the status page and in metrics.
final class ReloadState: Sendable {
    private struct State {
        var isSuccessful = true
        var lastSuccess: Timestamp = 0
        var yaml = ""
        var externalLabels = LabelSet.empty
    }

    private let state = Mutex(State())
    private let success: Gauge
    private let time: Gauge

    init(_ registry: MetricsRegistry) {
        success = registry.gauge(
            "prometheus_config_last_reload_successful", "Whether the last configuration reload attempt was successful.")
        time = registry.gauge(
            "prometheus_config_last_reload_success_timestamp_seconds",
            "Timestamp of the last successful configuration reload.")
    }

    func succeeded(_ yaml: String, externalLabels: LabelSet, at now: Timestamp) {
        state.withLock {
            $0 = State(isSuccessful: true, lastSuccess: now, yaml: yaml, externalLabels: externalLabels)
        }
        success.set(1)
        time.set(Double(now) / 1000)
    }

    func failed() {
        state.withLock { $0.isSuccessful = false }
        success.set(0)
    }

    var externalLabels: LabelSet { state.withLock { $0.externalLabels } }
    var yaml: String { state.withLock { $0.yaml } }
    var isSuccessful: Bool { state.withLock { $0.isSuccessful } }
    var lastSuccess: Timestamp { state.withLock { $0.lastSuccess } }
}
