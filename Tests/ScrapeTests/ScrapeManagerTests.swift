import ConfigTree
import OutboundHTTP
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization
import TestSupport
import Testing

@testable import Scrape

/// Answers by URL, without a network.
private final class ScriptedTransport: HTTPTransport {
    private let bodies = Mutex<[String: String]>([:])
    private let counts = Mutex<[String: Int]>([:])

    func set(_ url: String, _ body: String?) { bodies.withLock { $0[url] = body } }

    func count(_ url: String) -> Int { counts.withLock { $0[url] ?? 0 } }

    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        counts.withLock { $0[request.url, default: 0] += 1 }
        guard let body = bodies.withLock({ $0[request.url] }) else {
            throw OutboundError(.connection, "connection refused")
        }
        return OutboundResponse(
            status: 200, reason: "OK", headers: [("Content-Type", "text/plain; version=0.0.4")], body: Array(body.utf8))
    }
}

/// Keeps what failed.
private final class RecordingSink: ScrapeFailureSink {
    private let kept = Mutex<[FailedScrape]>([])

    var scrapes: [FailedScrape] { kept.withLock { $0 } }

    func scrapeFailed(_ scrape: FailedScrape) { kept.withLock { $0.append(scrape) } }
}

@Suite("Scrape manager in injected time")
struct ScrapeManagerTests {
    private struct Bench {
        let store = RecordingStore()
        let transport = ScriptedTransport()
        let clock = ManualClock(now: 1_700_000_000_000)
        let registry = MetricsRegistry()
        let manager: ScrapeManager

        init(failures: (any ScrapeFailureSink)? = nil) {
            manager = ScrapeManager(
                appendable: store, transport: transport, clock: clock, registry: registry, failures: failures)
        }

        /// Moves the clock on in steps, each time after everybody has gone to sleep.
        func advance(by milliseconds: Int64, sleepers: Int, step: Int64 = 1) async {
            let end = clock.now() + milliseconds
            while clock.now() < end {
                _ = await eventually { clock.sleeperCount >= sleepers }
                clock.advance(by: step)
            }
            _ = await eventually { clock.sleeperCount >= sleepers }
        }
    }

    private let oneTarget = "{job_name: j, scrape_interval: 10s, static_configs: [{targets: ['h:1']}]}"

