import Exposition
import SeriesModel
import StorageAPI
import Testing

@testable import Scrape

@Suite("Exemplars of scrapes")
struct ScrapedExemplarTests {
    private let store = RecordingStore()
    private static let series = #"c_total{instance="t:1", job="j"}"#

    /// Scrapes `c_total` with what stands behind its value.
    private func scrape(_ history: inout TargetHistory, _ rest: String, at stamp: Timestamp) async throws -> Int {
        let text = "# TYPE c counter\nc_total \(stamp)\(rest)\nplain 1\n# EOF\n"
        let answer = TargetHistory.Answer.body(Array(text.utf8), .openMetrics100)
        let digest = history.digest(answer, stamp: stamp, duration: { 0 })
        #expect(digest.failure == nil)
        var settlement = history.settle(digest, try await store.append(digest.batch))
        if settlement.needsAnother {
            let again = history.digest(answer, stamp: stamp, duration: { 0 }, again: digest.report)
            let second = history.settle(again, try await store.append(again.batch))
            settlement.exemplarsOutOfOrder += second.exemplarsOutOfOrder
        }
        return settlement.exemplarsOutOfOrder
    }

    private func exemplar(_ trace: String, _ value: Double, _ time: Timestamp) -> Exemplar {
        Exemplar(labels: ["trace_id": trace], value: value, timestamp: time)
    }

    @Test("go to the store when they have changed; one without a time has that of its sample")
    func changes() async throws {
        var history = TargetHistory(target: makeTarget(), config: ScrapeConfig(jobName: "j"))
        var late = 0
        late += try await scrape(&history, #" # {trace_id="a"} 0.5 0.75"#, at: 1000)
        late += try await scrape(&history, #" # {trace_id="a"} 0.5 0.75"#, at: 2000)
        late += try await scrape(&history, #" # {trace_id="b"} 0.5"#, at: 3000)
        late += try await scrape(&history, #" # {trace_id="b"} 0.5"#, at: 4000)
        late += try await scrape(&history, #" # {trace_id="b"} 1"#, at: 5000)
        late += try await scrape(&history, "", at: 6000)
        late += try await scrape(&history, #" # {trace_id="b"} 1 6"#, at: 7000)
        #expect(late == 0)
        #expect(
            store.exemplars(ScrapedExemplarTests.series) == [
                exemplar("a", 0.5, 750), exemplar("b", 0.5, 3000), exemplar("b", 1, 5000), exemplar("b", 1, 6000),
            ])
        #expect(store.all(ScrapedExemplarTests.series).count == 7)
    }

    @Test("out of order are counted")
    func outOfOrder() async throws {
        var history = TargetHistory(target: makeTarget(), config: ScrapeConfig(jobName: "j"))
        #expect(try await scrape(&history, #" # {trace_id="a"} 1 5"#, at: 1000) == 0)
        #expect(try await scrape(&history, #" # {trace_id="b"} 1 4"#, at: 2000) == 1)
    }

    @Test("are told again by labels when the store has forgotten the series")
    func forgotten() async throws {
        var history = TargetHistory(target: makeTarget(), config: ScrapeConfig(jobName: "j"))
        _ = try await scrape(&history, #" # {trace_id="a"} 1 0.5"#, at: 1000)
        store.forgetReferences()
        _ = try await scrape(&history, #" # {trace_id="b"} 1 1.5"#, at: 2000)
        #expect(store.exemplars(ScrapedExemplarTests.series) == [exemplar("a", 1, 500), exemplar("b", 1, 1500)])
    }

    @Test("are told again when the store has not taken what was scraped")
    func notStored() async throws {
        var history = TargetHistory(target: makeTarget(), config: ScrapeConfig(jobName: "j"))
        _ = try await scrape(&history, #" # {trace_id="a"} 1 0.5"#, at: 1000)
        _ = try await scrape(&history, #" # {trace_id="a"} 1 0.5"#, at: 2000)
        history.forgetNotes()
        _ = try await scrape(&history, #" # {trace_id="a"} 1 0.5"#, at: 3000)
        #expect(store.exemplars(ScrapedExemplarTests.series) == [exemplar("a", 1, 500), exemplar("a", 1, 500)])
    }

    @Test("of a scrape that fails go with it, and come with the next one")
    func failed() async throws {
        var history = TargetHistory(target: makeTarget(), config: ScrapeConfig(jobName: "j"))
        _ = try await scrape(&history, #" # {trace_id="a"} 1 0.5"#, at: 1000)
        let text = "# TYPE c counter\nc_total 2 # {trace_id=\"b\"} 1 1.5\nbroken\n# EOF\n"
        let digest = history.digest(.body(Array(text.utf8), .openMetrics100), stamp: 2000, duration: { 0 })
        #expect(digest.failure != nil)
        #expect(digest.batch.exemplars.isEmpty)
        _ = history.settle(digest, try await store.append(digest.batch))
        _ = try await scrape(&history, #" # {trace_id="b"} 1 1.5"#, at: 3000)
        #expect(store.exemplars(ScrapedExemplarTests.series) == [exemplar("a", 1, 500), exemplar("b", 1, 1500)])
    }

    @Test("of lines that relabelling drops, or with a label twice, are left out")
    func leftOut() async throws {
        let config = try job(
            "{job_name: j, metric_relabel_configs: [{source_labels: [__name__], regex: c.*, action: drop}]}")
        var history = TargetHistory(target: makeTarget(), config: config)
        for stamp in 1...3 {
            _ = try await scrape(&history, #" # {trace_id="a"} 1"#, at: Timestamp(stamp) * 1000)
        }
        #expect(store.exemplars(ScrapedExemplarTests.series).isEmpty)
        var other = TargetHistory(target: makeTarget(), config: ScrapeConfig(jobName: "j"))
        _ = try await scrape(&other, #" # {trace_id="a",trace_id="b"} 1"#, at: 9000)
        #expect(store.exemplars(ScrapedExemplarTests.series).isEmpty)
        #expect(store.all(ScrapedExemplarTests.series).count == 1)
    }
}
