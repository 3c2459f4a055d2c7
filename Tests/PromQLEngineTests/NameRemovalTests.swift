import PromQLEngine
import PromQLTestKit
import SeriesModel
import Testing

/// The metric name goes at once, as on a server without the feature that delays it to the end of the evaluation. What
/// comes of the delay is told in the scripts.
@Suite struct NameRemovalTests {
    private static let sameLabels = QueryError.execution("vector cannot contain metrics with the same labelset")

    private func fixture() throws -> EngineFixture {
        let fixture = EngineFixture()
        try fixture.load(["__name__": "one", "a": "x"], [1, 2, 3])
        try fixture.load(["__name__": "two", "a": "x"], [10, 20, 30])
        try fixture.load(["__name__": "typed_total", "a": "y", "__type__": "counter", "__unit__": "s"], [1, 2, 3])
        return fixture
    }

    @Test(
        "series that differ by their names only cannot lose them, wherever in a query",
        arguments: [
            #"abs({a="x"})"#, #"-{a="x"}"#, #"{a="x"} * 2"#, #"{a="x"} > bool 2"#, #"rate({a="x"}[5m])"#,
            #"sum(abs({a="x"}))"#, #"count(-{a="x"})"#, #"label_replace(rate({a="x"}[5m]), "b", "c", "", "")"#,
            #"max_over_time((-{a="x"})[5m:1m])"#, #"{a="x"} + on (__name__) {a="x"}"#,
            #"sum({a="x"} + on (__name__, a) {a="x"})"#, #"{a="x"} + on (__name__) group_left () {a="x"}"#,
            #"histogram_quantile(0.5, label_replace({a="x"}, "le", "+Inf", "", ""))"#,
        ])
    func duplicates(query: String) async throws {
        let fixture = try fixture()
        await #expect(throws: Self.sameLabels) { try await fixture.engine.instant(query, at: 120_000) }
        await #expect(throws: Self.sameLabels) {
            try await fixture.engine.range(query, from: 120_000, to: 180_000, step: 60_000)
        }
    }

    @Test(
        "what comes after sees no name",
        arguments: [
            (#"sum by (__name__) (abs(one))"#, [:]),
            (#"label_replace(-one, "n", "$1", "__name__", "(.*)")"#, ["a": "x"]),
            (#"count by (__name__, a) (one * 2)"#, ["a": "x"]),
            (#"last_over_time((one + 1)[5m:1m])"#, ["a": "x"]),
            (#"last_over_time(one[5m])"#, ["__name__": "one", "a": "x"]),
            (#"+one"#, ["__name__": "one", "a": "x"]),
            (#"one > 1"#, ["__name__": "one", "a": "x"]),
            (#"one > bool 1"#, ["a": "x"]),
            (#"topk(1, one)"#, ["__name__": "one", "a": "x"]),
            (#"typed_total + 1"#, ["a": "y"]),
            (#"rate(typed_total[5m])"#, ["a": "y"]),
            (#"typed_total > 0"#, ["__name__": "typed_total", "a": "y", "__type__": "counter", "__unit__": "s"]),
            (#"label_replace(one, "__name__", "new", "", "")"#, ["__name__": "new", "a": "x"]),
        ] as [(String, LabelSet)])
    func names(query: String, labels: LabelSet) async throws {
        let fixture = try fixture()
        #expect(try await fixture.vector(query, at: 120_000).map(\.labels) == [labels])
    }

    @Test("what is said of a histogram itself names no metric, as the name is gone by then")
    func histogramInfos() async throws {
        let fixture = EngineFixture()
        let histogram = NativeHistogram(
            count: 5, sum: .nan, positiveSpans: [.init(offset: 0, length: 1)], positiveBuckets: [4])
        try fixture.store.append([StoredSample(0, .histogram(histogram))], to: ["__name__": "h"])
        try fixture.load(["__name__": "b_bucket", "le": "1"], [3])
        try fixture.load(["__name__": "b_bucket", "le": "2"], [2])
        try fixture.load(["__name__": "b_bucket", "le": "+Inf"], [4])
        func infos(_ query: String) async throws -> [String] {
            try await fixture.engine.instant(query, at: 0).infos
        }
        #expect(
            try await infos("histogram_quantile(0.9, h)")
                == ["PromQL info: input to histogram_quantile has NaN observations, result is NaN (1:25)"])
        let forced = try await infos("histogram_quantile(0.9, b_bucket)")
        #expect(forced.count == 1 && forced[0].contains("#histogram_quantile), from buckets 2 to 2"), "\(forced)")
    }
}
