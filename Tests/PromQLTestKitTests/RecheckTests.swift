import PromQLEngine
import PromQLSyntax
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization
import Testing

@testable import PromQLTestKit

/// Gives other values from a certain selection on.
private final class FickleStore: Queryable {
    private let before: MemoryStore
    private let after: MemoryStore
    private let selectionsLeft: Mutex<Int>

    init(_ before: MemoryStore, _ after: MemoryStore, selections: Int) {
        self.before = before
        self.after = after
        selectionsLeft = Mutex(selections)
    }

    func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet] {
        let left = selectionsLeft.withLock { left in
            left -= 1
            return left
        }
        return try (left >= 0 ? before : after).select(selections, cancellation: cancellation)
    }

    func labelNames(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [String] {
        []
    }

    func labelValues(
        of name: String, matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [String] { [] }

    func series(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [LabelSet] { [] }
}

@Suite struct RecheckTests {
    /// The failure when the store changes after so many queries; nil if none is noticed.
    private func failure(_ text: String, afterQueries count: Int) async throws -> EvaluationFailure? {
        let (before, after) = (MemoryStore(), MemoryStore())
        try before.append([StoredSample(0, .float(1))], to: ["__name__": "m"])
        try after.append([StoredSample(0, .float(2))], to: ["__name__": "m"])
        let store = FickleStore(before, after, selections: count)
        let engine = QueryEngine(storage: store, options: ScriptRunner.engineOptions, metrics: MetricsRegistry())
        guard case .evaluate(let evaluation)? = try TestScript(text).commands.first else { return nil }
        do {
            try await EvaluationRun(engine: engine, evaluation: evaluation).run()
            return nil
        } catch {
            return error
        }
    }

    @Test("the query as a range query must give the same")
    func asRange() async throws {
        let failure = try await failure("eval instant at 1m m\n m 1", afterQueries: 1)
        #expect(failure?.query == "m (as a range query around 60000 ms)")
    }

    @Test("the query pinned to its time must give the same at each other time")
    func pinned() async throws {
        for (queries, time) in [(2, "-600000"), (4, "0"), (6, "12000"), (8, "60000"), (10, "600000")] {
            let failure = try await failure("eval instant at 1m m\n m 1", afterQueries: queries)
            #expect(failure?.query == "m @ 60.000 (at \(time) ms)")
        }
        #expect(try await failure("eval instant at 1m m\n m 1", afterQueries: 12) == nil)
    }

    @Test(
        "what depends on the evaluation time is not checked again",
        arguments: [
            ("eval instant at 0 m + 0 * time()\n {} 1", 2), ("eval instant at 0 m + 0 * start()\n {} 1", 1),
            ("eval instant at 0 sum_over_time((m + 0 * time())[1m:1m])\n {} 1", 8),
            ("eval instant at 0 m @ start()\n m 1", 7),
        ])
    func timeDependent(text: String, queries: Int) async throws {
        #expect(try await failure(text, afterQueries: queries) == nil)
        #expect(try await failure(text, afterQueries: queries - 1) != nil)
    }

    @Test("selectors and subqueries are pinned, not what lies inside subqueries")
    func pinning() throws {
        func pin(_ text: String) throws -> String? {
            guard case .evaluate(let evaluation)? = try TestScript("eval instant at 0 " + text).commands.first else {
                return nil
            }
            return PinnedExpression.pin(evaluation.expression, to: 5000)?.description
        }
        #expect(try pin("a + rate(b[5m])") == "a @ 5.000 + rate(b[5m] @ 5.000)")
        #expect(try pin("a @ 1 + a @ end()") == "a @ 1.000 + a @ 5.000")
        #expect(try pin("rate(a[5m:1m] offset 1m)") == "rate(a[5m:1m] @ 5.000 offset 1m)")
        #expect(try pin("topk(scalar(a), -(b))") == "topk(scalar(a @ 5.000), -(b @ 5.000))")
        #expect(try pin("hour(a)") == nil)
        #expect(try pin("sum_over_time(hour(a)[5m:])") == "sum_over_time(hour(a)[5m:] @ 5.000)")
    }
}