    @Test("A static target is scraped an interval apart, with aligned timestamps, and shown as up")
    func steady() async throws {
        let bench = Bench()
        bench.transport.set("http://h:1/metrics", "# TYPE a counter\na 1\n")
        await bench.manager.apply([try job(oneTarget)], externalLabels: .empty)
        await bench.advance(by: 60_000, sleepers: 1)
        let samples = bench.store.all(#"a{instance="h:1", job="j"}"#)
        #expect(samples.count == 6)
        for (a, b) in zip(samples, samples.dropFirst()) { #expect(b.timestamp - a.timestamp == 10_000) }
        let status = try #require(await bench.manager.status().first)
        #expect(status.name == "j")
        #expect(status.active.map(\.health) == [.up])
        #expect(status.active.first?.lastError == "")
        let metadata = await bench.manager.metadata()
        #expect(metadata["a"] == [MetricMetadata(kind: .counter)])
        let text = bench.registry.exposition()
        #expect(text.contains(#"prometheus_target_metadata_cache_entries{scrape_job="j"} 1"#))
        #expect(text.contains(#"prometheus_target_scrape_pool_targets{scrape_job="j"} 1"#))
        #expect(text.contains(#"prometheus_sd_discovered_targets{name="scrape",config="j"} 1"#))
        #expect(text.contains("prometheus_target_scrapes_sample_out_of_order_total 0"))
        await bench.manager.stop()
    }

    @Test("Failed scrapes are noted for jobs that have a log file, and for no others")
    func failureLog() async throws {
        let sink = RecordingSink()
        let bench = Bench(failures: sink)
        let quiet = "{job_name: q, scrape_interval: 10s, static_configs: [{targets: ['q:1']}]}"
        let noisy =
            "{job_name: n, scrape_interval: 10s, scrape_failure_log_file: f.log, static_configs: [{targets: ['n:1']}]}"
        await bench.manager.apply([try job(quiet), try job(noisy)], externalLabels: .empty)
        await bench.advance(by: 10_000, sleepers: 2)
        #expect(
            sink.scrapes == [
                FailedScrape(
                    file: "/etc/hearth/f.log", time: sink.scrapes.first?.time ?? 0, job: "n",
                    target: "http://n:1/metrics", message: "connection refused")
            ])
        await bench.manager.stop()
    }

    @Test("Applying the same configuration leaves the loops alone; another one replaces them")
    func reload() async throws {
        let bench = Bench()
        bench.transport.set("http://h:1/metrics", "a 1\n")
        let config = try job(oneTarget)
        await bench.manager.apply([config], externalLabels: .empty)
        await bench.advance(by: 20_000, sleepers: 1)
        await bench.manager.apply([config], externalLabels: .empty)
        await bench.advance(by: 20_000, sleepers: 1)
        #expect(bench.transport.count("http://h:1/metrics") == 4)
        #expect(bench.clock.sleeperCount == 1)
        #expect(bench.registry.exposition().contains("prometheus_target_scrape_pool_reloads_total 0"))
        var changed = config
        changed.metricRelabelRules = try job(
            "{job_name: j, metric_relabel_configs: [{target_label: new, replacement: x}]}"
        ).metricRelabelRules
        await bench.manager.apply([changed], externalLabels: .empty)
        // Two sleep until the old loop has written its end.
        await bench.advance(by: 10_000, sleepers: 2)
        await bench.advance(by: 30_000, sleepers: 1)
        // What the new rules do not produce any more has ended; what goes on has no gap and no marker.
        #expect(bench.store.last(#"a{instance="h:1", job="j"}"#).map { StaleMarker.isStale($0.value) } == true)
        let up = bench.store.all(#"up{instance="h:1", job="j"}"#)
        #expect(up.count == 8)
        #expect(up.allSatisfy { $0.value == 1 })
        #expect(bench.registry.exposition().contains("prometheus_target_scrape_pool_reloads_total 1"))
        await bench.manager.stop()
    }

    @Test("The series of a removed target end after two intervals; stopping the server ends nothing")
    func removal() async throws {
        let bench = Bench()
        bench.transport.set("http://h:1/metrics", "a 1\n")
        bench.transport.set("http://h:2/metrics", "b 1\n")
        let first = try job(oneTarget)
        let second = try job("{job_name: k, scrape_interval: 10s, static_configs: [{targets: ['h:2']}]}")
        await bench.manager.apply([first, second], externalLabels: .empty)
        await bench.advance(by: 20_000, sleepers: 2)
        await bench.manager.apply([second], externalLabels: .empty)
        await bench.advance(by: 10_000, sleepers: 2)
        let last = bench.store.all(#"a{instance="h:1", job="j"}"#)
        #expect(last.count == 2)
        await bench.advance(by: 30_000, sleepers: 1)
        for name in ["a", "up"] {
            let samples = bench.store.all(name + #"{instance="h:1", job="j"}"#)
            #expect(samples.count == 3)
            #expect(samples.last.map { StaleMarker.isStale($0.value) } == true)
            #expect(samples.last?.timestamp == (last.last?.timestamp ?? 0) + 10_000)
        }
        #expect(await bench.manager.status().map(\.name) == ["k"])
        await bench.manager.stop()
        #expect(bench.store.all(#"b{instance="h:2", job="k"}"#).allSatisfy { $0.value == 1 })
        #expect(!bench.registry.exposition().contains(#"scrape_job="j""#))
    }

    @Test("More targets than target_limit fail the whole job without asking anybody")
    func targetLimit() async throws {
        let bench = Bench()
        bench.transport.set("http://h:1/metrics", "a 1\n")
        let config = try job(
            "{job_name: j, scrape_interval: 10s, target_limit: 1, static_configs: [{targets: ['h:1', 'h:2']}]}")
        await bench.manager.apply([config], externalLabels: .empty)
        await bench.advance(by: 10_000, sleepers: 2)
        let status = await bench.manager.status()
        #expect(
            status.first?.active.map(\.lastError)
                == Array(repeating: "target_limit exceeded (number of targets: 2, limit: 1)", count: 2))
        #expect(bench.store.last(#"up{instance="h:1", job="j"}"#)?.value == 0)
        #expect(bench.transport.count("http://h:1/metrics") == 0)
        #expect(
            bench.registry.exposition().contains("prometheus_target_scrape_pool_exceeded_target_limit_total 1"))
        await bench.manager.stop()
    }

    @Test("Equal targets are scraped once; dropped ones are shown with the labels they had")
    func duplicatesAndDropped() async throws {
        let bench = Bench()
        let config = try job(
            """
            job_name: j
            keep_dropped_targets: 1
            static_configs: [{targets: ['h:1', 'h:1', 'd:1', 'd:2']}]
            relabel_configs: [{source_labels: [__address__], regex: 'd.*', action: drop}]
            """)
        await bench.manager.apply([config], externalLabels: .empty)
        #expect(await eventually { await bench.manager.status().first?.active.count == 1 })
        let status = await bench.manager.status().first
        #expect(status?.droppedCount == 2)
        #expect(status?.dropped.map { $0["__address__"] } == ["d:1"])
        #expect(status?.active.first?.health == .unknown)
        await bench.manager.stop()
    }

    @Test("A store that refuses a batch shows in lastError, and the loop goes on")
    func storageFailure() async throws {
        let bench = Bench()
        bench.transport.set("http://h:1/metrics", "a 1\n")
        bench.store.setFailure(.unavailable(reason: "disk full"))
        await bench.manager.apply([try job(oneTarget)], externalLabels: .empty)
        await bench.advance(by: 10_000, sleepers: 1)
        #expect(await bench.manager.status().first?.active.first?.lastError == "storage: disk full")
        bench.store.setFailure(nil)
        await bench.advance(by: 10_000, sleepers: 1)
        #expect(await bench.manager.status().first?.active.first?.health == .up)
        #expect(bench.store.all(#"a{instance="h:1", job="j"}"#).count == 1)
        await bench.manager.stop()
    }

    @Test("Targets of files follow the files; a bad file keeps what it had")
    func fileDiscovery() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = try directory.write("a.yml", "- {targets: ['h:1'], labels: {zone: x}}\n")
        let bench = Bench()
        let config = try job(
            "{job_name: j, scrape_interval: 1h, file_sd_configs: [{files: ['\(directory.path)/*.yml']}]}")
        await bench.manager.apply([config], externalLabels: .empty)
        func urls() async -> [String] { await bench.manager.status().first?.active.map(\.scrapeURL) ?? [] }
        /// Time goes on, as changes are handed on every five seconds.
        func passing(_ condition: () async -> Bool) async -> Bool {
            await eventually {
                bench.clock.advance(by: 100)
                return await condition()
            }
        }
        #expect(await eventually { await urls() == ["http://h:1/metrics"] })
        let labels = await bench.manager.status().first?.active.first?.discoveredLabels
        #expect(labels?["__meta_filepath"] == path)
        #expect(labels?["zone"] == "x")
        try directory.write("b.yml", #"[{"targets": ["h:2"]}]"#)
        #expect(await passing { await urls().count == 2 })
        try directory.write("a.yml", "- {targets: oops, nonsense: 1}\n")
        #expect(
            await passing { bench.registry.exposition().contains("prometheus_sd_file_read_errors_total 1\n") })
        #expect(await urls().count == 2)
        directory.delete("a.yml")
        #expect(await passing { await urls() == ["http://h:2/metrics"] })
        await bench.manager.stop()
    }
}

@Suite("Check of service discovery")
struct DiscoveryCheckTests {
    @Test("Each target found is shown once, with the labels before and after relabelling, or why it is none")
    func results() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = try directory.write("a.json", #"[{"targets":["f:1","f:1"],"labels":{"q":"a\"b"}}]"#)
        let config = try job(
            """
            job_name: j
            file_sd_configs: [{files: ['\(path)']}]
            static_configs: [{targets: ['s:1', 'd:1', 'bad/x']}]
            relabel_configs: [{source_labels: [__address__], regex: 'd.*', action: drop}]
            """)
        let results = await DiscoveryCheck.run(
            config, transport: ScriptedTransport(), clock: SystemClock(), timeout: 500)
        #expect(results.map { $0.discoveredLabels["__address__"] } == ["s:1", "d:1", "bad/x", "f:1"])
        #expect(results.map { $0.labels["instance"] } == ["s:1", nil, nil, "f:1"])
        #expect(results.map(\.error) == ["", "", "\"bad/x\" is not a valid hostname", ""])
        #expect(results.last?.discoveredLabels["__meta_filepath"] == path)
        #expect(results.last?.labels["__meta_filepath"] == nil)
        let text = DiscoveryCheck.json(Array(results.suffix(2)))
        #expect(text.hasPrefix("[\n  {\n    \"discoveredLabels\": {\n      \"__address__\": \"bad/x\",\n"))
        #expect(
            text.contains("\n    \"labels\": {},\n    \"error\": \"\\\"bad/x\\\" is not a valid hostname\"\n  },\n"))
        #expect(text.contains("      \"q\": \"a\\\"b\"\n    }\n  }\n]"))
        #expect(DiscoveryCheck.json([]) == "[]")
    }
}
