import Logging
import PromQLEngine
import PromQLTestKit
import SeriesModel
import StorageAPI
import Synchronization
import TestSupport
import Testing

@testable import Rules

@Suite("A rule group's evaluation")
struct RuleGroupTests {
    private let minute: Int64 = 60_000

    @Test("recording rules write under their name, with their labels, and later rules see it")
    func recording() async throws {
        let bench = RuleBench()
        let group = try bench.group(
            """
            groups:
            - name: g
              rules:
              - {record: "job:x:sum", expr: "sum by (job) (x)", labels: {job: "", team: t}}
              - {record: twice, expr: "job:x:sum * 2"}
            """)
        bench.store.put(["__name__": "x", "job": "a", "i": "1"], 1000, 3)
        bench.store.put(["__name__": "x", "job": "a", "i": "2"], 1000, 4)
        await group.evaluate(at: 2000)
        #expect(bench.store.values(at: 2000) == ["job:x:sum{team=\"t\"} 7", "twice{team=\"t\"} 14"])
        #expect(bench.metric("prometheus_rule_group_last_evaluation_samples{rule_group=\"r.yml;g\"}") == 2)
        #expect(bench.metric("prometheus_rule_evaluations_total{rule_group=\"r.yml;g\"}") == 2)
    }

    @Test("recording rules write histograms as such, and a stale marker when they are gone")
    func recordingHistograms() async throws {
        let bench = RuleBench()
        let group = try bench.group(
            """
            groups:
            - name: g
              rules:
              - {record: h:sum, expr: "sum(h)"}
              - {record: h:count, expr: "histogram_count(h:sum)"}
            """)
        let histogram = NativeHistogram(
            count: 5, sum: 2, positiveSpans: [.init(offset: 0, length: 2)], positiveBuckets: [3, 2])
        try bench.store.memory.append([StoredSample(1000, .histogram(histogram))], to: ["__name__": "h", "i": "1"])
        try bench.store.memory.append([StoredSample(1000, .histogram(histogram))], to: ["__name__": "h", "i": "2"])
        await group.evaluate(at: 2000)
        #expect(bench.store.values(at: 2000) == ["h:count 10", "h:sum 0"])
        let sets = try bench.store.select(
            [Selection(matchers: [.equal("__name__", "h:sum")], range: .all)], cancellation: Cancellation())
        var buffer = SampleBuffer()
        try #require(sets[0].count == 1)
        try sets[0].read(0, into: &buffer)
        #expect(buffer.histograms.map(\.positiveBuckets) == [[6, 4]])
        await group.evaluate(at: 10 * 60_000)
        #expect(bench.store.staleSeries(at: 10 * 60_000) == ["h:count", "h:sum"])
    }

