package import SeriesModel

/// An alert that is due to be told to the world.
package struct Alert: Sendable, Hashable {
    /// `alertname` among them; without the external labels.
    package var labels: LabelSet
    package var annotations: LabelSet
    /// When it began to fire. ms
    package var startsAt: Timestamp
    /// When it ended, or until when it counts as firing where nothing more is heard. ms
    package var endsAt: Timestamp
    package var isResolved: Bool
    /// Leads to the expression on the query page.
    package var generatorURL: String

    package init(
        labels: LabelSet, annotations: LabelSet, startsAt: Timestamp, endsAt: Timestamp, isResolved: Bool,
        generatorURL: String
    ) {
        self.labels = labels
        self.annotations = annotations
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.isResolved = isResolved
        self.generatorURL = generatorURL
    }
}

/// Where alerts go. Rules own the port; the notifier answers it.
package protocol AlertSink: Sendable {
    /// Takes the alerts of one rule's evaluation. Returns soon: delivery is the sink's own business.
    func send(_ alerts: [Alert]) async
}
