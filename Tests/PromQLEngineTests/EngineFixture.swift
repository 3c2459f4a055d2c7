import PromQLEngine
import PromQLTestKit
import SelfMetrics
import SeriesModel
import StorageAPI

/// An engine over a store in memory.
struct EngineFixture {
    let store = MemoryStore()
    let metrics = MetricsRegistry()
    let engine: QueryEngine

    init(_ configure: (inout EngineOptions) -> Void = { _ in }) {
        var options = EngineOptions()
        options.enablesExperimentalFunctions = true
        options.enablesExtendedRangeSelectors = true
        options.enablesFillModifiers = true
        configure(&options)
        engine = QueryEngine(storage: store, options: options, metrics: metrics)
    }

    /// - Parameter values: one for each step from 0 on; nil for no sample.
    func load(_ labels: LabelSet, every step: Int64 = 60_000, _ values: [Double?]) throws {
        let samples = values.enumerated().compactMap { index, value in
            value.map { StoredSample(Int64(index) * step, .float($0)) }
        }
        try store.append(samples, to: labels)
    }

    func vector(_ query: String, at time: Timestamp) async throws -> [VectorSample] {
        guard case .vector(let samples) = try await engine.instant(query, at: time).value else { return [] }
        return samples
    }

    func matrix(_ query: String, from start: Timestamp, to end: Timestamp, step: Int64) async throws -> [MatrixSeries] {
        guard case .matrix(let series) = try await engine.range(query, from: start, to: end, step: step).value else {
            return []
        }
        return series
    }
}
