import PromQLTestKit
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization
import Testing

@testable import PromQLEngine

@Suite struct LimitTests {
    @Test("a query that holds more samples than allowed is refused")
    func samples() async throws {
        let fixture = EngineFixture { $0.maxSamples = 100 }
        try fixture.load(["__name__": "m"], (0..<200).map { Double($0) })
        let refusal = QueryError.tooLarge(
            "query processing would load too many samples into memory in query execution")
        await #expect(throws: refusal) { try await fixture.engine.instant("sum_over_time(m[4h])", at: 12_000_000) }
        await #expect(throws: refusal) {
            try await fixture.engine.range("vector(1)", from: 0, to: 1_000_000, step: 1)
        }
        await #expect(throws: refusal) { try await fixture.engine.instant("sum_over_time(vector(1)[1d:1ms])", at: 0) }
        _ = try await fixture.engine.instant("sum_over_time(m[1h])", at: 12_000_000)
    }

    @Test("a query with no time left times out, and says where")
    func timeout() async throws {
        let fixture = EngineFixture()
        try fixture.load(["__name__": "m"], [1])
        let options = QueryOptions(timeout: 0)
        await #expect(throws: QueryError.timeout("query timed out in query queue")) {
            try await fixture.engine.instant("m", at: 0, options: options)
        }
    }

    @Test("a query that runs too long times out in its evaluation")
    func slowStore() async throws {
        let store = SlowStore(count: 10_000, delay: 5_000_000)
        let engine = QueryEngine(storage: store, options: EngineOptions(), metrics: MetricsRegistry())
        var refusal: QueryError?
        // On a busy machine a thread may take longer than that to begin.
        for timeout: Int64 in [50, 500, 5000] where store.readCount == 0 {
            refusal = await #expect(throws: QueryError.self) {
                try await engine.instant("sum(m)", at: 0, options: QueryOptions(timeout: timeout))
            }
        }
        #expect(refusal == .timeout("query timed out in expression evaluation"))
        #expect(store.readCount < 10_000)
    }

    @Test("cancelling the task stops the evaluation")
    func cancellation() async throws {
        let store = SlowStore(count: 100_000, delay: 1_000_000)
        let engine = QueryEngine(storage: store, options: EngineOptions(), metrics: MetricsRegistry())
        let task = Task { try await engine.instant("sum(m)", at: 0) }
        await store.hasBegun()
        task.cancel()
        await #expect(throws: QueryError.canceled("query was canceled in expression evaluation")) {
            try await task.value
        }
        #expect(store.readCount < 100_000)
    }

    @Test("a query that waits for a place leaves the queue when it is cancelled")
    func cancelledInQueue() async throws {
        let store = SlowStore(count: 100_000, delay: 1_000_000)
        var options = EngineOptions()
        options.maxConcurrency = 1
        let engine = QueryEngine(storage: store, options: options, metrics: MetricsRegistry())
        let running = Task { try await engine.instant("sum(m)", at: 0) }
        await store.hasBegun()
        let waiting = Task { try await engine.instant("1", at: 0) }
        waiting.cancel()
        await #expect(throws: QueryError.canceled("query was canceled in query queue")) { try await waiting.value }
        running.cancel()
        _ = await running.result
    }

    @Test("a query that waits for a place times out in the queue")
    func timedOutInQueue() async throws {
        let store = SlowStore(count: 100_000, delay: 1_000_000)
        var options = EngineOptions()
        options.maxConcurrency = 1
        let engine = QueryEngine(storage: store, options: options, metrics: MetricsRegistry())
        let running = Task { try await engine.instant("sum(m)", at: 0) }
        await store.hasBegun()
        await #expect(throws: QueryError.timeout("query timed out in query queue")) {
            try await engine.instant("1", at: 0, options: QueryOptions(timeout: 20))
        }
        running.cancel()
        _ = await running.result
    }

    @Test("what the store reports is passed on as its error")
    func storageError() async throws {
        let engine = QueryEngine(storage: BrokenStore(), options: EngineOptions(), metrics: MetricsRegistry())
        await #expect(throws: QueryError.storage("block/data: corrupt at byte 7: checksum")) {
            try await engine.instant("m", at: 0)
        }
    }

    @Test("times near the ends of what can be told are refused, not added up")
    func extremeTimes() async throws {
        let fixture = EngineFixture()
        try fixture.load(["__name__": "m"], [1, 2, 3])
        for time in [Timestamp.min, .max, .max - 1, 1 << 62, -(1 << 61)] {
            await #expect(throws: QueryError.self) { try await fixture.engine.instant("m", at: time) }
            await #expect(throws: QueryError.self) {
                try await fixture.engine.range("m", from: time, to: time, step: 1)
            }
        }
        await #expect(throws: QueryError.self) { try await fixture.engine.range("m", from: 0, to: 10, step: 0) }
        await #expect(throws: QueryError.self) { try await fixture.engine.range("m", from: 10, to: 0, step: 1) }
        await #expect(throws: QueryError.self) {
            try await fixture.engine.range("m", from: .min, to: .max, step: .max)
        }
    }

    @Test(
        "odd numbers in a query give an answer or an error, never a trap",
        arguments: [
            "m offset 290y", "m offset -290y", "m @ 9e15", "m @ -9e15", "sum_over_time(m[290y])",
            "sum_over_time(m[290y:290y])", "sum_over_time(m[290y:1ms])", "sum_over_time(m[1ms:290y] offset 290y)",
            "sum_over_time((m offset 290y)[290y:290y] offset 290y @ 9e15)", "topk(1e300, m)", "topk(-1e300, m)",
            "bottomk(Inf, m)", "limitk(NaN, m)", "limitk(-Inf, m)", "limit_ratio(1e300, m)", "quantile(NaN, m)",
            "quantile(1e300, m)", "day_of_year(m * 1e300)", "year(vector(-1e18))", "month(vector(NaN))",
            "days_in_month(vector(Inf))", "round(m, 0)", "round(m, NaN)", "m % 0", "0 ^ -m",
            "predict_linear(m[5m], 1e300)",
            "double_exponential_smoothing(m[5m], 0.5, 0.5)", "histogram_quantile(0.5, m)",
            "label_replace(m, \"a\", \"$9999999999\", \"b\", \"(.*)\")", "count_values(\"\", m)",
            "m[5m:] @ 1e300", "timestamp(m) * 1e300", "m offset (1e12)", "rate(m[1e9])", "m[step()]", "vector(time())",
            "sum_over_time(m[5m:1ms] offset -290y)", "increase(m[290y] smoothed)", "changes(m[290y] anchored)",
            "m smoothed offset 290y",
        ])
    func oddNumbers(query: String) async throws {
        let fixture = EngineFixture()
        try fixture.load(["__name__": "m"], [1, nil, .nan, .infinity, -0.0, .leastNonzeroMagnitude])
        for time: Timestamp in [0, 240_000, 1 << 55, -(1 << 55)] {
            _ = try? await fixture.engine.instant(query, at: time)
            _ = try? await fixture.engine.range(query, from: time, to: time + 600_000, step: 60_000)
        }
    }

    @Test("the deepest expression that parses is evaluated")
    func depth() async throws {
        let fixture = EngineFixture()
        let query = String(repeating: "-(", count: 200) + "vector(1)" + String(repeating: ")", count: 200)
        #expect(try await fixture.vector(query, at: 0).first?.value == 1)
        let chain = "vector(1)" + String(repeating: " + vector(1)", count: 450)
        #expect(try await fixture.vector(chain, at: 0).first?.value == 451)
    }
}

