import PromQLEngine
import PromQLTestKit
import SeriesModel
import Testing

/// What features switch on is off without them, with an error that names the flag; and what they change, changes.
@Suite struct FeatureFlagTests {
    private func plain(_ configure: (inout EngineOptions) -> Void = { _ in }) -> EngineFixture {
        EngineFixture { options in
            options = EngineOptions()
            configure(&options)
        }
    }

    @Test(
        "an element that needs a flag is refused, and the error says which",
        arguments: [
            (
                "mad_over_time(m[5m])", "1:1: parse error: function \"mad_over_time\" is not enabled",
                "experimental-functions"
            ),
            ("1 + max_of(1, 2)", "1:5: parse error: function \"max_of\" is not enabled", "experimental-functions"),
            ("sum(start())", "1:5: parse error: function \"start\" is not enabled", "experimental-functions"),
            ("info(m)", "1:1: parse error: function \"info\" is not enabled", "experimental-functions"),
            (
                "sort_by_label(m, \"a\")", "1:1: parse error: function \"sort_by_label\" is not",
                "experimental-functions"
            ),
            ("limitk(1, m)", "1:1: parse error: limitk() is experimental", "experimental-functions"),
            ("limit_ratio(1, m)", "1:1: parse error: limit_ratio() is experimental", "experimental-functions"),
            ("m + fill(0) m", "1:1: parse error: binop fill modifiers are experimental", "binop-fill-modifiers"),
            ("rate(m[5m] anchored)", "1:6: parse error: anchored modifier is experimental", "extended-range-selectors"),
            ("m smoothed", "1:1: parse error: smoothed modifier is experimental", "extended-range-selectors"),
            ("holt_winters(m[5m], 0.5, 0.5)", "1:1: parse error: unknown function with name \"holt_winters\"", ""),
        ])
    func refused(query: String, beginning: String, flag: String) async throws {
        let fixture = plain()
        do {
            _ = try await fixture.engine.instant(query, at: 0)
            Issue.record("\(query) was evaluated")
        } catch {
            let text = error.description
            #expect(text.hasPrefix(beginning), "\(text)")
            #expect(text.contains(flag.isEmpty ? "" : "--enable-feature=promql-" + flag), "\(text)")
        }
    }

    @Test(
        "computed durations, first_over_time and quoted names need no flag",
        arguments: [
            "sum_over_time(m[30s * 2])", "first_over_time(m[1m])", #"{"m"}"#, "m offset (1m - 60)", "m @ start()",
        ])
    func stable(query: String) async throws {
        let fixture = plain()
        try fixture.load(["__name__": "m"], [3])
        #expect(try await fixture.vector(query, at: 0).map(\.value) == [3])
    }

    @Test("with type labels a counter is told by its type, not by its name")
    func typeLabels() async throws {
        let fixture = plain { $0.enablesTypeAndUnitLabels = true }
        try fixture.load(["__name__": "speed", "__type__": "gauge"], [1, 2, 3])
        try fixture.load(["__name__": "hits", "__type__": "counter"], [1, 2, 3])
        try fixture.load(["__name__": "old_total"], [1, 2, 3])
        func infos(_ query: String) async throws -> [String] {
            try await fixture.engine.instant(query, at: 120_000).infos
        }
        let stem =
            "PromQL info: metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\""
        #expect(try await infos("rate(speed[5m])") == [stem + ", got \"gauge\": \"speed\" (1:6)"])
        #expect(try await infos("increase(hits[5m])") == [])
        #expect(try await infos("increase(old_total[5m])") == [stem + ", got \"\": \"old_total\" (1:10)"])
    }

    @Test("start timestamps count only where they are in use")
    func startTimestamps() async throws {
        func increase(uses: Bool, _ query: String) async throws -> [Double] {
            let fixture = plain {
                $0.usesStartTimestamps = uses
                $0.enablesExperimentalFunctions = true
            }
            let samples = [(60_000, 5.0, 30_000), (120_000, 8.0, 90_000)].map { time, value, start in
                StoredSample(Timestamp(time), .float(value), startTimestamp: Timestamp(start))
            }
            try fixture.store.append(samples, to: ["__name__": "c_total"])
            return try await fixture.vector(query, at: 120_000).map(\.value)
        }
        #expect(try await increase(uses: true, "resets(c_total[2m])") == [1])
        #expect(try await increase(uses: false, "resets(c_total[2m])") == [0])
        #expect(try await increase(uses: true, "increase(c_total[2m])") == [13])
        #expect(try await increase(uses: false, "increase(c_total[2m])") == [6])
        #expect(try await increase(uses: true, "start_timestamp(c_total)") == [90])
        #expect(try await increase(uses: false, "start_timestamp(c_total)") == [])
    }
}
