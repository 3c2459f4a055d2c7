package import SeriesModel

/// What the rules look like at one moment: the source of `/api/v1/rules` and `/api/v1/alerts`.
package struct RuleGroupStatus: Sendable {
    package var name: String
    /// The path as configured.
    package var file: String
    /// ms
    package var interval: Int64
    /// 0 for none.
    package var limit: Int
    /// Seconds the last evaluation took.
    package var evaluationTime: Double
    /// ms; nil before the first.
    package var lastEvaluation: Timestamp?
    package var rules: [RuleStatus]

    package init(
        name: String, file: String, interval: Int64, limit: Int, evaluationTime: Double, lastEvaluation: Timestamp?,
        rules: [RuleStatus]
    ) {
        self.name = name
        self.file = file
        self.interval = interval
        self.limit = limit
        self.evaluationTime = evaluationTime
        self.lastEvaluation = lastEvaluation
        self.rules = rules
    }
}

package struct RuleStatus: Sendable {
    package enum Kind: Sendable {
        case recording
        case alerting(AlertingRuleStatus)
    }

    package enum Health: String, Sendable {
        case unknown, ok, err
    }

    package var name: String
    /// The expression as the printer writes it.
    package var query: String
    package var labels: LabelSet
    package var health: Health
    package var lastError: String?
    /// Seconds.
    package var evaluationTime: Double
    package var lastEvaluation: Timestamp?
    package var kind: Kind

    package init(
        name: String, query: String, labels: LabelSet, health: Health, lastError: String?, evaluationTime: Double,
        lastEvaluation: Timestamp?, kind: Kind
    ) {
        self.name = name
        self.query = query
        self.labels = labels
        self.health = health
        self.lastError = lastError
        self.evaluationTime = evaluationTime
        self.lastEvaluation = lastEvaluation
        self.kind = kind
    }
}

package struct AlertingRuleStatus: Sendable {
    package var state: AlertState
    /// `for`, ms.
    package var holdDuration: Int64
    /// ms
    package var keepFiringFor: Int64
    package var annotations: LabelSet
    /// Pending and firing ones.
    package var alerts: [AlertStatus]

    package init(
        state: AlertState, holdDuration: Int64, keepFiringFor: Int64, annotations: LabelSet, alerts: [AlertStatus]
    ) {
        self.state = state
        self.holdDuration = holdDuration
        self.keepFiringFor = keepFiringFor
        self.annotations = annotations
        self.alerts = alerts
    }
}

package enum AlertState: String, Sendable, Comparable {
    case inactive, pending, firing

    private var rank: Int { self == .inactive ? 0 : self == .pending ? 1 : 2 }

    package static func < (a: AlertState, b: AlertState) -> Bool { a.rank < b.rank }
}

package struct AlertStatus: Sendable {
    package var labels: LabelSet
    package var annotations: LabelSet
    package var state: AlertState
    package var activeAt: Timestamp
    package var keepFiringSince: Timestamp?
    package var value: Double

    package init(
        labels: LabelSet, annotations: LabelSet, state: AlertState, activeAt: Timestamp, keepFiringSince: Timestamp?,
        value: Double
    ) {
        self.labels = labels
        self.annotations = annotations
        self.state = state
        self.activeAt = activeAt
        self.keepFiringSince = keepFiringSince
        self.value = value
    }
}
