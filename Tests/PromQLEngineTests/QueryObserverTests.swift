import PromQLTestKit
import SelfMetrics
import SeriesModel
import Synchronization
import Testing

@testable import PromQLEngine

@Suite struct QueryObserverTests {
    @Test("a query is told with its text, times, origin and figures")
    func record() async throws {
        let observer = RecordingObserver()
        let store = MemoryStore()
        try store.append([StoredSample(0, .float(1))], to: ["__name__": "m"])
        let engine = QueryEngine(
            storage: store, options: EngineOptions(), metrics: MetricsRegistry(), observer: observer)
        var options = QueryOptions()
        options.origin = .ruleGroup(file: "f", name: "g")
        _ = try await engine.range("m", from: 0, to: 120_000, step: 60_000, options: options)
        _ = try await engine.instant("m + 1", at: 7)
        let records = observer.records
        #expect(records.map(\.text) == ["m", "m + 1"])
        #expect(records.map(\.start) == [0, 7])
        #expect(records.map(\.end) == [120_000, 7])
        #expect(records.map(\.step) == [60_000, 0])
        #expect(records.map(\.origin) == [.ruleGroup(file: "f", name: "g"), nil])
        #expect(records.allSatisfy { $0.error == nil && $0.statistics.totalQueryableSamples > 0 })
        #expect(observer.log == ["began m", "ended 1", "answered", "began m + 1", "ended 2", "answered"])
    }

    @Test("a query that fails is told with its error, a text that is no query is not told")
    func failures() async throws {
        let observer = RecordingObserver()
        let engine = QueryEngine(
            storage: BrokenStore(), options: EngineOptions(), metrics: MetricsRegistry(), observer: observer)
        _ = try? await engine.instant("m", at: 0)
        _ = try? await engine.instant("m", at: 0, options: QueryOptions(timeout: 0))
        _ = try? await engine.instant("m{", at: 0)
        _ = try? await engine.range("m[5m]", from: 0, to: 1, step: 1)
        #expect(
            observer.records.map(\.error) == [
                .storage("block/data: corrupt at byte 7: checksum"), .timeout("query timed out in query queue"),
            ])
        #expect(observer.records.allSatisfy { $0.statistics.execTotalTime > 0 })
    }

    @Test("subqueries without a resolution follow the default step as it is set")
    func defaultStep() async throws {
        let fixture = EngineFixture { $0.defaultSubqueryStep = 60_000 }
        try fixture.load(["__name__": "m"], every: 10_000, (0..<61).map { Double($0) })
        #expect(try await fixture.vector("count_over_time(m[10m:])", at: 600_000).map(\.value) == [10])
        fixture.engine.setDefaultSubqueryStep(30_000)
        #expect(fixture.engine.options.defaultSubqueryStep == 30_000)
        #expect(try await fixture.vector("count_over_time(m[10m:])", at: 600_000).map(\.value) == [20])
        fixture.engine.setDefaultSubqueryStep(0)
        #expect(fixture.engine.options.defaultSubqueryStep == 1)
    }
}

/// Keeps what it is told.
private final class RecordingObserver: QueryObserver {
    private struct State {
        var log: [String] = []
        var records: [QueryRecord] = []
        var tickets = 0
    }

    private let state = Mutex(State())

    var log: [String] { state.withLock { $0.log } }
    var records: [QueryRecord] { state.withLock { $0.records } }

    func queryBegan(_ text: String) -> Int {
        state.withLock { state in
            state.tickets += 1
            state.log.append("began \(text)")
            return state.tickets
        }
    }

    func queryEnded(_ ticket: Int) { state.withLock { $0.log.append("ended \(ticket)") } }

    func queryAnswered(_ record: QueryRecord) {
        state.withLock { state in
            state.log.append("answered")
            state.records.append(record)
        }
    }
}
