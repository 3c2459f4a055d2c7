import Dispatch
import SeriesModel
import StorageAPI

/// What becomes of pending alerts over a restart: the time they had been waiting is not lost, and the time of the
/// outage does not count as waited.
enum AlertRestore {
    /// The series that remember since when an alert is active: seconds as the value.
    static let metricName = "ALERTS_FOR_STATE"

    /// Since when an alert counts as active after an outage, as upstream reckons it (`RestoreForState`).
    /// - Parameters:
    ///   - activeAt: as it was before.
    ///   - downAt: the last evaluation before the outage.
    ///   - hold: the rule's `for`. ms
    ///   - grace: the least that an alert of a long `for` waits after a restart. ms
    static func activeAt(
        _ activeAt: Timestamp, downAt: Timestamp, now: Timestamp, hold: Int64, grace: Int64
    ) -> Timestamp {
        let remaining = hold.subtractingClamped(downAt.subtractingClamped(activeAt))
        // It was firing: it does so again with the next evaluation that finds it.
        if remaining <= 0 { return activeAt }
        if hold >= grace, remaining < grace { return now.addingClamped(grace).subtractingClamped(hold) }
        return activeAt.addingClamped(now.subtractingClamped(downAt))
    }

    /// Puts a stored state into order for a new start; alerts that it is too late for are left out.
    static func resumed(
        _ alerts: [ActiveAlert], evaluatedAt: Timestamp, now: Timestamp, hold: Int64, settings: RuleSettings
    ) -> [ActiveAlert] {
        let outage = now.subtractingClamped(evaluatedAt)
        guard outage >= 0 else { return alerts }
        return alerts.compactMap { alert in
            guard alert.state == .pending else { return alert }
            guard outage <= settings.outageTolerance else { return nil }
            var resumed = alert
            resumed.activeAt = activeAt(
                alert.activeAt, downAt: evaluatedAt, now: now, hold: hold, grace: settings.gracePeriod)
            return resumed
        }
    }

    /// One alert's newest `ALERTS_FOR_STATE` sample.
    struct Trace: Sendable {
        var labels: LabelSet
        var activeAt: Timestamp
        var downAt: Timestamp
    }

    /// Reads the traces of a rule's alerts from the store, off the cooperative pool.
    static func traces(
        of rule: String, until now: Timestamp, tolerance: Int64, in history: any Queryable
    ) async throws -> [Trace] {
        try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(
                    with: Result { try read(rule, until: now, tolerance: tolerance, in: history) })
            }
        }
    }

    private static let queue = DispatchQueue(label: "hearth.rules.restore")

    private static func read(
        _ rule: String, until now: Timestamp, tolerance: Int64, in history: any Queryable
    ) throws -> [Trace] {
        let matchers: [LabelMatcher] = [
            .equal(Label.metricName, metricName), .equal("alertname", rule),
        ]
        let range = TimeRange(min: now.subtractingClamped(tolerance), max: now)
        let selection = Selection(matchers: matchers, range: range)
        var traces: [Trace] = []
        var buffer = SampleBuffer()
        for set in try history.select([selection], cancellation: Cancellation()) {
            for index in 0..<set.count {
                buffer.removeAll()
                try set.read(index, into: &buffer)
                // A stale marker as the last word: the alert had ended.
                guard let value = buffer.values.last, let time = buffer.timestamps.last, !StaleMarker.isStale(value),
                    let activeAt = Int64(clamping: value * 1000)
                else { continue }
                traces.append(
                    Trace(labels: set.labels(at: index).withoutMetricName, activeAt: activeAt, downAt: time))
            }
        }
        return traces
    }
}
