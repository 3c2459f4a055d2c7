import PromQLEngine
import PromQLTestKit
import SeriesModel
import TestSupport
import Testing

/// A range query must give at each step what an instant query gives at that time: the same code runs over one step or
/// many, but windows move, columns are shared and groups are folded.
@Suite struct RangeAgainstInstantTests {
    private static let queries = [
        "m", "m offset 90s", "m @ 300", "-m", "m > 20", "m > bool 20", "2 ^ m % 7", "m + on(a, b) m offset 1m",
        "m and on(a) m{b=\"1\"} > 30", "m or m offset 10m", "m unless on(b) (m > 50)",
        "sum(m)", "avg by (a) (m)", "min without (b) (m)", "max by (b) (m)", "count(m > 30)", "group by (a) (m)",
        "stddev by (a) (m)", "stdvar(m)", "quantile by (a) (0.3, m)", "topk(2, m)", "bottomk by (a) (1, m)",
        "count_values(\"v\", floor(m / 20))", "limitk(3, m)", "limit_ratio(0.5, m)",
        "rate(m[3m])", "increase(m[5m])", "delta(m[4m])", "irate(m[3m])", "idelta(m[3m])", "resets(m[10m])",
        "changes(m[10m])", "deriv(m[5m])", "predict_linear(m[5m], 60)", "sum_over_time(m[4m])",
        "avg_over_time(m[4m])", "min_over_time(m[4m])", "max_over_time(m[4m])", "count_over_time(m[4m])",
        "last_over_time(m[4m])", "first_over_time(m[4m])", "present_over_time(m[4m])", "stddev_over_time(m[6m])",
        "quantile_over_time(0.7, m[6m])", "mad_over_time(m[6m])", "ts_of_max_over_time(m[6m])",
        "double_exponential_smoothing(m[6m], 0.4, 0.3)", "absent(m{a=\"9\"})", "absent_over_time(m{a=\"1\"}[1m])",
        "max_over_time(sum by (a) (rate(m[2m]))[10m:45s])", "sum_over_time(m[5m:30s] offset 1m)",
        "increase(m[3m] anchored)", "rate(m[3m] smoothed)", "m smoothed", "scalar(m{a=\"1\", b=\"1\"}) + m",
        "timestamp(m)", "time() + m", "clamp(m, 10, 40)", "round(m, 5)",
        "label_replace(m, \"c\", \"$1\", \"a\", \"(.*)\")",
        "sum by (a) (m) / on(a) group_right m", "histogram_quantile(0.5, buckets)", "vector(time())", "hour(m * 1000)",
    ]

    private static func fixture(seed: UInt64) throws -> EngineFixture {
        let fixture = EngineFixture()
        var random = SeededRandom(seed: seed)
        for a in 1...3 {
            for b in 1...3 {
                var value = 0.0
                let values = (0..<60).map { _ -> Double? in
                    switch random.next() % 20 {
                    case 0: return nil
                    case 1: return StaleMarker.value
                    case 2: value = 0
                    case 3: return .nan
                    default: value += Double(random.next() % 1000) / 100
                    }
                    return value
                }
                try fixture.load(
                    ["__name__": "m", "a": "\(a)", "b": "\(b)"], every: 30_000 + Int64(b) * 7000, values)
            }
        }
        for (index, bound) in ["0.1", "1", "10", "+Inf"].enumerated() {
            let values = (0..<60).map { Double($0 * (index + 1)) + Double(random.next() % 3) }
            try fixture.load(["__name__": "buckets", "le": bound], every: 60_000, values)
        }
        return fixture
    }

    @Test("a range query equals the instant queries at its steps", arguments: queries)
    func equality(query: String) async throws {
        for seed: UInt64 in [1, 2, 3] {
            let fixture = try Self.fixture(seed: seed)
            let step: Int64 = 50_000 + Int64(seed) * 13_000
            let range = try await fixture.matrix(query, from: 0, to: 1_800_000, step: step)
            var points: [Timestamp: [LabelSet: UInt64]] = [:]
            for series in range {
                for (time, value) in zip(series.samples.timestamps, series.samples.values) {
                    points[time, default: [:]][series.labels] = Self.bits(value)
                }
            }
            for time in stride(from: Int64(0), through: 1_800_000, by: Int(step)) {
                let instant = try await fixture.vector(query, at: time)
                let wanted = Dictionary(uniqueKeysWithValues: instant.map { ($0.labels, Self.bits($0.value)) })
                #expect(points[time] ?? [:] == wanted, "seed \(seed), time \(time)")
            }
        }
    }

    /// All NaNs alike: results keep no promise on their payload.
    private static func bits(_ value: Double) -> UInt64 { value.isNaN ? 0x7FF8_0000_0000_0000 : value.bitPattern }
}