/// Has one sample in each of many series; each takes a while to read.
final class SlowStore: Queryable {
    private let count: Int
    /// ns
    private let delay: UInt64
    private let reads = Atomic(0)
    private let begun = AsyncStream<Void>.makeStream()

    init(count: Int, delay: UInt64) {
        self.count = count
        self.delay = delay
    }

    var readCount: Int { reads.load(ordering: .relaxed) }

    /// Returns when the first series is being read.
    func hasBegun() async {
        for await _ in begun.stream { return }
    }

    private struct Series: SeriesSet {
        let store: SlowStore
        var count: Int { store.count }

        func labels(at index: Int) -> LabelSet { ["__name__": "m", "n": "\(index)"] }

        func read(_ index: Int, into buffer: inout SampleBuffer) {
            if store.reads.add(1, ordering: .relaxed).newValue == 1 { store.begun.continuation.yield() }
            let end = EvaluationContext.monotonicNow() + store.delay
            while EvaluationContext.monotonicNow() < end {}
            buffer.append(0, 1)
        }
    }

    func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet] {
        selections.map { _ in Series(store: self) }
    }

    func labelNames(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) -> [String] { [] }

    func labelValues(
        of name: String, matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) -> [String] { [] }

    func series(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) -> [LabelSet] { [] }
}

/// Fails at each read.
struct BrokenStore: Queryable {
    private struct Series: SeriesSet {
        var count: Int { 1 }

        func labels(at index: Int) -> LabelSet { ["__name__": "m"] }

        func read(_ index: Int, into buffer: inout SampleBuffer) throws {
            throw StorageError.corruption(file: "block/data", offset: 7, reason: "checksum")
        }
    }

    func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet] {
        selections.map { _ in Series() }
    }

    func labelNames(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) -> [String] { [] }

    func labelValues(
        of name: String, matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) -> [String] { [] }

    func series(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) -> [LabelSet] { [] }
}
