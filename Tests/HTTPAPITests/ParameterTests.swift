import Foundation
import SeriesModel
import TestSupport
import Testing

@testable import HTTPAPI

@Suite("Request parameters")
struct ParameterTests {
    @Test(
        "a time is seconds or RFC 3339",
        arguments: [
            ("123", 123_000), ("123.123", 123_123), ("-1.5", -1500), ("1e3", 1_000_000), ("0", 0),
            ("2015-06-03T13:21:58.555Z", 1_433_337_718_555), ("2015-06-03T14:21:58.555+01:00", 1_433_337_718_555),
            ("2015-06-03T13:21:58.5559Z", 1_433_337_718_555), ("1969-12-31T23:59:59Z", -1000),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000), ("1582468023986", 1_582_468_023_986_000),
        ] as [(String, Int64)])
    func times(text: String, expected: Int64) throws {
        #expect(try TimeParameter.time(text) == expected)
    }

    @Test(
        "what is no time is refused with its text",
        arguments: [
            "", "abc", "NaN", "Inf", "-Inf", "2015-06-03 13:21:58", "2015-02-29T00:00:00Z", "2015-06-03T13:21:58",
            "2015-06-03T24:00:00Z", "2015-06-03T13:21:58.Z", "2015-06-03T13:21:58Zx",
        ])
    func badTimes(text: String) {
        let error = #expect(throws: ParameterFailure.self) { try TimeParameter.time(text) }
        #expect(error?.description == "cannot parse \(GoQuote.quote(text)) to a valid timestamp")
    }

    @Test("times beyond all reach are pinned, not trapped on")
    func extremeTimes() throws {
        #expect(try TimeParameter.time("1e300") == TimeParameter.maximum)
        #expect(try TimeParameter.time("-1e300") == TimeParameter.minimum)
        #expect(try TimeParameter.time("-292273086-05-16T16:47:06Z") == TimeParameter.minimum)
        #expect(try TimeParameter.time("+292277025-08-18T07:12:54.999999999Z") == TimeParameter.maximum)
    }

    @Test(
        "a duration is seconds or 1h30m",
        arguments: [
            ("123.333", 123_333), ("15s", 15_000), ("5m", 300_000), ("1m0s", 60_000), ("0.5", 500), ("-1", -1000),
        ]
            as [(String, Int64)])
    func durations(text: String, expected: Int64) throws {
        #expect(try TimeParameter.duration(text) == expected)
    }

    @Test(
        "what is no duration is refused",
        arguments: ["", "abc", "2015-06-03T13:21:58.555Z", "148966367200.372", "1e99", "NaN", "Inf", "1.5h"])
    func badDurations(text: String) {
        #expect(throws: ParameterFailure.self) { try TimeParameter.duration(text) }
    }

    @Test("the shared vectors of times hold")
    func conformanceTimes() throws {
        for item in try Conformance.cases("formats/api_time.json") {
            guard let text = item["in"] as? String else { continue }
            let time = try? TimeParameter.time(text)
            if item["error"] as? Bool == true {
                #expect(time == nil, "\(text)")
            } else if item["minimum"] as? Bool == true {
                #expect(time == TimeParameter.minimum)
            } else {
                #expect(time == (item["ms"] as? NSNumber)?.int64Value, "\(text)")
            }
        }
    }

    @Test("the shared vectors of durations hold")
    func conformanceDurations() throws {
        for item in try Conformance.cases("formats/api_step.json") {
            guard let text = item["in"] as? String else { continue }
            let duration = try? TimeParameter.duration(text)
            #expect(duration == (item["ms"] as? NSNumber)?.int64Value, "\(text)")
        }
    }

    // MARK: Forms

    @Test("a form keeps repeated names in order, decodes, and leaves out what is malformed")
    func forms() {
        let form = FormParameters(encoded: "a=1&b=x+y%2Bz&a=2&c&%zz=1&d=%4&e==".utf8)
        #expect(form["a"] == "1")
        #expect(form.all("a") == ["1", "2"])
        #expect(form["b"] == "x y+z")
        #expect(form["c"] == "")
        #expect(form["d"] == "")
        #expect(form["e"] == "=")
        #expect(form["missing"] == "")
    }

    // MARK: Names in paths

    @Test(
        "escaped names are decoded, malformed ones stay as they are",
        arguments: [
            ("U__service_2e_name", "service.name"), ("U___4f60_", "你"), ("U__a__b", "a_b"), ("plain", "plain"),
            ("U__a_", "U__a_"), ("U__a_zz_", "U__a_zz_"), ("U__a_1234567_", "U__a_1234567_"),
            ("U__a_d800_", "U__a_d800_"),
            ("U__", ""), ("", ""),
        ])
    func names(text: String, expected: String) {
        #expect(LabelNameEscaping.unescape(text) == expected)
    }

    @Test("the shared vectors of escaped names hold")
    func conformanceNames() throws {
        for item in try Conformance.cases("formats/name_unescape.json") {
            guard let text = item["input"] as? String, let expected = item["unescaped"] as? String else { continue }
            #expect(LabelNameEscaping.unescape(text) == expected)
        }
    }

    // MARK: Dates

    @Test("dates are written as RFC 3339 and as HTTP writes them, before the epoch too")
    func dates() {
        #expect(CivilTime(1_433_337_718_550).rfc3339 == "2015-06-03T13:21:58.55Z")
        #expect(CivilTime(951_782_400_000).rfc3339 == "2000-02-29T00:00:00Z")
        #expect(CivilTime(-1).rfc3339 == "1969-12-31T23:59:59.999Z")
        #expect(CivilTime(784_111_777_000).httpDate == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(CivilTime(-86_400_000).httpDate == "Wed, 31 Dec 1969 00:00:00 GMT")
    }

    @Test("a date that is written reads back, over four centuries")
    func datesRoundTrip() throws {
        for day in stride(from: Int64(-150_000), to: 150_000, by: 37) {
            let time = day * 86_400_000 + 12_345_678
            #expect(try TimeParameter.time(CivilTime(time).rfc3339) == time)
        }
    }

    // MARK: Headers

    @Test(
        "the first encoding that the client names is taken",
        arguments: [
            ("gzip, deflate", "gzip"), ("deflate, gzip;q=1.0", "deflate"), ("br, gzip", "gzip"), ("gzip;q=0", nil),
            ("identity", nil), ("", nil), ("GZIP", "gzip"),
        ] as [(String, String?)])
    func encodings(header: String, expected: String?) {
        #expect(ContentEncoding.preferred(header)?.rawValue == expected)
    }

    @Test(
        "OpenMetrics is sent to who prefers it",
        arguments: [
            ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", true), ("text/plain", false), ("", false),
            ("application/openmetrics-text;q=0.1, text/plain;q=0.9", false), ("*/*", false),
            ("application/openmetrics-text; version=1.0.0; q=0.75, text/plain; q=0.5", true),
        ])
    func exposition(accept: String, expected: Bool) {
        #expect(APIRoutes.prefersOpenMetrics(accept) == expected)
    }

    @Test(
        "listen addresses are read",
        arguments: [
            ("0.0.0.0:9090", "0.0.0.0:9090"), (":9090", "0.0.0.0:9090"), ("[::1]:80", "[::1]:80"),
            ("localhost:0", "localhost:0"), ("9090", nil), ("a:b", nil), ("a:70000", nil), ("::1:80", nil),
        ] as [(String, String?)])
    func addresses(text: String, expected: String?) {
        #expect(ListenAddress(text)?.description == expected)
    }
}
