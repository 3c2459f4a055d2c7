import ConfigTree
import Exposition
import SeriesModel
import StorageAPI
import Testing

@testable import Scrape

/// Scrapes from texts into a recording store, without network and clock.
private struct Bench {
    var history: TargetHistory
    let store = RecordingStore()
    var lastFailure: ScrapeFailure?
    var lastReport: ScrapeReport?
    var lastSettlement = TargetHistory.Settlement()

    init(_ config: ScrapeConfig = ScrapeConfig(jobName: "j"), target: Target = makeTarget()) {
        history = TargetHistory(target: target, config: config)
    }

    mutating func scrape(_ text: String, at stamp: Timestamp, format: ExpositionFormat = .text004) async throws {
        try await take(.body(Array(text.utf8), format), at: stamp)
    }

    mutating func fail(at stamp: Timestamp) async throws {
        try await take(.failure(ScrapeFailure(.fetch, "connection refused")), at: stamp)
    }

    private mutating func take(_ answer: TargetHistory.Answer, at stamp: Timestamp) async throws {
        let digest = history.digest(answer, stamp: stamp, duration: { 0.25 })
        lastFailure = digest.failure
        lastReport = digest.report
        lastSettlement = history.settle(digest, try await store.append(digest.batch))
        if lastSettlement.needsAnother {
            let again = history.digest(answer, stamp: stamp, duration: { 9 }, again: digest.report)
            _ = history.settle(again, try await store.append(again.batch))
        }
    }

    func values(_ name: String) -> [String] {
        store.all(name.contains("{") ? name : name + #"{instance="t:1", job="j"}"#).map(\.description)
    }
}

@Suite("What scrapes make of answers")
struct TargetHistoryTests {
    @Test("Samples get the target's labels and the scrape's timestamp; the report follows in the same batch")
    func plain() async throws {
        var bench = Bench()
        try await bench.scrape("a 1\nb{x=\"y\"} 2\n", at: 1000)
        #expect(bench.values("a") == ["1@1000"])
        #expect(bench.values(#"b{instance="t:1", job="j", x="y"}"#) == ["2@1000"])
        #expect(bench.values("up") == ["1@1000"])
        #expect(bench.values("scrape_duration_seconds") == ["0.25@1000"])
        #expect(bench.values("scrape_samples_scraped") == ["2@1000"])
        #expect(bench.values("scrape_samples_post_metric_relabeling") == ["2@1000"])
        #expect(bench.values("scrape_series_added") == ["2@1000"])
        #expect(bench.store.batchCount == 1)
    }

    @Test("The extra report series come when they are asked for")
    func extraReport() async throws {
        let config = try job("{job_name: j, extra_scrape_metrics: true, sample_limit: 7}")
        var bench = Bench(config)
        try await bench.scrape("a 1\n", at: 1000)
        #expect(bench.values("scrape_timeout_seconds") == ["10@1000"])
        #expect(bench.values("scrape_sample_limit") == ["7@1000"])
        #expect(bench.values("scrape_body_size_bytes") == ["4@1000"])
    }

    @Test("A series that vanishes gets one stale marker, and is new when it returns")
    func vanishing() async throws {
        var bench = Bench()
        try await bench.scrape("a 1\nb 1\nc 1\n", at: 1000)
        try await bench.scrape("a 2\nc 2\n", at: 2000)
        #expect(bench.lastReport?.seriesAdded == 0)
        try await bench.scrape("a 3\nc 3\n", at: 3000)
        try await bench.scrape("a 4\nb 4\nc 4\n", at: 4000)
        #expect(bench.lastReport?.seriesAdded == 1)
        #expect(bench.values("b") == ["1@1000", "stale@2000", "4@4000"])
        #expect(bench.values("a") == ["1@1000", "2@2000", "3@3000", "4@4000"])
    }

    @Test("A failed scrape marks everything once, says up 0, and the next good one goes on")
    func failure() async throws {
        var bench = Bench()
        try await bench.scrape("a 1\n", at: 1000)
        try await bench.fail(at: 2000)
        try await bench.fail(at: 3000)
        try await bench.scrape("a 4\n", at: 4000)
        #expect(bench.values("a") == ["1@1000", "stale@2000", "4@4000"])
        #expect(bench.values("up") == ["1@1000", "0@2000", "0@3000", "1@4000"])
        #expect(bench.lastReport?.seriesAdded == 0)
    }

