package import SeriesModel

/// One alert of a rule with all that its life cycle needs. Times in ms.
package struct ActiveAlert: Sendable, Hashable {
    /// The identity within the rule.
    package var labels: LabelSet
    package var annotations: LabelSet
    package var state: AlertState
    /// The value of the newest evaluation that gave the alert.
    package var value: Double
    /// The evaluation that first gave it.
    package var activeAt: Timestamp
    /// The evaluation at which it began to fire.
    package var firedAt: Timestamp?
    /// The evaluation at which it was no longer there.
    package var resolvedAt: Timestamp?
    /// Since when it is only kept firing, though the condition has gone.
    package var keepFiringSince: Timestamp?
    package var lastSentAt: Timestamp?
    /// What the newest notification said of its end.
    package var validUntil: Timestamp?

    /// A new alert, as an evaluation found it.
    package init(labels: LabelSet, annotations: LabelSet, value: Double, activeAt: Timestamp) {
        self.labels = labels
        self.annotations = annotations
        self.value = value
        self.activeAt = activeAt
        state = .pending
    }

    /// Pending alerts are nobody's business yet; others are told when they changed since the last time, and again
    /// when that is longer ago than the resend delay.
    func needsSending(at time: Timestamp, resendDelay: Int64) -> Bool {
        if state == .pending { return false }
        guard let lastSentAt else { return true }
        if let resolvedAt, resolvedAt > lastSentAt { return true }
        return lastSentAt.addingClamped(resendDelay) < time
    }
}
