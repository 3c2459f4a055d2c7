import HTTPTypes
import Rules
import SeriesModel

/// `rules` and `alerts`.
extension APIRoutes {
    var ruleRoutes: [Route] {
        [
            Route([.get], "/api/v1/rules") { try await rules($0) },
            Route([.get], "/api/v1/alerts") { _ in await alerts() },
        ]
    }

    private func rules(_ request: APIRequest) async throws -> APIResponse {
        let filter = try RuleFilter(request)
        let paging = try RulePaging(request)
        let (groups, nextToken) = try paging.page(of: await services.ruleGroups().compactMap { filter.apply(to: $0) })
        return .success { writer in
            writer.object { writer in
                writer.key("groups")
                writer.array(of: groups) { APIRoutes.write($1, hidesAlerts: filter.excludesAlerts, to: &$0) }
                if let nextToken { writer.field("groupNextToken", nextToken) }
            }
        }
    }

    private func alerts() async -> APIResponse {
        let rules = await services.ruleGroups().flatMap(\.rules)
        return .success { writer in
            writer.object { writer in
                writer.key("alerts")
                writer.array { writer in
                    for rule in rules {
                        guard case .alerting(let status) = rule.kind else { continue }
                        for alert in status.alerts { APIRoutes.write(alert, to: &writer) }
                    }
                }
            }
        }
    }

    // MARK: Shapes

    private static func write(_ group: RuleGroupStatus, hidesAlerts: Bool, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("name", group.name)
            writer.field("file", group.file)
            writer.key("rules")
            writer.array(of: group.rules) { write($1, hidesAlerts: hidesAlerts, to: &$0) }
            writer.field("interval", number: Double(group.interval) / 1000)
            writer.field("limit", integer: group.limit)
            writer.field("evaluationTime", number: group.evaluationTime)
            writer.field("lastEvaluation", time: group.lastEvaluation)
        }
    }

    private static func write(_ rule: RuleStatus, hidesAlerts: Bool, to writer: inout JSONWriter) {
        writer.object { writer in
            if case .alerting(let status) = rule.kind { writer.field("state", status.state.rawValue) }
            writer.field("name", rule.name)
            writer.field("query", rule.query)
            if case .alerting(let status) = rule.kind {
                writer.field("duration", number: Double(status.holdDuration) / 1000)
                writer.field("keepFiringFor", number: Double(status.keepFiringFor) / 1000)
            }
            writer.field("labels", labels: rule.labels)
            if case .alerting(let status) = rule.kind {
                writer.field("annotations", labels: status.annotations)
                writer.key("alerts")
                if hidesAlerts {
                    writer.null()
                } else {
                    writer.array(of: status.alerts) { write($1, to: &$0) }
                }
            }
            writer.field("health", rule.health.rawValue)
            if let error = rule.lastError { writer.field("lastError", error) }
            writer.field("evaluationTime", number: rule.evaluationTime)
            writer.field("lastEvaluation", time: rule.lastEvaluation)
            if case .alerting = rule.kind {
                writer.field("type", "alerting")
            } else {
                writer.field("type", "recording")
            }
        }
    }

    private static func write(_ alert: AlertStatus, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("labels", labels: alert.labels)
            writer.field("annotations", labels: alert.annotations)
            writer.field("state", alert.state.rawValue)
            writer.field("activeAt", time: alert.activeAt)
            if let since = alert.keepFiringSince { writer.field("keepFiringSince", time: since) }
            writer.field("value", NumberText.scientific(alert.value))
        }
    }
}