    @Test("a group asks in its own name, in its templates, too")
    func origin() async throws {
        var bench = RuleBench()
        let asked = Mutex<[QueryOrigin?]>([])
        bench.context = RuleContext(
            query: { origin in
                { _, time in
                    asked.withLock { $0.append(origin) }
                    return [VectorSample(labels: .empty, timestamp: time, value: 1)]
                }
            }, storage: bench.store, history: nil, sink: bench.sink, states: nil, clock: bench.clock,
            metrics: RuleMetrics(bench.registry),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let group = try bench.group(
            """
            groups:
            - name: g
              rules:
              - {record: y, expr: x}
              - {alert: A, expr: x, labels: {l: '{{ query "x" | first | value }}'}}
            """)
        await group.evaluate(at: 0)
        #expect(asked.withLock { $0 } == [QueryOrigin?](repeating: .ruleGroup(file: "r.yml", name: "g"), count: 3))
    }

    @Test("series that vanish from the result end with a stale marker")
    func stale() async throws {
        let bench = RuleBench()
        let group = try bench.group("groups: [{name: g, rules: [{record: y, expr: x > 1}]}]")
        bench.store.put(["__name__": "x", "i": "1"], 0, 2)
        bench.store.put(["__name__": "x", "i": "2"], 0, 2)
        await group.evaluate(at: 0)
        bench.store.put(["__name__": "x", "i": "2"], minute, 0)
        await group.evaluate(at: minute)
        #expect(bench.store.values(at: minute) == ["y{i=\"1\"} 2"])
        #expect(bench.store.staleSeries(at: minute) == ["y{i=\"2\"}"])
        await group.evaluate(at: 2 * minute)
        #expect(bench.store.staleSeries(at: 2 * minute).isEmpty)
    }

    @Test("a rule that gives one series twice fails, and writes nothing")
    func duplicates() async throws {
        let bench = RuleBench()
        let group = try bench.group("groups: [{name: g, rules: [{record: y, expr: x, labels: {i: same}}]}]")
        bench.store.put(["__name__": "x", "i": "1"], 0, 2)
        bench.store.put(["__name__": "x", "i": "2"], 0, 2)
        await group.evaluate(at: 0)
        let rule = try #require(await group.status.rules.first)
        #expect(rule.health == .err)
        #expect(rule.lastError == "vector contains metrics with the same labelset after applying rule labels")
        #expect(bench.store.samples.isEmpty)
        #expect(bench.metric("prometheus_rule_evaluation_failures_total{rule_group=\"r.yml;g\"}") == 1)
    }

    @Test("the limit drops a recording rule's whole output, without stale markers")
    func limit() async throws {
        let bench = RuleBench()
        let group = try bench.group("groups: [{name: g, limit: 1, rules: [{record: y, expr: x}]}]")
        bench.store.put(["__name__": "x", "i": "1"], 0, 2)
        await group.evaluate(at: 0)
        bench.store.put(["__name__": "x", "i": "2"], minute, 2)
        await group.evaluate(at: minute)
        #expect(await group.status.rules.first?.lastError == "exceeded limit of 1 with 2 series")
        #expect(bench.store.samples.filter { $0.time == minute }.isEmpty)
    }

    @Test("one failing rule does not keep the others from running, and recovers")
    func failure() async throws {
        let bench = RuleBench()
        let group = try bench.group(
            """
            groups:
            - name: g
              rules:
              - {record: bad, expr: "x * on () group_left () x"}
              - {record: good, expr: vector(1)}
            """)
        bench.store.put(["__name__": "x", "i": "1"], 0, 2)
        bench.store.put(["__name__": "x", "i": "2"], 0, 2)
        await group.evaluate(at: 0)
        #expect(await group.status.rules.map(\.health) == [.err, .ok])
        #expect(bench.store.values(at: 0) == ["good 1"])
        bench.store.put(["__name__": "x", "i": "2"], 1000, StaleMarker.value)
        await group.evaluate(at: minute)
        #expect(await group.status.rules.map(\.health) == [.ok, .ok])
        #expect(await group.status.rules.first?.lastError == nil)
    }

    @Test("a store that refuses makes the rule fail with the store's words")
    func refusal() async throws {
        let bench = RuleBench()
        let group = try bench.group("groups: [{name: g, rules: [{record: y, expr: vector(1)}]}]")
        bench.store.fail(with: .unavailable(reason: "disk full"))
        await group.evaluate(at: 0)
        #expect(await group.status.rules.first?.lastError == "disk full")
        bench.store.fail(with: nil)
        await group.evaluate(at: minute)
        await group.evaluate(at: minute - 1000)
        #expect(await group.status.rules.first?.lastError == "out of order sample")
    }

    @Test("query_offset moves query and output back in time")
    func offset() async throws {
        let bench = RuleBench()
        let group = try bench.group(
            "groups: [{name: g, query_offset: 1m, rules: [{record: y, expr: x}, {alert: A, expr: x > 0}]}]")
        bench.store.put(["__name__": "x"], minute, 7)
        bench.store.put(["__name__": "x"], 2 * minute, 8)
        await group.evaluate(at: 2 * minute)
        #expect(
            bench.store.values(at: minute) == [
                "ALERTS_FOR_STATE{alertname=\"A\"} 120", "ALERTS{alertname=\"A\", alertstate=\"firing\"} 1", "y 7",
            ])
    }

    @Test("alerts show themselves as series; labels and annotations are expanded")
    func alerts() async throws {
        var settings = RuleSettings()
        settings.externalLabels = ["region": "eu"]
        settings.externalURL = "http://h:9090"
        let bench = RuleBench(settings: settings)
        let group = try bench.group(
            """
            groups:
            - name: g
              rules:
              - alert: A
                expr: x > 1
                for: 1m
                labels: {severity: "{{ if gt $value 5.0 }}high{{ else }}low{{ end }}", i: "", m: "{{ $labels.__name__ }}"}
                annotations: {summary: "{{ $labels.i }} {{ $value }} {{ $externalLabels.region }} {{ $externalURL }} {{ query \\"x\\" | len }}"}
            """)
        bench.store.put(["__name__": "x", "i": "1", "j": "k"], 0, 9)
        await group.evaluate(at: 0)
        let own = "alertname=\"A\", j=\"k\", m=\"x\", severity=\"high\""
        let pending = "ALERTS{alertname=\"A\", alertstate=\"pending\", j=\"k\", m=\"x\", severity=\"high\"}"
        #expect(bench.store.values(at: 0) == ["ALERTS_FOR_STATE{\(own)} 0", "\(pending) 1"])
        #expect(bench.sink.take().isEmpty)
        await group.evaluate(at: minute)
        #expect(bench.store.staleSeries(at: minute) == [pending])
        let alert = try #require(bench.sink.take().first)
        #expect(alert.labels == ["alertname": "A", "j": "k", "m": "x", "severity": "high"])
        #expect(alert.annotations == ["summary": "1 9 eu http://h:9090 1"])
        #expect(alert.startsAt == minute && alert.endsAt == 5 * minute && !alert.isResolved)
        #expect(alert.generatorURL == "http://h:9090/graph?g0.expr=x+%3E+1&g0.tab=1")
        bench.store.put(["__name__": "x", "i": "1", "j": "k"], 2 * minute, 0)
        await group.evaluate(at: 2 * minute)
        let resolved = try #require(bench.sink.take().first)
        #expect(resolved.isResolved && resolved.startsAt == minute && resolved.endsAt == 2 * minute)
        #expect(bench.store.values(at: 2 * minute).isEmpty)
    }