    @Test(
        "A body with a mistake in it is taken not at all",
        arguments: [
            "a 2\nthis is no metric\n", "a 2\nb{x=\"1\",x=\"2\"} 3\n", "a 2\nb{x=\"\u{FFFD}\n", "a 2\nb one\n",
        ])
    func atomicity(text: String) async throws {
        var bench = Bench()
        try await bench.scrape("a 1\n", at: 1000)
        try await bench.scrape(text, at: 2000)
        #expect(bench.lastFailure?.kind == .parse)
        #expect(bench.values("a") == ["1@1000", "stale@2000"])
        #expect(bench.values("up") == ["1@1000", "0@2000"])
        #expect(!bench.store.series.contains { $0.metricName == "b" })
        try await bench.scrape("a 3\n", at: 3000)
        #expect(bench.values("a").last == "3@3000")
    }

    @Test("A label that occurs twice is named in the error")
    func duplicateLabel() async throws {
        var bench = Bench()
        try await bench.scrape("b{x=\"1\",x=\"2\"} 3\n", at: 2000)
        #expect(bench.lastFailure?.description.contains(#"label name "x" is not unique"#) == true)
    }

    @Test("A sample that occurs twice is counted, the first one stays and the scrape is good")
    func duplicateSample() async throws {
        var bench = Bench()
        try await bench.scrape("a 1\na 2\n", at: 1000)
        #expect(bench.lastFailure == nil)
        #expect(bench.lastSettlement.duplicateCount == 1)
        #expect(bench.values("a") == ["1@1000"])
        #expect(bench.values("scrape_samples_scraped") == ["2@1000"])
        try await bench.scrape("a 3\na 4\n", at: 2000)
        #expect(bench.lastSettlement.duplicateCount == 1)
        #expect(bench.values("a") == ["1@1000", "3@2000"])
    }

    @Test("Samples out of order are counted, the scrape is good")
    func outOfOrder() async throws {
        var bench = Bench()
        try await bench.scrape("a 1 5000\nb 1\n", at: 6000)
        try await bench.scrape("a 2 4000\nb 2\n", at: 7000)
        #expect(bench.lastFailure == nil)
        #expect(bench.lastSettlement.outOfOrderCount == 1)
        #expect(bench.values("up").last == "1@7000")
    }

    @Test("Series with timestamps of their own are not marked when they vanish, unless that is asked for")
    func ownTimestamps() async throws {
        for isTracked in [false, true] {
            var bench = Bench(try job("{job_name: j, track_timestamps_staleness: \(isTracked)}"))
            try await bench.scrape("a 1 900\n", at: 1000)
            try await bench.scrape("\n", at: 2000)
            #expect(bench.values("a") == (isTracked ? ["1@900", "stale@2000"] : ["1@900"]))
        }
    }

    @Test("A series may come with several timestamps, in the first scrape as in others")
    func severalTimestamps() async throws {
        var bench = Bench()
        try await bench.scrape("a 1 100\na 2 200\n", at: 1000)
        #expect(bench.values("a") == ["1@100", "2@200"])
        try await bench.scrape("a 3 300\na 4 400\n", at: 2000)
        #expect(bench.values("a") == ["1@100", "2@200", "3@300", "4@400"])
        #expect(bench.lastSettlement.duplicateCount == 0)
    }

    @Test("Stale markers and nothing else are never to be taken out of order")
    func markersInOrder() throws {
        var history = TargetHistory(target: makeTarget(), config: ScrapeConfig(jobName: "j"))
        let store = RecordingStore()
        func digest(_ text: String, at stamp: Timestamp) -> TargetHistory.Digest {
            history.digest(.body(Array(text.utf8), .text004), stamp: stamp, duration: { 0 })
        }
        let first = digest("a 1\nb 1\n", at: 1000)
        #expect(first.batch.rowsInOrder.isEmpty)
        let refs = (0..<first.batch.newSeries.count).map { SeriesRef(slot: UInt32($0), generation: 1) }
        var result = AppendResult()
        result.refs = refs
        _ = history.settle(first, result)
        let second = digest("b 1\n", at: 2000)
        #expect(second.batch.rowsInOrder == 1..<2)
        #expect(StaleMarker.isStale(second.batch.values[1]))
        _ = history.settle(second, AppendResult())
        let end = history.end(at: 3000)
        #expect(!end.isEmpty && end.rowsInOrder == 0..<end.count)
        #expect(store.batchCount == 0)
    }

