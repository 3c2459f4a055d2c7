import Logging
import PromQLEngine
import SelfMetrics
import SeriesModel
import Templating

/// An alerting rule made ready: its templates are parsed.
struct AlertingRule: Sendable {
    let name: String
    let query: String
    /// ms
    let hold: Int64
    let keepFiringFor: Int64
    private let labelTemplates: [(name: String, text: Text)]
    private let annotationTemplates: [(name: String, text: Text)]

    /// A label's or annotation's text; only those with actions are expanded.
    private enum Text: Sendable {
        case fixed(String)
        case template(Template)
        /// Did not parse; files are checked, so this is for rules made elsewhere.
        case broken(String)

        init(_ text: String, alert: String) {
            if !text.utf8.contains(UInt8(ascii: "{")) {
                self = .fixed(text)
                return
            }
            do throws(TemplateError) {
                self = .template(try AlertTemplate.parse(text, alert: alert))
            } catch {
                self = .broken("<error expanding template: \(error)>")
            }
        }
    }

    init(_ definition: RuleDefinition, hold: Int64, keepFiringFor: Int64, annotations: LabelSet) {
        name = definition.name
        query = definition.query
        self.hold = hold
        self.keepFiringFor = keepFiringFor
        let alert = definition.name
        labelTemplates = definition.labels.map { ($0.name, Text($0.value, alert: alert)) }
        annotationTemplates = annotations.map { ($0.name, Text($0.value, alert: alert)) }
    }

    /// Runs the query and makes an alert of every element: the element's labels without the metric name, the rule's
    /// labels over them, `alertname` last. Templates see the element as the query gave it.
    func find(at time: Timestamp, offset: Int64, in context: RuleContext) async throws(RuleError) -> [ActiveAlert] {
        let samples: [VectorSample]
        do {
            samples = try await context.query(query, time.subtractingClamped(offset))
        } catch {
            throw RuleError(error)
        }
        var found: [ActiveAlert] = []
        var seen: Set<LabelSet> = []
        for sample in samples {
            let data = AlertTemplate.data(
                labels: sample.labels, value: sample.value, externalLabels: context.settings.externalLabels,
                externalURL: context.settings.externalURL)
            var labels = LabelSetBuilder(sample.labels)
            labels.remove(Label.metricName)
            for (name, text) in labelTemplates { labels.set(name, await expand(text, data, at: time, in: context)) }
            labels.set("alertname", name)
            var annotations: [Label] = []
            for (name, text) in annotationTemplates {
                annotations.append(Label(name, await expand(text, data, at: time, in: context)))
            }
            let alert = ActiveAlert(
                labels: labels.build(), annotations: LabelSet(annotations), value: sample.value, activeAt: time)
            guard seen.insert(alert.labels).inserted else {
                throw .failed("vector contains metrics with the same labelset after applying alert labels")
            }
            found.append(alert)
        }
        if Task.isCancelled { throw .cancelled }
        return found
    }

    private func expand(
        _ text: Text, _ data: TemplateValue, at time: Timestamp, in context: RuleContext
    ) async -> String {
        switch text {
        case .fixed(let text): return text
        case .broken(let message): return message
        case .template(let template):
            context.metrics.templateExpansions.increment()
            let environment = TemplateEnvironment(timestamp: time, externalURL: context.settings.externalURL)
            do throws(TemplateError) {
                return try await template.expand(data, in: environment) { query, time in
                    try await context.query(query, time).map { TemplateSample(labels: $0.labels, value: $0.value) }
                }
            } catch {
                context.metrics.templateFailures.increment()
                context.logger.warning("Expanding alert template failed", metadata: ["err": "\(error)"])
                return "<error expanding template: \(error)>"
            }
        }
    }

    /// The series that show the alerts: `ALERTS` and `ALERTS_FOR_STATE`.
    static func samples(of alerts: [ActiveAlert]) -> [RuleSample] {
        var samples: [RuleSample] = []
        for alert in alerts {
            var labels = LabelSetBuilder(alert.labels)
            labels.set(Label.metricName, "ALERTS")
            labels.set("alertstate", alert.state.rawValue)
            samples.append(RuleSample(labels.build(), 1))
            let seconds = (Double(alert.activeAt) / 1000).rounded(.down)
            samples.append(RuleSample(alert.labels.setting(Label.metricName, AlertRestore.metricName), seconds))
        }
        return samples
    }
}
