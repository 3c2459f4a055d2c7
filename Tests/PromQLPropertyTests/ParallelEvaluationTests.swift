import PromQLEngine
import RandomPromQL
import TestSupport
import Testing

/// The work of a query is split by series, and folded in the order of the series: the number of threads is not seen.
@Suite("Random queries on one thread and on several") struct ParallelEvaluationTests {
    /// The engine splits where it expects many samples, so the window is weeks wide and the samples are hours apart.
    @Test("an answer does not depend on how many threads made it", arguments: Seeds.fixed(4))
    func equality(seed: UInt64) async throws {
        let hour: Int64 = 3_600_000
        let random = RandomQueries(seed: seed, count: 60, unit: 12 * hour, span: 60 * 24 * hour)
        let store = try random.memoryStore()
        let serial = RandomQueries.engine(store) {
            $0.parallelism = 1
            $0.lookbackDelta = 60 * hour
        }
        let parallel = RandomQueries.engine(store) {
            $0.parallelism = 2 + Int(seed % 3)
            $0.lookbackDelta = 60 * hour
        }
        var answered = 0
        for query in random.queries {
            let end = RandomQueries.start + 60 * 24 * hour
            let one = await Answer { () throws(QueryError) in
                try await serial.range(query, from: RandomQueries.start, to: end, step: 30 * hour)
            }
            let many = await Answer { () throws(QueryError) in
                try await parallel.range(query, from: RandomQueries.start, to: end, step: 30 * hour)
            }
            #expect(many.difference(from: one) == nil, "\(random.place(query))")
            if one.hasData { answered += 1 }
        }
        #expect(answered > 20, "HEARTH_SEED=\(seed): too few of the queries have an answer")
    }
}