    @Test("honor_timestamps false takes the scrape's time")
    func ignoredTimestamps() async throws {
        var bench = Bench(try job("{job_name: j, honor_timestamps: false}"))
        try await bench.scrape("a 1 900\n", at: 1000)
        try await bench.scrape("\n", at: 2000)
        #expect(bench.values("a") == ["1@1000", "stale@2000"])
    }

    @Test("Exposed labels that clash with the target's are renamed, or win where they are honoured")
    func honorLabels() async throws {
        let text = #"a{job="mine",exported_job="old",instance=""} 1"# + "\n"
        var renaming = Bench()
        try await renaming.scrape(text, at: 1000)
        let renamed = #"a{exported_exported_job="mine", exported_job="old", instance="t:1", job="j"}"#
        #expect(renaming.values(renamed) == ["1@1000"])
        var honoring = Bench(try job("{job_name: j, honor_labels: true}"))
        try await honoring.scrape(text, at: 1000)
        #expect(honoring.values(#"a{exported_job="old", job="mine"}"#) == ["1@1000"])
    }

    @Test("Relabelling drops and changes samples, and is done once for a line")
    func relabelling() async throws {
        let config = try job(
            """
            job_name: j
            metric_relabel_configs:
            - {source_labels: [__name__], regex: drop.*, action: drop}
            - {source_labels: [x], target_label: z}
            """)
        var bench = Bench(config)
        for stamp: Timestamp in [1000, 2000] {
            try await bench.scrape("drop_me 1\nkeep{x=\"1\"} 2\n", at: stamp)
        }
        #expect(bench.values(#"keep{instance="t:1", job="j", x="1", z="1"}"#) == ["2@1000", "2@2000"])
        #expect(bench.values("scrape_samples_scraped") == ["2@1000", "2@2000"])
        #expect(bench.values("scrape_samples_post_metric_relabeling") == ["1@1000", "1@2000"])
        #expect(bench.values("scrape_series_added") == ["1@1000", "0@2000"])
        #expect(!bench.store.series.contains { $0.metricName == "drop_me" })
    }

    @Test(
        "Each limit fails the scrape with its own words",
        arguments: [
            ("sample_limit: 1", "a 1\nb 1\n", "sample limit exceeded"),
            (
                "label_limit: 3", "a{x=\"1\",y=\"2\"} 1\n",
                "label_limit exceeded (metric: a, number of labels: 5, limit: 3)"
            ),
            (
                "label_name_length_limit: 9", "a{long_label=\"1\"} 1\n",
                "label_name_length_limit exceeded (metric: a, label name: long_label, length: 10, limit: 9)"
            ),
            (
                "label_value_length_limit: 5", "a{x=\"123456\"} 1\n",
                #"label_value_length_limit exceeded (metric: a, label name: x, value: "123456", length: 6, limit: 5)"#
            ),
        ])
    func limits(key: String, text: String, message: String) async throws {
        var bench = Bench(try job("{job_name: j, \(key)}"))
        try await bench.scrape(text, at: 1000)
        #expect(bench.lastFailure?.description == message)
        #expect(bench.values("up") == ["0@1000"])
    }

    @Test("Dropped samples and stale markers do not count against sample_limit")
    func sampleLimitExemptions() async throws {
        let config = try job(
            """
            {job_name: j, sample_limit: 2, metric_relabel_configs: [{source_labels: [__name__], regex: d, action: drop}]}
            """)
        var bench = Bench(config)
        try await bench.scrape("a 1\nb 1\nd 1\n", at: 1000)
        #expect(bench.lastFailure == nil)
        try await bench.scrape("c 1\ne 1\n", at: 2000)
        #expect(bench.lastFailure == nil)
        #expect(bench.values("a") == ["1@1000", "stale@2000"])
    }

