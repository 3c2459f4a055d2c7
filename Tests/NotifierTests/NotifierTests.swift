import Notifier
import Rules
import SeriesModel
import TestSupport
import Testing

@Suite("Notifications")
struct NotifierTests {
    private static let one = "alertmanagers: [{static_configs: [{targets: ['am:9093']}]}]"
    private static let url = "http://am:9093/api/v2/alerts"

    @Test("alerts are posted as Alertmanager's v2 API wants them, with external labels")
    func payload() async throws {
        let bench = NotifierBench()
        await bench.notifier.apply(try NotifierBench.section(Self.one), externalLabels: ["job": "no", "region": "eu"])
        await bench.notifier.send([NotifierBench.alert("A")])
        #expect(
            await eventually { bench.metric("prometheus_notifications_sent_total{alertmanager=\"\(Self.url)\"}") == 1 })
        let request = try #require(bench.transport.requests.first)
        #expect(request.url == Self.url && request.headers == ["Content-Type: application/json"])
        #expect(
            request.body
                == "[{\"annotations\":{\"summary\":\"s\"},\"endsAt\":\"1970-01-01T00:04:00.000Z\","
                + "\"startsAt\":\"1970-01-01T00:00:01.500Z\",\"generatorURL\":\"http://h/graph?g0.expr=x&g0.tab=1\","
                + "\"labels\":{\"alertname\":\"A\",\"job\":\"a\",\"region\":\"eu\"}}]")
        #expect(await eventually { await bench.outbox.load().isEmpty })
        await bench.notifier.stop()
    }

    @Test("relabelling changes and drops alerts, for all and for one Alertmanager")
    func relabelling() async throws {
        let bench = NotifierBench()
        let section = try NotifierBench.section(
            """
            alert_relabel_configs: [{source_labels: [alertname], regex: Drop, action: drop}]
            alertmanagers:
            - {path_prefix: /a/, static_configs: [{targets: [am]}], alert_relabel_configs: [{action: labeldrop, regex: job}]}
            - {scheme: https, static_configs: [{targets: [am]}]}
            """)
        await bench.notifier.apply(section, externalLabels: .empty)
        await bench.notifier.send([NotifierBench.alert("Drop")])
        await bench.notifier.send([NotifierBench.alert("Keep")])
        #expect(await eventually { bench.transport.requests.count == 2 })
        let bodies = Dictionary(uniqueKeysWithValues: bench.transport.requests.map { ($0.url, $0.body) })
        #expect(bodies["http://am/a/api/v2/alerts"]?.contains("\"labels\":{\"alertname\":\"Keep\"}") == true)
        #expect(bodies["https://am/api/v2/alerts"]?.contains("{\"alertname\":\"Keep\",\"job\":\"a\"}") == true)
        await bench.notifier.stop()
    }

    @Test("targets are relabelled; dropped ones are listed")
    func targets() async throws {
        let bench = NotifierBench()
        let section = try NotifierBench.section(
            """
            alertmanagers:
            - static_configs: [{targets: [a, b]}]
              relabel_configs:
              - {source_labels: [__address__], regex: b, action: drop}
              - {target_label: __alerts_path__, replacement: /x}
            """)
        await bench.notifier.apply(section, externalLabels: .empty)
        let status = await bench.notifier.alertmanagers()
        #expect(status.active == ["http://a/x"] && status.dropped == ["http://b/api/v2/alerts"])
        #expect(bench.metric("prometheus_notifications_alertmanagers_discovered") == 1)
        await bench.notifier.stop()
    }

    @Test("a failure is counted and tried again; the newest word counts")
    func retry() async throws {
        let bench = NotifierBench()
        await bench.notifier.apply(try NotifierBench.section(Self.one), externalLabels: .empty)
        bench.transport.answer(Self.url, 503)
        await bench.notifier.send([NotifierBench.alert("A")])
        #expect(await eventually { bench.clock.sleeperCount == 1 })
        #expect(bench.metric("prometheus_notifications_errors_total{alertmanager=\"\(Self.url)\"}") == 1)
        #expect(bench.metric("prometheus_notifications_queue_length{alertmanager=\"\(Self.url)\"}") == 1)
        bench.transport.answer(Self.url, 0)
        bench.clock.advance(by: 1000)
        #expect(await eventually { bench.transport.requests.count == 2 && bench.clock.sleeperCount == 1 })
        await bench.notifier.send([NotifierBench.alert("A", endsAt: 2000, isResolved: true)])
        bench.transport.answer(Self.url, 200)
        bench.clock.advance(by: 2000)
        #expect(
            await eventually { bench.metric("prometheus_notifications_sent_total{alertmanager=\"\(Self.url)\"}") == 1 })
        #expect(bench.transport.requests.last?.body.contains("\"endsAt\":\"1970-01-01T00:00:02.000Z\"") == true)
        #expect(await eventually { await bench.outbox.load().isEmpty })
        await bench.notifier.stop()
    }

    @Test("what an Alertmanager calls malformed is dropped, not repeated for ever")
    func refused() async throws {
        let bench = NotifierBench()
        await bench.notifier.apply(try NotifierBench.section(Self.one), externalLabels: .empty)
        bench.transport.answer(Self.url, 400)
        await bench.notifier.send([NotifierBench.alert("A")])
        #expect(await eventually { bench.metric("prometheus_notifications_dropped_total") == 1 })
        #expect(await eventually { await bench.outbox.load().isEmpty })
        #expect(bench.transport.requests.count == 1)
        await bench.notifier.stop()
    }

    @Test("requests hold at most a batch")
    func batches() async throws {
        var options = NotifierOptions()
        options.batchMax = 2
        let bench = NotifierBench(options: options)
        await bench.notifier.apply(try NotifierBench.section(Self.one), externalLabels: .empty)
        await bench.notifier.send((0..<5).map { NotifierBench.alert("A\($0)") })
        #expect(
            await eventually { bench.metric("prometheus_notifications_sent_total{alertmanager=\"\(Self.url)\"}") == 5 })
        #expect(bench.transport.requests.count == 3)
        await bench.notifier.stop()
    }

    @Test("an Alertmanager that is away does not hold up another")
    func independence() async throws {
        let bench = NotifierBench()
        let section = try NotifierBench.section("alertmanagers: [{static_configs: [{targets: [a, b]}]}]")
        await bench.notifier.apply(section, externalLabels: .empty)
        bench.transport.answer("http://a/api/v2/alerts", 0)
        await bench.notifier.send([NotifierBench.alert("A")])
        #expect(
            await eventually {
                bench.metric("prometheus_notifications_sent_total{alertmanager=\"http://b/api/v2/alerts\"}") == 1
            })
        #expect(await eventually { bench.clock.sleeperCount == 1 })
        #expect(await bench.outbox.load().map(\.alertmanager) == ["http://a/api/v2/alerts"])
        await bench.notifier.stop()
    }

    @Test("what was not delivered before the end is delivered after a restart, with its times")
    func restart() async throws {
        let first = NotifierBench()
        await first.notifier.apply(try NotifierBench.section(Self.one), externalLabels: .empty)
        first.transport.answer(Self.url, 0)
        await first.notifier.send([NotifierBench.alert("A", endsAt: 2000, isResolved: true)])
        #expect(await eventually { first.clock.sleeperCount == 1 })
        // Stopping tries once more, at once.
        await first.notifier.stop()
        #expect(first.transport.requests.count == 2)

        let second = NotifierBench(outbox: first.outbox)
        await second.notifier.apply(try NotifierBench.section(Self.one), externalLabels: .empty)
        #expect(await eventually { second.transport.requests.count == 1 })
        #expect(second.transport.requests.first?.body.contains("\"startsAt\":\"1970-01-01T00:00:01.500Z\"") == true)
        await second.notifier.stop()
    }

    @Test("stopping delivers what waits")
    func drain() async throws {
        let bench = NotifierBench()
        await bench.notifier.apply(try NotifierBench.section(Self.one), externalLabels: .empty)
        await bench.notifier.send((0..<300).map { NotifierBench.alert("A\($0)") })
        await bench.notifier.stop()
        #expect(bench.metric("prometheus_notifications_sent_total{alertmanager=\"\(Self.url)\"}") == 300)
        #expect(await bench.outbox.load().isEmpty)
    }

    @Test("a reload keeps what did not change and ends what is gone, its metrics with it")
    func reload() async throws {
        let bench = NotifierBench()
        let two = "alertmanagers: [{static_configs: [{targets: [a]}]}, {static_configs: [{targets: [b]}]}]"
        await bench.notifier.apply(try NotifierBench.section(two), externalLabels: .empty)
        let name = "prometheus_notifications_sent_total"
        #expect(bench.metric("\(name){alertmanager=\"http://b/api/v2/alerts\"}") == 0)
        await bench.notifier.apply(
            try NotifierBench.section("alertmanagers: [{static_configs: [{targets: [a]}]}]"), externalLabels: .empty)
        #expect(await bench.notifier.alertmanagers().active == ["http://a/api/v2/alerts"])
        #expect(bench.metric("\(name){alertmanager=\"http://b/api/v2/alerts\"}") == nil)
        #expect(bench.metric("prometheus_notifications_alertmanagers_discovered") == 1)
        #expect(bench.metric("prometheus_notifications_queue_capacity") == 10_000)
        await bench.notifier.stop()
    }
}
