import Foundation
import SeriesModel
import TestSupport
import Testing

@testable import Rules

@Suite("Rules: the conformance vectors")
struct RuleConformanceTests {
    @Test("rule files load, or are refused with the expected words")
    func files() throws {
        for vector in try Conformance.cases("rules/files/index.json") {
            let name = vector["file"] as? String ?? ""
            guard let path = Conformance.folder()?.appending(path: "rules/files/\(name)").path else { continue }
            let isGood: Bool
            var words = ""
            do {
                _ = try RuleFile(
                    readingFrom: path, requiresLegacyNames: vector["name_validation"] as? String == "legacy")
                isGood = true
            } catch {
                isGood = false
                words = error.description
            }
            #expect(isGood == vector["ok"] as? Bool, "\(name): \(words)")
            if let expected = vector["error_contains"] as? String { #expect(words.contains(expected), "\(words)") }
        }
    }

    @Test("templates are checked when a file is loaded")
    func templates() throws {
        for vector in try Conformance.cases("rules/template_parsing.json") {
            let isGood = (try? RuleFile(parsing: vector["rules_yaml"] as? String ?? "", path: "r.yml")) != nil
            #expect(isGood == vector["ok"] as? Bool, "case \(vector["id"] ?? "")")
        }
    }

    @Test("checking rule files ends as promtool does")
    func check() throws {
        for vector in try Conformance.cases("rules/promtool_check/index.json")
        where vector["check"] as? String == "rules" {
            let name = vector["file"] as? String ?? ""
            guard let path = Conformance.folder()?.appending(path: "rules/promtool_check/\(name)").path else {
                continue
            }
            let check = RuleCheck(path: path)
            let isLintFatal = vector["lint_fatal"] as? Bool ?? false
            let status = !check.errors.isEmpty ? 1 : isLintFatal && !check.lints.isEmpty ? 3 : 0
            #expect(status == vector["exit"] as? Int, "\(name): \(check.report)")
        }
    }

    @Test("the alert generator's scenarios run as they should")
    func alertGenerator() async throws {
        guard let folder = Conformance.folder() else { return }
        let rules = try RuleFile(readingFrom: folder.appending(path: "alert_generator/rules.yaml").path)
        for scenario in try Conformance.cases("alert_generator/scenarios.json") {
            let name = scenario["group"] as? String ?? ""
            let definition = try #require(rules.groups.first { $0.name == name })
            try await Self.play(scenario, definition)
        }
    }

    /// Writes a sample every 15 s, evaluates every 30 s, and looks at the states at every evaluation.
    private static func play(_ scenario: [String: Any], _ definition: RuleGroupDefinition) async throws {
        let bench = RuleBench()
        var count = 0
        for series in scenario["series"] as? [[String: Any]] ?? [] {
            let labels = labels(series["labels"])
            var index = 0
            for run in series["samples"] as? [[Double]] ?? [] {
                for _ in 0..<Int(run.last ?? 0) {
                    bench.store.put(labels, Int64(index) * 15_000, run.first ?? 0)
                    index += 1
                }
            }
            count = max(count, index)
        }
        let group = RuleGroup(file: "r", definition, context: bench.context)
        let alerts = scenario["alerts"] as? [[String: Any]] ?? []
        for index in stride(from: 0, to: count, by: 2) {
            await group.evaluate(at: Int64(index) * 15_000)
            let status = await group.status
            let current = status.rules.flatMap { rule -> [AlertStatus] in
                guard case .alerting(let status) = rule.kind else { return [] }
                return status.alerts
            }
            for alert in alerts {
                let expected = labels(alert["labels"])
                let states = alert["states"] as? [[Any]] ?? []
                let allowed = states.enumerated().filter { position, state in
                    let from = state.first as? Int ?? 0
                    let to = position + 1 < states.count ? states[position + 1].first as? Int ?? 0 : Int.max
                    // A change may be seen one evaluation late.
                    return index >= from && index < (to == .max ? .max : to + 2)
                }.map { $0.element.last as? String ?? "" }
                // A rule over ALERTS inherits the label alertstate, which the scenarios leave out.
                let state =
                    current.first { $0.labels.dropping(["alertstate"]) == expected }?.state.rawValue ?? "inactive"
                #expect(allowed.contains(state), "\(definition.name) \(expected) at sample \(index)")
            }
        }
    }

    private static func labels(_ json: Any?) -> LabelSet {
        LabelSet((json as? [String: String] ?? [:]).map { Label($0.key, $0.value) })
    }
}