    @Test("A label of extravagant length fails the scrape even where no limit is set")
    func hugeLabel() async throws {
        var bench = Bench()
        try await bench.scrape("a{x=\"\(String(repeating: "v", count: 100_000))\"} 1\n", at: 1000)
        #expect(bench.lastFailure?.kind == .labelLimit)
        #expect((bench.lastFailure?.description.utf8.count ?? 0) < 300)
    }

    @Test("Series that left the store are announced again with the same scrape's samples")
    func departedSeries() async throws {
        var bench = Bench()
        try await bench.scrape("a 1\nb 1\n", at: 1000)
        bench.store.forgetReferences()
        try await bench.scrape("a 2\nb 2\n", at: 2000)
        #expect(bench.lastSettlement.needsAnother)
        #expect(bench.values("a") == ["1@1000", "2@2000"])
        #expect(bench.values("b") == ["1@1000", "2@2000"])
        #expect(bench.values("up") == ["1@1000", "1@2000"])
        try await bench.scrape("a 3\nb 3\n", at: 3000)
        #expect(!bench.lastSettlement.needsAnother)
    }

    @Test("The end of a target marks all its series, the report's too")
    func end() async throws {
        var bench = Bench()
        try await bench.scrape("a 1\n", at: 1000)
        _ = try await bench.store.append(bench.history.end(at: 2000))
        for series in bench.store.series {
            #expect(bench.store.samples(series).last?.description == "stale@2000", "\(series)")
        }
    }

    @Test("Lines may come, go and change places without a wrong sample")
    func movingLines() async throws {
        var bench = Bench()
        var random: UInt64 = 42
        func next(_ bound: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % bound
        }
        var expected: [String: [String]] = [:]
        var alive: Set<String> = []
        for round in 1...60 {
            var names = (0..<40).filter { _ in next(4) > 0 }.map { "m\($0)" }
            for _ in 0..<next(5) where names.count > 1 { names.swapAt(next(names.count), next(names.count)) }
            let stamp = Timestamp(round * 1000)
            var text = ""
            for name in names {
                text += "\(name) \(round)\n"
                expected[name, default: []].append("\(round)@\(stamp)")
            }
            for name in alive.subtracting(names) { expected[name, default: []].append("stale@\(stamp)") }
            alive = Set(names)
            try await bench.scrape(text, at: stamp)
        }
        for (name, samples) in expected { #expect(bench.values(name) == samples, "\(name)") }
    }

    @Test("A target whose series are new each time does not fill the cache")
    func churn() async throws {
        var bench = Bench()
        for round in 0..<100 {
            let text = (0..<100).map { "m{r=\"\(round)\",i=\"\($0)\"} 1\n" }.joined()
            try await bench.scrape(text, at: Timestamp(round * 1000))
            #expect(bench.history.lineCount <= 1400)
        }
        for round in 0..<50 {
            let text = (0..<100).map { "bad{r=\"\(round)\",i=\"\($0)\"} 1\n" }.joined() + "!!!\n"
            try await bench.scrape(text, at: Timestamp(200_000 + round * 1000))
            #expect(bench.history.lineCount <= 1400)
        }
    }

    @Test("A scraped NaN is never taken for a stale marker")
    func nan() async throws {
        var bench = Bench()
        try await bench.scrape("a NaN\n", at: 1000)
        #expect(bench.values("a") == ["NaN@1000"])
    }

    @Test("Metadata is kept, replaced, and forgotten ten scrapes after its family vanished")
    func metadata() async throws {
        var bench = Bench()
        try await bench.scrape("# HELP a What it is.\n# TYPE a counter\na 1\n", at: 1000)
        #expect(bench.history.metadata.current["a"] == MetricMetadata(kind: .counter, help: "What it is."))
        try await bench.scrape("# HELP a Other.\n# TYPE a counter\na 1\n", at: 2000)
        #expect(bench.history.metadata.current["a"]?.help == "Other.")
        for round in 0..<10 {
            try await bench.scrape("b 1\n", at: Timestamp(3000 + round))
            #expect(bench.history.metadata.current["a"] != nil)
        }
        try await bench.scrape("b 1\n", at: 4000)
        #expect(bench.history.metadata.current["a"] == nil)
    }
}
