import ConfigTree
import Foundation
import PromQLTestKit
import SeriesModel
import Testing

@testable import Rules

/// Runs files in the format of `promtool test rules` (the part that alerts need) with the real engine in injected time.
struct RuleUnitTests {
    struct Failure: Error, CustomStringConvertible { let description: String }

    let directory: URL
    let file: String

    /// Runs all tests. - Returns: the names of the alerts that were seen firing and those that were seen silent.
    func run() async throws -> (firing: Set<String>, silent: Set<String>) {
        let url = directory.appending(path: file)
        let root = try ConfigNode.parse(String(contentsOf: url, encoding: .utf8), file: file)
        var section = try root.section("unit test")
        var groups: [RuleGroupDefinition] = []
        for name in try section.strings("rule_files") ?? [] {
            groups += try RuleFile(readingFrom: directory.appending(path: name).path).groups
        }
        let interval = try section.duration("evaluation_interval") ?? 60_000
        var firing: Set<String> = []
        var silent: Set<String> = []
        for test in try section.sequence("tests") ?? [] {
            let (fired, quiet) = try await run(test, groups, interval: interval)
            firing.formUnion(fired)
            silent.formUnion(quiet)
        }
        return (firing, silent)
    }

    private struct Expectation {
        var alert: String
        var time: Timestamp
        var alerts: [String]
    }

    private func run(
        _ node: ConfigNode, _ definitions: [RuleGroupDefinition], interval: Int64
    ) async throws -> (firing: Set<String>, silent: Set<String>) {
        var section = try node.section("test")
        let name = try section.string("name") ?? ""
        let bench = RuleBench()
        try load(&section, into: bench.store)
        let expectations = try expectations(&section)
        let end = expectations.map(\.time).max() ?? 0
        let groups = definitions.map { RuleGroup(file: "rules", $0, context: bench.context) }
        var firing: Set<String> = []
        var silent: Set<String> = []
        for time in stride(from: Timestamp(0), through: end, by: Int(interval)) {
            for group in groups { await group.evaluate(at: time) }
            for expectation in expectations where expectation.time >= time && expectation.time < time + interval {
                let got = await alerts(named: expectation.alert, in: groups)
                #expect(got == expectation.alerts, "\(name): \(expectation.alert) at \(expectation.time / 1000) s")
                if got.isEmpty { silent.insert(expectation.alert) } else { firing.insert(expectation.alert) }
            }
        }
        for group in groups {
            for rule in await group.status.rules { #expect(rule.health == .ok, "\(rule.lastError ?? "")") }
        }
        return (firing, silent)
    }

    private func load(_ section: inout ConfigSection, into store: RuleStore) throws {
        let step = try section.take("interval")?.string() ?? "1m"
        var script = "load \(step)\n"
        for node in try section.sequence("input_series") ?? [] {
            var series = try node.section("series")
            script += "  " + (try series.string("series") ?? "") + " " + (try series.string("values") ?? "") + "\n"
        }
        for command in try TestScript(script).commands {
            guard case .load(let load) = command else { continue }
            for series in load.series {
                for (index, value) in series.values.enumerated() {
                    guard case .float(let number) = value else { continue }
                    store.put(series.labels, Int64(index) * load.step, number)
                }
            }
        }
    }

    private func expectations(_ section: inout ConfigSection) throws -> [Expectation] {
        var expectations: [Expectation] = []
        for node in try section.sequence("alert_rule_test") ?? [] {
            var test = try node.section("alert test")
            let name = try test.string("alertname") ?? ""
            let time = try test.duration("eval_time") ?? 0
            var alerts: [String] = []
            for alert in try test.sequence("exp_alerts") ?? [] {
                var fields = try alert.section("alert")
                var labels = try labels(fields.take("exp_labels"))
                labels = labels.setting("alertname", name)
                alerts.append("\(labels) \(try self.labels(fields.take("exp_annotations")))")
            }
            expectations.append(Expectation(alert: name, time: time, alerts: alerts.sorted()))
        }
        return expectations
    }

    private func labels(_ node: ConfigNode?) throws -> LabelSet {
        var labels: [Label] = []
        for entry in try node?.entries() ?? [] { labels.append(Label(entry.key, try entry.value.string())) }
        return LabelSet(labels)
    }

    private func alerts(named name: String, in groups: [RuleGroup]) async -> [String] {
        var alerts: [String] = []
        for group in groups {
            for rule in await group.status.rules where rule.name == name {
                guard case .alerting(let status) = rule.kind else { continue }
                alerts += status.alerts.filter { $0.state == .firing }.map { "\($0.labels) \($0.annotations)" }
            }
        }
        return alerts.sorted()
    }
}
