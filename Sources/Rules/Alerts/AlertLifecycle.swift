package import SeriesModel

/// The alerts of one rule, from evaluation to evaluation: a state machine without clock, query or I/O.
///
/// Pending while `for` has not passed, then firing, then inactive. A pending alert that is gone is forgotten; a firing
/// one that is gone may be kept firing for a while, then counts as resolved, and is kept for 15 minutes so that the
/// word of its end is repeated.
package struct AlertLifecycle: Sendable, Hashable {
    /// ms
    static let resolvedRetention: Int64 = 15 * 60_000

    /// Pending, firing and lately resolved ones by their labels.
    package private(set) var alerts: [LabelSet: ActiveAlert] = [:]

    package init() {}

    /// Takes up where a stored state left off.
    init(restoring stored: [ActiveAlert]) {
        for alert in stored { alerts[alert.labels] = alert }
    }

    /// What one evaluation found.
    /// - Parameters:
    ///   - found: fresh alerts with distinct labels.
    ///   - hold: the rule's `for`. ms
    ///   - limit: most active alerts; 0 for none.
    /// - Throws: `RuleError` where the limit is passed; all alerts are then forgotten.
    package mutating func advance(
        to time: Timestamp, found: [ActiveAlert], hold: Int64, keepFiringFor: Int64, limit: Int
    ) throws(RuleError) {
        var present: Set<LabelSet> = []
        for new in found {
            present.insert(new.labels)
            if let known = alerts[new.labels], known.state != .inactive {
                alerts[new.labels]?.value = new.value
                alerts[new.labels]?.annotations = new.annotations
                alerts[new.labels]?.keepFiringSince = nil
            } else {
                alerts[new.labels] = new
            }
        }
        var activeCount = 0
        for (labels, alert) in alerts {
            var alert = alert
            let isActive =
                present.contains(labels) || AlertLifecycle.isKeptFiring(&alert, at: time, for: keepFiringFor)
            if isActive {
                activeCount += 1
                if alert.state == .pending, time.subtractingClamped(alert.activeAt) >= hold {
                    alert.state = .firing
                    alert.firedAt = time
                }
                alerts[labels] = alert
            } else {
                alerts[labels] = AlertLifecycle.retired(alert, at: time)
            }
        }
        if limit > 0, activeCount > limit {
            alerts = [:]
            throw .failed("exceeded limit of \(limit) with \(activeCount) alerts")
        }
    }

    private static func isKeptFiring(_ alert: inout ActiveAlert, at time: Timestamp, for duration: Int64) -> Bool {
        guard alert.state == .firing, duration > 0 else { return false }
        let since = alert.keepFiringSince ?? time
        alert.keepFiringSince = since
        return time.subtractingClamped(since) < duration
    }

    /// The alert after an evaluation without it; nil where it is forgotten.
    private static func retired(_ alert: ActiveAlert, at time: Timestamp) -> ActiveAlert? {
        switch alert.state {
        case .pending: return nil
        case .firing:
            var resolved = alert
            resolved.state = .inactive
            resolved.resolvedAt = time
            return resolved
        case .inactive:
            let resolvedAt = alert.resolvedAt ?? time
            return time.subtractingClamped(resolvedAt) > resolvedRetention ? nil : alert
        }
    }

    /// Pending and firing ones in label order.
    package var active: [ActiveAlert] {
        alerts.values.filter { $0.state != .inactive }.sorted { $0.labels < $1.labels }
    }

    /// The highest state of any alert.
    package var state: AlertState { alerts.values.map(\.state).max() ?? .inactive }

    /// The alerts to tell now, marked as told.
    /// - Parameter interval: the group's; with the resend delay it decides how long the word holds. ms
    package mutating func takeDue(at time: Timestamp, resendDelay: Int64, interval: Int64) -> [ActiveAlert] {
        // Two evaluations, or two deliveries, may fail before a firing alert ends for want of news.
        let (validity, overflow) = max(resendDelay, interval).multipliedReportingOverflow(by: 4)
        var due: [ActiveAlert] = []
        for (labels, var alert) in alerts where alert.needsSending(at: time, resendDelay: resendDelay) {
            alert.lastSentAt = time
            alert.validUntil = time.addingClamped(overflow ? .max : validity)
            alerts[labels] = alert
            due.append(alert)
        }
        return due.sorted { $0.labels < $1.labels }
    }

    /// Moves the beginning of a pending alert: what a restart does.
    mutating func setActiveAt(_ time: Timestamp, of labels: LabelSet) {
        alerts[labels]?.activeAt = time
    }
}
