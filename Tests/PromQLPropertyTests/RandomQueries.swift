import PromQLEngine
import PromQLTestKit
import RandomPromQL
import SelfMetrics
import SeriesModel
import StorageAPI
import TestSupport

/// The data, the times and the queries of one seed.
struct RandomQueries {
    /// 2026-01-01T00:00:00Z, ms
    static let start: Timestamp = 1_767_225_600_000

    let seed: UInt64
    let series: [RandomSeries]
    let queries: [String]

    /// - Parameters:
    ///   - unit: what durations in the queries are multiples of; twice the distance between samples. ms
    ///   - span: of the data, ms
    init(
        seed: UInt64, count: Int, unit: Int64 = 60_000, span: Int64 = 1_800_000, hasHistograms: Bool = true,
        _ adjust: (inout ExpressionGenerator.Options) -> Void = { _ in }
    ) {
        self.seed = seed
        var data = RandomSeries.Options(start: Self.start)
        data.span = span
        data.interval = unit / 2
        data.hasHistograms = hasHistograms
        series = RandomSeries.all(data, seed: seed)
        var options = ExpressionGenerator.Options(times: Self.start...Self.start + span)
        options.unit = unit
        options.usesHistograms = hasHistograms
        adjust(&options)
        var generator = ExpressionGenerator(options, seed: seed)
        queries = (0..<count).map { _ in generator.expression() }
    }

    func memoryStore() throws -> MemoryStore {
        let store = MemoryStore()
        for one in series { try store.append(one.samples, to: one.labels) }
        return store
    }

    /// How to see a failure again.
    func place(_ query: String) -> String { "HEARTH_SEED=\(seed) query: \(query)" }

    static func engine(
        _ storage: any Queryable, _ configure: (inout EngineOptions) -> Void = { _ in }
    ) -> QueryEngine {
        var options = EngineOptions()
        options.enablesExperimentalFunctions = true
        options.enablesExtendedRangeSelectors = true
        options.enablesFillModifiers = true
        configure(&options)
        return QueryEngine(storage: storage, options: options, metrics: MetricsRegistry())
    }
}
