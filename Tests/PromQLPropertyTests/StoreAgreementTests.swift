import PromQLEngine
import PromQLTestKit
import RandomPromQL
import SeriesModel
import TestSupport
import Testing

/// A query does not see where its samples lie: in the plain arrays of a store in memory, in the head's chunks, in
/// blocks, or on both sides of a cut. Answers are equal to the last bit, with all messages.
///
/// Their order may differ where groups come out of an aggregation: one is finished with its last series, and a store
/// may offer series that turn out to have no sample in the range.
@Suite("Random queries over every kind of store") struct StoreAgreementTests {
    private static let minute: Int64 = 60_000

    @Test("head, blocks, and both together answer as the store in memory does", arguments: Seeds.fixed(2))
    func floats(seed: UInt64) async throws {
        try await check(RandomQueries(seed: seed, count: 50, hasHistograms: false))
    }

    /// Where chunks begin, the store has forgotten whether counters were reset: hints may differ, values may not.
    @Test("with native histograms too, but for hints on counter resets", arguments: Seeds.fixed(2))
    func histograms(seed: UInt64) async throws {
        try await check(RandomQueries(seed: seed, count: 50))
    }

    private func check(_ random: RandomQueries) async throws {
        // Far behind the end of all queries: a cut moves whatever is older.
        let later = RandomSeries(
            labels: ["__name__": "later"], samples: [StoredSample(RandomQueries.start + 1_000 * Self.minute, .float(1))]
        )
        let memory = try random.memoryStore()
        try memory.append(later.samples, to: later.labels)

        let head = try StoreFixture(blockRange: 2_000 * Self.minute)
        let both = try StoreFixture(blockRange: 7 * Self.minute)
        let blocks = try StoreFixture(blockRange: 7 * Self.minute)
        for fixture in [head, both, blocks] { try await fixture.append(random.series) }
        for fixture in [head, both] { try fixture.cut() }
        for fixture in [head, both, blocks] { try await fixture.append([later]) }
        try blocks.cut()
        #expect(head.blockCount == 0 && both.blockCount >= 2 && blocks.blockCount > both.blockCount)

        let reference = RandomQueries.engine(memory)
        let stores = [("head", head), ("both", both), ("blocks", blocks)].map { ($0, RandomQueries.engine($1.store)) }
        var answered = 0
        for query in random.queries {
            let range = await Self.range(query, reference)
            let instant = await Self.instant(query, reference)
            if range.hasData || instant.hasData { answered += 1 }
            for (name, engine) in stores {
                let ranges = await Self.range(query, engine).difference(from: range)
                #expect(ranges == nil, "\(name), range; \(random.place(query))")
                let instants = await Self.instant(query, engine).difference(from: instant)
                #expect(instants == nil, "\(name), instant; \(random.place(query))")
            }
        }
        #expect(answered > 20, "HEARTH_SEED=\(random.seed): too few of the queries have an answer")
    }

    private static func range(_ query: String, _ engine: QueryEngine) async -> Answer {
        await Answer(hidesHints: true) { () throws(QueryError) in
            try await engine.range(
                query, from: RandomQueries.start - minute, to: RandomQueries.start + 31 * minute, step: 2 * minute)
        }
    }

    private static func instant(_ query: String, _ engine: QueryEngine) async -> Answer {
        await Answer(hidesHints: true) { () throws(QueryError) in
            try await engine.instant(query, at: RandomQueries.start + 17 * minute)
        }.unordered
    }
}
