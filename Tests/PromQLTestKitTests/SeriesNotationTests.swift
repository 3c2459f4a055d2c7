import SeriesModel
import Testing

@testable import PromQLTestKit

@Suite struct SeriesNotationTests {
    /// Values in the notation of one value each.
    private func values(_ text: String) throws -> [String] {
        try SeriesNotation.parse("m " + text).values.map(\.description)
    }

    @Test(
        "items expand to positions",
        arguments: [
            ("", []),
            ("1 2.5 -3 +4 .5 5. 1e3 2E-1", ["1", "2.5", "-3", "4", "0.5", "5", "1000", "0.2"]),
            ("_ 1 _x2 2", ["_", "1", "_", "_", "2"]),
            ("_x0 7", ["7"]),
            ("3x2", ["3", "3", "3"]),
            ("1+2x3", ["1", "3", "5", "7"]),
            ("10-2.5x2", ["10", "7.5", "5"]),
            ("-1-1x1", ["-1", "-2"]),
            ("0x3", ["0", "0", "0", "0"]),
            ("010", ["8"]),
            ("Inf -inf nan NaN", ["+Inf", "-Inf", "NaN", "NaN"]),
            ("Inf+1x1", ["+Inf", "+Inf"]),
            ("stale 1", ["stale", "1"]),
            ("{{}} 1", ["{{}}", "1"]),
            ("{{count:1}}x1", ["{{count:1}}", "{{count:1}}"]),
            ("{{count:1 sum:2}}+{{count:2 sum:-1}}x2", ["{{count:1 sum:2}}", "{{count:3 sum:1}}", "{{count:5}}"]),
            (
                "{{count:5 buckets:[5]}}-{{count:1 buckets:[1]}}x1",
                ["{{count:5 buckets:[5]}}", "{{count:4 buckets:[4]}}"]
            ),
        ])
    func expansion(text: String, expected: [String]) throws {
        #expect(try values(text) == expected)
    }

    @Test(
        "what is no item is refused",
        arguments: [
            "Infx3", "NaNx2", "stalex2", "stale+1x2", "Stale", "1+2", "1x", "x2", "0x1F", "1_000", "5m", "1 x2", "1,2",
            "{count:1}", "{{count:1 count:2}}", "{{ count:1}}", "{{count: 1}}", "{{buckets:[]}}", "{{buckets:[ 1]}}",
            "{{nonsense:1}}", "{{count:+1}}", "{{z_bucket_w:-1}}", "{{counter_reset_hint:never}}",
            "{{count:1}}+{{count:1}}",
            "{{schema:1}}+{{schema:0}}x2", "{{count:1", "{{count:1sum:2}}", "1x99999999999", "{{}}1",
        ])
    func refusal(text: String) {
        #expect(throws: NotationError.self) { try values(text) }
    }

    @Test("metric descriptions take names, quoted names and escapes, and only equality")
    func metrics() throws {
        func labels(_ text: String) throws -> LabelSet { try SeriesNotation.parse(text).labels }
        #expect(try labels("up 1") == ["__name__": "up"])
        #expect(try labels("{} 1") == [:])
        #expect(try labels(#"a:b{l="x y",m='z'} 1"#) == ["__name__": "a:b", "l": "x y", "m": "z"])
        #expect(try labels(#"{"a.b", "c.d"="\n"} 1"#) == ["__name__": "a.b", "c.d": "\n"])
        #expect(throws: NotationError.self) { try labels(#"up{a!="b"} 1"#) }
        #expect(throws: NotationError.self) { try labels(#"up{a="b"}1"#) }
        #expect(throws: NotationError.self) { try labels("1 2") }
    }

    @Test("histogram literals set every field")
    func histogram() throws {
        let text =
            "{{Schema:-53 sum:-2 COUNT:Inf custom_values:[1 2.5] counter_reset_hint:Not_Reset offset:1 buckets:[3 4]}}"
        guard case .histogram(let literal) = try SeriesNotation.parse("m " + text).values.first else {
            Issue.record("no histogram")
            return
        }
        let histogram = literal.histogram
        #expect(literal.isHintWritten && histogram.counterResetHint == .notReset)
        #expect(histogram.schema == -53 && histogram.sum == -2 && histogram.count == .infinity)
        #expect(histogram.customBounds == [1, 2.5] && histogram.positiveBuckets == [3, 4])
        #expect(histogram.positiveSpans == [NativeHistogram.Span(offset: 1, length: 2)])

        guard
            case .histogram(let other) = try SeriesNotation.parse(
                "m {{schema:3  z_bucket:1 z_bucket_w:0.001 n_offset:-2 n_buckets:[1 0 2] }}"
            ).values.first
        else {
            Issue.record("no histogram")
            return
        }
        #expect(!other.isHintWritten && other.histogram.zeroCount == 1 && other.histogram.zeroThreshold == 0.001)
        #expect(other.histogram.negativeBuckets == [1, 0, 2])
        #expect(other.histogram.negativeSpans == [NativeHistogram.Span(offset: -2, length: 3)])
    }

    @Test("a series of sums takes whether its hint counts from the increment")
    func writtenHint() throws {
        func hints(_ text: String) throws -> [Bool] {
            try SeriesNotation.parse("m " + text).values.map {
                if case .histogram(let histogram) = $0 { return histogram.isHintWritten }
                return false
            }
        }
        #expect(try hints("{{counter_reset_hint:gauge}}+{{}}x1") == [false, false])
        #expect(try hints("{{}}+{{counter_reset_hint:gauge}}x1") == [true, true])
    }

    @Test(
        "start timestamps expand to offsets",
        arguments: [
            ("_ _x2 -30s", [nil, nil, nil, -30_000]),
            ("-30s-1mx2", [-30_000, -90_000, -150_000]),
            ("1ms-1mx1 0 0s +1m", [1, -59_999, 0, 0, 60_000]),
            ("-1sx1", [-1000, -1000]),
            ("0-1mx1", [0, -60_000]),
        ] as [(String, [Int64?])])
    func startOffsets(text: String, expected: [Int64?]) throws {
        #expect(try StartOffsetNotation.parse(" " + text) == expected)
    }

    @Test("bad start timestamps are refused", arguments: ["_x0", "5", "-1m-1m", "1h30", "x2", "1s2s", "-"])
    func badStartOffsets(text: String) {
        #expect(throws: NotationError.self) { try StartOffsetNotation.parse(" " + text) }
    }
}
