import PromQLEngine
import PromQLTestKit
import RandomPromQL
import SelfMetrics
import SeriesModel
import TestSupport

extension FuzzTarget {
    /// Instant and range queries over random data, within small limits. Data and times follow from the query's bytes.
    static let evaluator = FuzzTarget(
        name: "evaluator", seeds: SeedQueries.all, words: SeedQueries.words,
        generate: { random in
            let start = EvaluatorTarget.start
            var generator = ExpressionGenerator(.init(times: start...start + 1_800_000), seed: random.next())
            return Array(generator.anyExpression().utf8)
        },
        makeRun: {
            let target = try EvaluatorTarget()
            return { input in try await target.run(input) }
        }, explain: EvaluatorTarget.explain)
}

private struct EvaluatorTarget: Sendable {
    /// 2026-01-01T00:00:00Z, ms
    static let start: Timestamp = 1_767_225_600_000
    private static let storeCount: UInt64 = 4

    private let engines: [QueryEngine]

    init() throws {
        var engines: [QueryEngine] = []
        for seed in 0..<Self.storeCount {
            let store = MemoryStore()
            for one in RandomSeries.all(.init(start: Self.start), seed: seed) {
                try store.append(one.samples, to: one.labels)
            }
            engines.append(QueryEngine(storage: store, options: Self.options(seed), metrics: MetricsRegistry()))
        }
        self.engines = engines
    }

    private static func options(_ index: UInt64) -> EngineOptions {
        var options = EngineOptions()
        options.enablesExperimentalFunctions = true
        options.enablesExtendedRangeSelectors = true
        options.enablesFillModifiers = true
        options.enablesDelayedNameRemoval = index == 1
        options.usesStartTimestamps = index == 2
        options.enablesTypeAndUnitLabels = index == 3
        options.parallelism = 1 + Int(index % 2)
        options.maxSamples = 200_000
        options.maxMemory = 64 << 20
        options.timeout = 1000
        return options
    }

    /// Grids as people ask for them, and as nobody should.
    private struct Times {
        let instant: Timestamp
        let from: Timestamp
        let to: Timestamp
        let step: Int64

        init(_ random: inout SeededRandom) {
            let inside = EvaluatorTarget.start + Int64(random.below(1_800_000))
            let extreme: [Timestamp] = [
                .min, .min + 1, -9_223_372_036_854_775, -1, 0, 1, 9_007_199_254_740_993, 253_402_300_799_999,
                9_223_372_036_854_775, .max - 1, .max,
            ]
            instant = random.chance(80) ? inside : random.pick(extreme)
            from = random.chance(80) ? EvaluatorTarget.start - 60_000 : random.pick(extreme)
            to = random.chance(80) ? from.addingClamped(random.pick([0, 600_000, 1_860_000])) : random.pick(extreme)
            step = random.pick([1, 1000, 15_000, 60_000, 61_234, 3_600_000, .max])
        }
    }

    static func explain(_ input: [UInt8]) -> String {
        let (store, times) = setting(input)
        return "store \(store), at \(times.instant), from \(times.from) to \(times.to) step \(times.step)"
    }

    /// The store and the times that belong to an input.
    private static func setting(_ input: [UInt8]) -> (store: Int, times: Times) {
        var random = SeededRandom(seed: StableHash.hash(input))
        return (random.below(Int(storeCount)), Times(&random))
    }

    func run(_ input: [UInt8]) async throws -> Bool {
        let (store, times) = Self.setting(input)
        let engine = engines[store]
        let query = String(decoding: input, as: UTF8.self)
        var isAnswered = false
        do throws(QueryError) {
            _ = try await engine.instant(query, at: times.instant)
            isAnswered = true
        } catch {
            try Self.check(error)
        }
        do throws(QueryError) {
            _ = try await engine.range(query, from: times.from, to: times.to, step: times.step)
            isAnswered = true
        } catch {
            try Self.check(error)
        }
        return isAnswered
    }

    /// A store in memory does not fail: an error of storage is one that the engine did not expect itself.
    private static func check(_ error: QueryError) throws {
        if case .storage(let text) = error { throw FuzzFinding("an unexpected error: \(text)") }
        if error.description.isEmpty { throw FuzzFinding("an error without a word") }
    }
}
