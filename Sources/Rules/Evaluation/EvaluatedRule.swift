import SeriesModel

/// A rule with its state: what a group holds.
struct EvaluatedRule: Sendable {
    enum Body: Sendable {
        case recording(RecordingRule)
        case alerting(AlertingRule, AlertLifecycle)
    }

    let definition: RuleDefinition
    var body: Body
    var writer = RuleSeriesWriter()
    var health = RuleStatus.Health.unknown
    var lastError: String?
    /// Seconds.
    var evaluationTime = 0.0
    var lastEvaluation: Timestamp?
    /// Alerts show themselves as series only once a state of before a restart has been taken up.
    var isRestored = true

    init(_ definition: RuleDefinition) {
        self.definition = definition
        switch definition.kind {
        case .recording:
            body = .recording(
                RecordingRule(name: definition.name, query: definition.query, labels: definition.labels))
        case .alerting(let hold, let keepFiringFor, let annotations):
            let rule = AlertingRule(
                definition, hold: hold, keepFiringFor: keepFiringFor, annotations: annotations)
            body = .alerting(rule, AlertLifecycle())
        }
    }

    var lifecycle: AlertLifecycle? {
        if case .alerting(_, let lifecycle) = body { return lifecycle }
        return nil
    }

    var status: RuleStatus {
        let kind: RuleStatus.Kind
        switch body {
        case .recording: kind = .recording
        case .alerting(let rule, let lifecycle):
            var annotations = LabelSet.empty
            if case .alerting(_, _, let texts) = definition.kind { annotations = texts }
            kind = .alerting(
                AlertingRuleStatus(
                    state: lifecycle.state, holdDuration: rule.hold, keepFiringFor: rule.keepFiringFor,
                    annotations: annotations, alerts: lifecycle.active.map(AlertStatus.init)))
        }
        return RuleStatus(
            name: definition.name, query: definition.query, labels: LabelSet(definition.labels), health: health,
            lastError: lastError, evaluationTime: evaluationTime, lastEvaluation: lastEvaluation, kind: kind)
    }
}

extension AlertStatus {
    fileprivate init(_ alert: ActiveAlert) {
        self.init(
            labels: alert.labels, annotations: alert.annotations, state: alert.state, activeAt: alert.activeAt,
            keepFiringSince: alert.keepFiringSince, value: alert.value)
    }
}
