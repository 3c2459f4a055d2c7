import PromQLEngine
import PromQLSyntax
import SelfMetrics
import SeriesModel
import Testing

@Suite struct EngineTests {
    @Test("values of each type: scalar, string, vector, matrix")
    func types() async throws {
        let fixture = EngineFixture()
        try fixture.load(["__name__": "m"], [1, 2])
        guard case .scalar(5000, 3) = try await fixture.engine.instant("1 + 2", at: 5000).value else {
            Issue.record("no scalar")
            return
        }
        guard case .string(0, "x") = try await fixture.engine.instant("\"x\"", at: 0).value else {
            Issue.record("no string")
            return
        }
        guard case .matrix(let series) = try await fixture.engine.instant("m[5m]", at: 60_000).value else {
            Issue.record("no matrix")
            return
        }
        #expect(series.map(\.samples.values) == [[1, 2]])
        #expect(try await fixture.vector("m", at: 60_000).map(\.value) == [2])
    }

    @Test("a text that is no query, and a type that has no range, are refused as parse errors")
    func parseErrors() async throws {
        let fixture = EngineFixture()
        await #expect(throws: QueryError.parse("1:3: parse error: unexpected end of input")) {
            try await fixture.engine.instant("m+", at: 0)
        }
        await #expect(
            throws: QueryError.parse(
                "invalid expression type \"range vector\" for range query, must be Scalar or instant Vector")
        ) {
            try await fixture.engine.range("m[5m]", from: 0, to: 1, step: 1)
        }
    }

    @Test("an expression that is parsed already is evaluated without its text being parsed again")
    func parsed() async throws {
        let fixture = EngineFixture()
        try fixture.load(["__name__": "m"], [7])
        let expression = try Parser.parse("m * 2")
        let result = try await fixture.engine.instant(expression, text: "m * 2", at: 0)
        guard case .vector(let samples) = result.value else {
            Issue.record("no vector")
            return
        }
        #expect(samples.map(\.value) == [14])
    }

    @Test("the result of a range query is sorted by labels, of scalars one series without labels")
    func ranges() async throws {
        let fixture = EngineFixture()
        for name in ["c", "a", "b"] { try fixture.load(["__name__": "m", "n": name], [1]) }
        let series = try await fixture.matrix("m", from: 0, to: 120_000, step: 60_000)
        #expect(series.map { $0.labels["n"] } == ["a", "b", "c"])
        #expect(
            series.map(\.samples.timestamps) == [[0, 60_000, 120_000], [0, 60_000, 120_000], [0, 60_000, 120_000]])
        let scalar = try await fixture.matrix("time()", from: 0, to: 2000, step: 1000)
        #expect(scalar.map(\.labels) == [.empty])
        #expect(scalar.map(\.samples.values) == [[0, 1, 2]])
    }

    @Test("stored bits come through unchanged: a negative zero and the payload of a NaN")
    func bits() async throws {
        let fixture = EngineFixture()
        let odd = Double(bitPattern: 0x7FF8_0000_0000_BEEF)
        try fixture.load(["__name__": "m"], [-0.0, odd])
        let series = try await fixture.matrix("m", from: 0, to: 60_000, step: 60_000)
        #expect(series.first?.samples.values.map(\.bitPattern) == [(-0.0).bitPattern, odd.bitPattern])
    }

    @Test("the lookback of a single query may be another than the engine's")
    func lookback() async throws {
        let fixture = EngineFixture()
        try fixture.load(["__name__": "m"], [1])
        let short = QueryOptions(lookbackDelta: 1000)
        guard case .vector(let none) = try await fixture.engine.instant("m", at: 1000, options: short).value else {
            return
        }
        #expect(none.isEmpty)
        #expect(try await fixture.vector("m", at: 1000).count == 1)
    }

    @Test("samples are counted as upstream counts them")
    func statistics() async throws {
        let fixture = EngineFixture()
        try fixture.load(["__name__": "m", "n": "1"], [Double?](repeating: 1, count: 10))
        try fixture.load(["__name__": "m", "n": "2"], [Double?](repeating: 1, count: 10))
        let instant = try await fixture.engine.instant("m", at: 540_000)
        #expect(instant.statistics.totalQueryableSamples == 2)
        let window = try await fixture.engine.instant("sum_over_time(m[5m])", at: 540_000)
        #expect(window.statistics.totalQueryableSamples == 10)
        let range = try await fixture.engine.range("rate(m[2m])", from: 240_000, to: 540_000, step: 60_000)
        #expect(range.statistics.totalQueryableSamples == 24)
        #expect(range.statistics.peakSamples > 0)
        #expect(range.statistics.execTotalTime > 0)
    }

    @Test("annotations come in the order of their places, at most ten, and the rest counted")
    func annotations() async throws {
        let fixture = EngineFixture()
        let query = (1...12).map { "histogram_quantile(\($0 + 1), vector(1))" }.joined(separator: " or ")
        try fixture.load(["__name__": "m"], [1])
        let result = try await fixture.engine.instant(query, at: 0)
        #expect(result.warnings.count == 11)
        #expect(
            result.warnings.first == "PromQL warning: quantile value should be between 0 and 1, got 2 (1:20)")
        #expect(result.warnings.last == "3 more warning annotations omitted")
    }

    @Test("the engine's metrics are there from the start and follow the queries")
    func metrics() async throws {
        let fixture = EngineFixture { $0.maxConcurrency = 7 }
        let before = fixture.metrics.exposition()
        for line in [
            "prometheus_engine_queries 0", "prometheus_engine_queries_concurrent_max 7",
            "prometheus_engine_query_log_enabled 0", "prometheus_engine_query_log_failures_total 0",
            "prometheus_engine_query_samples_total 0",
            "prometheus_engine_query_duration_seconds_count{slice=\"inner_eval\"} 0",
        ] {
            #expect(before.contains(line), "\(line)")
        }
        try fixture.load(["__name__": "m"], [1])
        _ = try await fixture.vector("m", at: 0)
        let after = fixture.metrics.exposition()
        #expect(after.contains("prometheus_engine_query_samples_total 1"))
        #expect(after.contains("prometheus_engine_queries 0"))
        #expect(after.contains("prometheus_engine_query_duration_seconds_count{slice=\"queue_time\"} 1"))
    }

    @Test("equal selectors of a query are selected once, all in one call")
    func sharedSelectors() async throws {
        let store = CountingStore()
        let engine = QueryEngine(storage: store, options: EngineOptions(), metrics: MetricsRegistry())
        _ = try await engine.instant("m / m + n + sum(m) + rate(m[7m])", at: 0)
        #expect(store.calls == [["m", "n", "m"]])
    }
}