    @Test("a template that fails becomes the label's text, and the alert fires all the same")
    func brokenTemplate() async throws {
        let bench = RuleBench()
        let group = try bench.group(
            "groups: [{name: g, rules: [{alert: A, expr: vector(1), annotations: {a: '{{ first (query \"no\") }}'}}]}]")
        await group.evaluate(at: 0)
        let text = try #require(bench.sink.take().first?.annotations["a"])
        #expect(text.hasPrefix("<error expanding template: error executing template __alert_A: template: __alert_A:1:"))
        #expect(bench.metric("prometheus_template_text_expansion_failures_total") == 1)
    }

    @Test("two alerts with the same labels make the rule fail, and nobody is told")
    func duplicateAlerts() async throws {
        let bench = RuleBench()
        let group = try bench.group("groups: [{name: g, rules: [{alert: A, expr: x, labels: {i: same}}]}]")
        bench.store.put(["__name__": "x", "i": "1"], 0, 2)
        bench.store.put(["__name__": "x", "i": "2"], 0, 2)
        await group.evaluate(at: 0)
        #expect(
            await group.status.rules.first?.lastError
                == "vector contains metrics with the same labelset after applying alert labels")
        #expect(bench.sink.take().isEmpty && bench.store.samples.isEmpty)
    }

    @Test("saved alerts are taken up after a restart")
    func resume() async throws {
        let states = MemoryStates()
        let yaml = "groups: [{name: g, rules: [{alert: A, expr: x > 0, for: 5m}, {alert: B, expr: x > 0}]}]"
        let first = RuleBench(states: states)
        first.store.put(["__name__": "x"], 0, 1)
        let before = try first.group(yaml)
        await before.evaluate(at: 0)
        await before.evaluate(at: 3 * minute)

        let second = RuleBench(now: 10 * minute, states: states)
        second.store.put(["__name__": "x"], 10 * minute, 1)
        let after = try second.group(yaml)
        await after.start(restores: true)
        #expect(await eventually { second.clock.sleeperCount > 0 })
        let alerts = await after.status.rules.compactMap { rule -> AlertStatus? in
            guard case .alerting(let status) = rule.kind else { return nil }
            return status.alerts.first
        }
        // Three of A's five minutes had passed; B has been firing from the start.
        #expect(alerts.map(\.activeAt) == [7 * minute, 0])
        #expect(alerts.map(\.state) == [.pending, .firing])
        await after.stop()
    }

    @Test("without a saved state the waiting time is restored from ALERTS_FOR_STATE, after two evaluations")
    func restoreFromSeries() async throws {
        let bench = RuleBench(now: 40 * minute)
        let labels: LabelSet = ["__name__": "ALERTS_FOR_STATE", "alertname": "A"]
        bench.store.put(labels, 20 * minute, 600)
        for step in 40...50 { bench.store.put(["__name__": "x"], Int64(step) * minute, 1) }
        let group = try bench.group("groups: [{name: g, rules: [{alert: A, expr: x > 0, for: 60m}]}]")
        await group.start(restores: true)
        for step in 1...2 {
            #expect(await eventually { bench.clock.sleeperCount > 0 })
            bench.clock.advance(by: minute)
            #expect(await eventually { await group.status.lastEvaluation == (40 + Int64(step)) * minute })
        }
        #expect(await eventually { bench.clock.sleeperCount > 0 })
        guard case .alerting(let status)? = await group.status.rules.first?.kind else { return }
        // Active since minute 10, down at 20, back at 42: 22 minutes do not count.
        #expect(status.alerts.map(\.activeAt) == [32 * minute])
        #expect(bench.store.samples.isEmpty)
        bench.clock.advance(by: minute)
        #expect(await eventually { !bench.store.samples.isEmpty })
        await group.stop()
    }
}
