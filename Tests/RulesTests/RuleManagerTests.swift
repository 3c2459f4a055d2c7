import SeriesModel
import TestSupport
import Testing

@testable import Rules

@Suite("Running rule groups")
struct RuleManagerTests {
    private let minute: Int64 = 60_000

    private func manager(_ bench: RuleBench) -> RuleManager { RuleManager(context: bench.context) }

    @Test("slots are an interval apart, stay the same over restarts, and differ between groups")
    func slots() {
        let schedule = RuleSchedule(key: "a;b", interval: 60_000)
        let slot = schedule.slot(before: 1_000_000_000)
        #expect(slot <= 1_000_000_000 && slot > 1_000_000_000 - 60_000)
        #expect(schedule.slot(before: slot) == slot && schedule.slot(before: slot - 1) == slot - 60_000)
        #expect(schedule.slot(before: -5) <= -5)
        #expect(Set((0..<50).map { RuleSchedule(key: "a;\($0)", interval: 60_000).offset }).count > 40)
    }

    @Test("groups run on their own interval; what is slept through is skipped and counted")
    func rhythm() async throws {
        let bench = RuleBench(now: 0)
        let manager = manager(bench)
        let file = try bench.file("groups: [{name: g, interval: 10s, rules: [{record: y, expr: vector(time())}]}]")
        await manager.apply([file], settings: RuleSettings())
        let due = RuleSchedule(key: "r.yml;g", interval: 10_000).slot(before: 0) + 10_000
        #expect(await eventually { bench.clock.sleeperCount == 1 })
        bench.clock.advance(to: due)
        #expect(await eventually { bench.store.samples.count == 1 })
        #expect(await eventually { bench.clock.sleeperCount == 1 })
        bench.clock.advance(to: due + 35_000)
        #expect(await eventually { bench.store.samples.count == 2 })
        #expect(bench.store.samples.map(\.time) == [due, due + 30_000])
        #expect(bench.metric("prometheus_rule_group_iterations_missed_total{rule_group=\"r.yml;g\"}") == 2)
        #expect(bench.metric("prometheus_rule_group_iterations_total{rule_group=\"r.yml;g\"}") == 4)
        await manager.stop()
    }

    @Test("a reload leaves unchanged groups alone and hands the state of changed ones on")
    func reload() async throws {
        let bench = RuleBench(now: 0)
        bench.store.put(["__name__": "x"], 0, 1)
        let manager = manager(bench)
        let same = try bench.file("groups: [{name: same, rules: [{alert: S, expr: x > 0, for: 1h}]}]", path: "a.yml")
        let old = try bench.file(
            "groups: [{name: g, rules: [{alert: A, expr: x > 0, for: 1h}, {record: gone, expr: x}]}]", path: "b.yml")
        let new = try bench.file(
            "groups: [{name: g, rules: [{record: more, expr: x}, {alert: A, expr: x > 0, for: 2h}]}]", path: "b.yml")
        // The first call would wait to restore states.
        await manager.apply([], settings: RuleSettings())
        await manager.apply([same, old], settings: RuleSettings())
        #expect(await eventually { bench.clock.sleeperCount == 2 })
        bench.clock.advance(by: minute)
        #expect(await eventually { bench.store.samples.count == 5 })
        #expect(await eventually { bench.clock.sleeperCount == 2 })
        let before = await manager.status()
        await manager.apply([same, new], settings: RuleSettings())
        let after = await manager.status()
        #expect(after.map(\.file) == ["a.yml", "b.yml"])
        #expect(after.first?.lastEvaluation == before.first?.lastEvaluation)
        guard case .alerting(let status)? = after.last?.rules.last?.kind else { return }
        #expect(status.alerts.map(\.state) == [.pending] && status.holdDuration == 120 * minute)
        #expect(await eventually { bench.clock.sleeperCount == 2 })
        bench.clock.advance(by: minute)
        #expect(await eventually { bench.store.samples.contains { StaleMarker.isStale($0.value) } })
        #expect(
            bench.store.samples.filter { StaleMarker.isStale($0.value) }.map(\.labels.metricNotation) == ["gone"])
        await manager.stop()
    }

    @Test("series of a removed group end two intervals later, dated back")
    func removal() async throws {
        let bench = RuleBench(now: 0)
        let manager = manager(bench)
        let file = try bench.file("groups: [{name: g, rules: [{record: y, expr: vector(1)}]}]")
        await manager.apply([file], settings: RuleSettings())
        #expect(await eventually { bench.clock.sleeperCount == 1 })
        bench.clock.advance(by: minute)
        #expect(await eventually { bench.store.samples.count == 1 })
        #expect(await eventually { bench.clock.sleeperCount == 1 })
        bench.clock.advance(by: 100)
        await manager.apply([], settings: RuleSettings())
        #expect(await manager.status().isEmpty)
        #expect(bench.metric("prometheus_rule_group_rules{rule_group=\"r.yml;g\"}") == nil)
        #expect(await eventually { bench.clock.sleeperCount == 1 })
        bench.clock.advance(by: 2 * minute)
        #expect(await eventually { bench.store.samples.count == 2 })
        #expect(bench.store.staleSeries(at: minute + 100) == ["y"])
        await manager.stop()
    }

    @Test("all metrics of a group exist before its first evaluation")
    func zeroes() async throws {
        let bench = RuleBench(now: 0)
        let manager = manager(bench)
        let file = try bench.file("groups: [{name: g, interval: 15s, rules: [{record: y, expr: vector(1)}]}]")
        await manager.apply([file], settings: RuleSettings())
        for name in [
            "rule_evaluations_total", "rule_evaluation_failures_total", "rule_group_iterations_total",
            "rule_group_iterations_missed_total", "rule_group_last_evaluation_timestamp_seconds",
            "rule_group_last_duration_seconds", "rule_group_last_rule_duration_sum_seconds",
            "rule_group_last_restore_duration_seconds", "rule_group_last_evaluation_samples",
        ] {
            #expect(bench.metric("prometheus_\(name){rule_group=\"r.yml;g\"}") == 0, "\(name)")
        }
        #expect(bench.metric("prometheus_rule_group_interval_seconds{rule_group=\"r.yml;g\"}") == 15)
        #expect(bench.metric("prometheus_rule_group_rules{rule_group=\"r.yml;g\"}") == 1)
        await manager.stop()
    }
}
