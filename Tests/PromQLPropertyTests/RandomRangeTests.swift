import PromQLEngine
import RandomPromQL
import SeriesModel
import TestSupport
import Testing

/// As `RangeAgainstInstantTests` of the engine, with random queries.
@Suite("Random queries over a range, and at its steps") struct RandomRangeTests {
    /// Left out, because there the answers may differ:
    /// - what speaks of the query itself: `start()`, `end()`, `step()`, `range()`, also in `@` and durations;
    /// - aggregations that depend on the order of series (sums in their last bit, `topk` among equals, `limitk`) over
    ///   what makes up an order of its own: groups stand in the order in which they were met, over all steps;
    /// - `sort` and its kin, which do nothing in a range query, and leave histograms out in an instant one;
    /// - failures of the range alone: two series may share labels at different times, and a range query refuses both.
    @Test("a range query equals the instant queries at its steps", arguments: Seeds.fixed(6))
    func equality(seed: UInt64) async throws {
        let random = RandomQueries(seed: seed, count: 60) {
            $0.usesQueryBounds = false
            $0.usesUnorderedOperands = false
        }
        let engine = RandomQueries.engine(try random.memoryStore())
        var answered = 0
        for query in random.queries {
            if try await check(query, engine, random) { answered += 1 }
        }
        #expect(answered > 20, "HEARTH_SEED=\(seed): too few of the queries have an answer")
    }

    /// - Returns: whether the range query had an answer with anything in it.
    private func check(_ query: String, _ engine: QueryEngine, _ random: RandomQueries) async throws -> Bool {
        let (start, step) = (RandomQueries.start, 97_000 + Int64(random.seed % 7) * 13_000)
        let times = (0..<12).map { start + $0 * step }
        let value: QueryValue
        do {
            value = try await engine.range(query, from: start, to: times[times.count - 1], step: step).value
        } catch {
            return false
        }
        let points = AnswerText.points(value)
        for time in times {
            do {
                let instant = AnswerText.points(try await engine.instant(query, at: time).value)
                let (range, wanted) = (points[time] ?? [:], instant[time] ?? [:])
                guard range != wanted else { continue }
                let labels = Set(range.keys).union(wanted.keys).filter { range[$0] != wanted[$0] }.min() ?? .empty
                Issue.record(
                    """
                    at \(time), of \(labels): range \(range[labels] ?? "nothing"), \
                    instant \(wanted[labels] ?? "nothing"); \(random.place(query))
                    """)
            } catch {
                Issue.record("at \(time) the instant query fails: \(error); \(random.place(query))")
            }
        }
        return !points.isEmpty
    }
}
