package import SelfMetrics

/// The metrics of rules, their groups and templates, under the names that mixins and dashboards read.
package struct RuleMetrics: Sendable {
    private let registry: MetricsRegistry
    let evaluationDuration: Summary
    let groupDuration: Summary
    let templateExpansions: Counter
    let templateFailures: Counter

    package init(_ registry: MetricsRegistry) {
        self.registry = registry
        evaluationDuration = registry.summary(
            "prometheus_rule_evaluation_duration_seconds", "The duration for a rule to execute.",
            quantiles: [0.5, 0.9, 0.99])
        groupDuration = registry.summary(
            "prometheus_rule_group_duration_seconds", "The duration of rule group evaluations.",
            quantiles: [0.01, 0.05, 0.5, 0.9, 0.99])
        templateExpansions = registry.counter(
            "prometheus_template_text_expansions_total", "The total number of template text expansions.")
        templateFailures = registry.counter(
            "prometheus_template_text_expansion_failures_total",
            "The total number of template text expansion failures.")
    }

    /// The metrics of one group; all exist, at zero, from here on.
    func group(_ key: String) -> RuleGroupMetrics { RuleGroupMetrics(registry, key) }

    /// Forgets a group that is no more.
    func remove(_ key: String) {
        for name in RuleGroupMetrics.names { registry.remove(name, [("rule_group", key)]) }
    }
}

/// The metrics with the label `rule_group`, which is `path;name`.
struct RuleGroupMetrics: Sendable {
    let iterationsMissed: Counter
    let iterations: Counter
    let evaluations: Counter
    let failures: Counter
    let interval: Gauge
    let lastEvaluation: Gauge
    let lastDuration: Gauge
    let lastRuleDurationSum: Gauge
    let lastRestoreDuration: Gauge
    let rules: Gauge
    let lastSamples: Gauge

    static let names = [
        "prometheus_rule_group_iterations_missed_total", "prometheus_rule_group_iterations_total",
        "prometheus_rule_evaluations_total", "prometheus_rule_evaluation_failures_total",
        "prometheus_rule_group_interval_seconds", "prometheus_rule_group_last_evaluation_timestamp_seconds",
        "prometheus_rule_group_last_duration_seconds", "prometheus_rule_group_last_rule_duration_sum_seconds",
        "prometheus_rule_group_last_restore_duration_seconds", "prometheus_rule_group_rules",
        "prometheus_rule_group_last_evaluation_samples",
    ]

    init(_ registry: MetricsRegistry, _ key: String) {
        let labels = [("rule_group", key)]
        iterationsMissed = registry.counter(
            "prometheus_rule_group_iterations_missed_total",
            "The total number of rule group evaluations missed due to slow rule group evaluation.", labels)
        iterations = registry.counter(
            "prometheus_rule_group_iterations_total",
            "The total number of scheduled rule group evaluations, whether executed or missed.", labels)
        evaluations = registry.counter(
            "prometheus_rule_evaluations_total", "The total number of rule evaluations.", labels)
        failures = registry.counter(
            "prometheus_rule_evaluation_failures_total", "The total number of rule evaluation failures.", labels)
        interval = registry.gauge(
            "prometheus_rule_group_interval_seconds", "The interval of a rule group.", labels)
        lastEvaluation = registry.gauge(
            "prometheus_rule_group_last_evaluation_timestamp_seconds",
            "The timestamp of the last rule group evaluation in seconds.", labels)
        lastDuration = registry.gauge(
            "prometheus_rule_group_last_duration_seconds", "The duration of the last rule group evaluation.", labels)
        lastRuleDurationSum = registry.gauge(
            "prometheus_rule_group_last_rule_duration_sum_seconds",
            "The sum of time in seconds it took to evaluate each rule in the group regardless of concurrency.", labels)
        lastRestoreDuration = registry.gauge(
            "prometheus_rule_group_last_restore_duration_seconds",
            "The duration of the last alert rules alerts restoration using the `ALERTS_FOR_STATE` series.", labels)
        rules = registry.gauge("prometheus_rule_group_rules", "The number of rules.", labels)
        lastSamples = registry.gauge(
            "prometheus_rule_group_last_evaluation_samples",
            "The number of samples returned during the last rule group evaluation.", labels)
    }
}
