import Exposition
import SeriesModel
import StorageAPI
import Testing

@testable import Scrape

@Suite("Starts of counters in scrapes")
struct ScrapedStartTests {
    private let store = RecordingStore()

    /// - Returns: the starts in the batch.
    private func scrape(
        _ history: inout TargetHistory, since start: String, at stamp: Timestamp
    ) async throws -> [Timestamp] {
        let text = "# TYPE g gauge\ng 1\n# TYPE c counter\nc_total \(stamp)\nc_created \(start)\n# EOF\n"
        let digest = history.digest(.body(Array(text.utf8), .openMetrics100), stamp: stamp, duration: { 0 })
        #expect(digest.failure == nil)
        for (row, _) in digest.batch.starts { #expect(digest.batch.values[row] == Double(stamp)) }
        let settlement = history.settle(digest, try await store.append(digest.batch))
        return settlement.needsAnother ? [-1] : digest.batch.starts.map(\.time)
    }

    @Test("go to the store when they are news")
    func news() async throws {
        var history = TargetHistory(target: makeTarget(), config: ScrapeConfig(jobName: "j"), takesStarts: true)
        #expect(try await scrape(&history, since: "0.5", at: 1000) == [500])
        #expect(try await scrape(&history, since: "0.5", at: 2000) == [])
        #expect(try await scrape(&history, since: "2.5", at: 3000) == [2500])
        #expect(try await scrape(&history, since: "2.5", at: 4000) == [])
        history.forgetNotes()
        #expect(try await scrape(&history, since: "2.5", at: 5000) == [2500])
        #expect(!store.series.contains { $0.metricName == "c_created" })
    }

    @Test("are left alone unless the feature is on")
    func off() async throws {
        var history = TargetHistory(target: makeTarget(), config: ScrapeConfig(jobName: "j"))
        #expect(try await scrape(&history, since: "0.5", at: 1000) == [])
        #expect(store.series.contains { $0.metricName == "c_created" })
    }

    @Test("have protobuf asked for first, unless the configuration names protocols")
    func protocols() throws {
        func protocols(_ text: String, global: String = "{}") throws -> [ExpositionFormat] {
            let globals = try ScrapeGlobals(yaml(global), baseDirectory: "/", prefersProtobuf: true)
            return try ScrapeConfig.parseAll([yaml(text)], globals: globals, baseDirectory: "/")[0].scrapeProtocols
        }
        #expect(try protocols("{job_name: j}") == ExpositionFormat.protobufFirst)
        #expect(try protocols("{job_name: j, scrape_protocols: [PrometheusText0.0.4]}") == [.text004])
        #expect(try protocols("{job_name: j}", global: "{scrape_protocols: [PrometheusText0.0.4]}") == [.text004])
    }
}
