import Testing

@testable import PromQLTestKit

/// What a script can say about a result.
private enum ExpectationKind: CaseIterable {
    case value, sign, missingSeries, extraSeries, labels, emptyResult, order
    case scalar, string, typeScalar, typeString, typeVector, typeRangeVector
    case histogramCount, histogramSum, zeroCount, zeroThreshold, schema, positiveBuckets, negativeBuckets, bucketOffset
    case customBounds, counterResetHint, histogramOrFloat, histogramNaN
    case points, gap, pointCount, pointTime, rangeVector, rangeVectorTimes
    case failure, noFailure, failureText, failurePattern
    case warning, warningText, unmetWarning, unlistedWarning, noWarning
    case info, infoText, unmetInfo, unlistedInfo, noInfo
}

/// An evaluation that holds, and the one place where it is spoilt.
private struct Row: CustomStringConvertible {
    var kind: ExpectationKind
    var right: String
    var old: String
    var new: String

    init(_ kind: ExpectationKind, _ right: String, _ old: String, _ new: String) {
        self.kind = kind
        self.right = right
        self.old = old
        self.new = new
    }

    var spoilt: String { right.replacing(old, with: new) }

    var description: String { "\(kind): \(old) -> \(new)\n\(right)" }
}

/// For each kind of expectation: the runner takes what is right, and fails where exactly one thing is wrong.
@Suite struct SpoiltExpectationTests {
    private static let data = """
        load 1m
          m_total{x="a"} 0+60x20
          g{x="a"} 1 2 3 _ 5 stale
          g{x="b"} 4 4 4 4 4 4
          z 0 0 0
          n NaN NaN NaN
          h {{schema:1 count:6 sum:4 z_bucket:1 z_bucket_w:0.01 buckets:[1 2] n_offset:2 n_buckets:[2]}}x5
          c {{schema:-53 count:3 sum:4 custom_values:[1 2] buckets:[1 2]}}x5
          u {{count:1 sum:NaN buckets:[1]}}x5


        """
    private static let instant = "eval instant at 1m g\n g{x=\"a\"} 2\n g{x=\"b\"} 4"
    private static let range = "eval range from 0 to 4m step 1m g\n g{x=\"a\"} 1 2 3 3 5\n g{x=\"b\"} 4 4 4 4 4"
    private static let window = "eval range from 0 to 4m step 1m last_over_time(g{x=\"a\"}[1m])\n g{x=\"a\"} 1 2 3 _ 5"
    private static let vector =
        "eval instant at 9m g{x=\"a\"}[3m]\n expect range vector from 0m to 2m step 1m\n g{x=\"a\"} 1 2 3"
    private static let histogram =
        "eval instant at 1m h\n h {{schema:1 count:6 sum:4 z_bucket:1 z_bucket_w:0.01 buckets:[1 2] n_offset:2 "
        + "n_buckets:[2] counter_reset_hint:not_reset}}"
    private static let custom =
        "eval instant at 1m c\n c {{schema:-53 count:3 sum:4 custom_values:[1 2] buckets:[1 2]}}"
    private static let failing = "eval instant at 1m label_replace(g, \"x\", \"\", \"x\", \".*\")\n expect fail"
    private static let warning = "eval instant at 1m quantile(2, g)\n {} +Inf\n expect warn"
    private static let warningText =
        " msg: PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"
    private static let info = "eval instant at 2m rate(g{x=\"b\"}[2m])\n {x=\"b\"} 0\n expect info"
    private static let infoText =
        " msg: PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"g\" (1:6)"
    private static let twoWarnings =
        "eval instant at 1m quantile(2, g) + quantile(3, g)\n {} +Inf\n expect warn regex: got 2\n"
        + " expect warn regex: got 3"
    private static let twoInfos =
        "eval instant at 2m rate(g{x=\"b\"}[2m]) + rate(z[2m])\n expect info regex: \"g\"\n expect info regex: \"z\""

    private static let values: [Row] = [
        Row(.value, instant, "} 2", "} 2.00001"),
        Row(.value, instant, "} 2", "} NaN"),
        Row(.value, "eval instant at 1m n\n n NaN", "n NaN", "n 0"),
        Row(.value, "eval instant at 1m 1 / z\n {} +Inf", "+Inf", "1e308"),
        Row(.value, "eval instant at 1m z\n z 0", "z 0", "z 1e-300"),
        Row(.value, "eval instant at 1m n\n n NaN", "n NaN", "n stale"),
        Row(.sign, "eval instant at 1m 1 / z\n {} +Inf", "+Inf", "-Inf"),
        Row(.sign, instant, "} 2", "} -2"),
        Row(.missingSeries, instant, "\n g{x=\"b\"} 4", ""),
        Row(.missingSeries, range, "\n g{x=\"b\"} 4 4 4 4 4", ""),
        Row(.missingSeries, vector, "\n g{x=\"a\"} 1 2 3", ""),
        Row(.extraSeries, instant, "} 4", "} 4\n g{x=\"c\"} 4"),
        Row(.extraSeries, range, "5\n", "5\n g{x=\"c\"} 4\n"),
        Row(.extraSeries, range, "5\n", "5\n g{x=\"c\"} _\n"),
        Row(.extraSeries, vector, "1 2 3", "1 2 3\n g 1"),
        Row(.labels, instant, " g{x=\"a\"}", " {x=\"a\"}"),
        Row(.labels, instant, " g{x=\"a\"}", " g{x=\"a\",y=\"\\x00\"}"),
        Row(.labels, instant, "x=\"a\"", "x=\"A\""),
        Row(.emptyResult, "eval instant at 1m nothing\n expect no_warn", "no_warn", "no_warn\n {} 0"),
        Row(.emptyResult, "eval range from 0 to 1m step 1m nothing\n expect no_warn", "no_warn", "no_warn\n {} 0"),
        Row(
            .order, "eval instant at 1m sort_desc(g)\n expect ordered\n g{x=\"b\"} 4\n g{x=\"a\"} 2",
            "g{x=\"b\"} 4\n g{x=\"a\"} 2", "g{x=\"a\"} 2\n g{x=\"b\"} 4"),
        Row(.order, "eval_ordered instant at 1m sort(g)\n g{x=\"a\"} 2\n g{x=\"b\"} 4", "sort(", "sort_desc("),
        Row(.order, "eval range from 0 to 1m step 1m sum(g)\n {} 5 6", "\n", "\n expect ordered\n"),
    ]

    private static let types: [Row] = [
        Row(.scalar, "eval instant at 1m scalar(sum(g))\n 6", " 6", " 7"),
        Row(.scalar, "eval instant at 1m scalar(sum(g))\n 6", " 6", " NaN"),
        Row(.scalar, "eval instant at 1m scalar(g)\n NaN", "NaN", "0"),
        Row(.string, "eval instant at 1m \"text\"\n expect string \"text\"", "g \"text", "g \"Text"),
        Row(.string, "eval instant at 1m \"text\"\n expect string \"text\"", "g \"text", "g \""),
        Row(.string, "eval instant at 1m \"text\"\n expect string \"text\"", "\n expect string \"text\"", ""),
        Row(.typeScalar, "eval instant at 1m sum(g)\n {} 6", "{} 6", "6"),
        Row(.typeScalar, "eval instant at 1m \"\"\n expect string \"\"", "expect string \"\"", "0"),
        Row(.typeScalar, range, "\n g{x=\"a\"} 1 2 3 3 5\n g{x=\"b\"} 4 4 4 4 4", "\n 4"),
        Row(.typeScalar, "eval instant at 1m nothing\n expect no_warn", "expect no_warn", "0"),
        Row(.typeString, "eval instant at 1m scalar(sum(g))\n 6", "6", "expect string \"6\""),
        Row(.typeString, "eval instant at 1m nothing\n expect no_warn", "expect no_warn", "expect string \"\""),
        Row(.typeVector, "eval instant at 1m scalar(sum(g))\n 6", "6", "{} 6"),
        Row(.typeVector, "eval instant at 1m scalar(sum(g))\n 6", "\n 6", ""),
        Row(.typeVector, "eval instant at 1m \"\"\n expect string \"\"", "expect string \"\"", "{} 0"),
        Row(.typeVector, "eval instant at 2m g{x=\"a\"}\n g{x=\"a\"} 3", "}\n", "}[1m]\n"),
        Row(.typeRangeVector, "eval instant at 2m g{x=\"a\"}\n g{x=\"a\"} 3", "}\n", "}[1s]\n"),
        Row(.typeRangeVector, "eval instant at 9m nothing\n expect no_warn", "nothing", "nothing[1m]"),
        Row(
            .typeRangeVector, "eval instant at 9m last_over_time(g{x=\"b\"}[1h])\n g{x=\"b\"} 4", "\n",
            "\n expect range vector from 0 to 5m step 1m\n"),
    ]

    private static let histograms: [Row] = [
        Row(.histogramCount, histogram, "count:6", "count:5"),
        Row(.histogramSum, histogram, "sum:4", "sum:4.1"),
        Row(.zeroCount, histogram, "z_bucket:1", "z_bucket:2"),
        Row(.zeroThreshold, histogram, "z_bucket_w:0.01", "z_bucket_w:0.0100001"),
        Row(.schema, histogram, "schema:1", "schema:2"),
        Row(.schema, custom, "schema:-53 count:3 sum:4 custom_values:[1 2]", "schema:0 count:3 sum:4"),
        Row(.positiveBuckets, histogram, " buckets:[1 2]", " buckets:[2 1]"),
        Row(.positiveBuckets, histogram, " buckets:[1 2]", " buckets:[1 2 1]"),
        Row(.positiveBuckets, histogram, " buckets:[1 2]", ""),
        Row(.positiveBuckets, custom, " buckets:[1 2]", " buckets:[1 1]"),
        Row(.negativeBuckets, histogram, " n_buckets:[2]", " n_buckets:[1]"),
        Row(.negativeBuckets, histogram, " n_buckets:[2]", ""),
        Row(.bucketOffset, histogram, " buckets:[1 2]", " offset:1 buckets:[1 2]"),
        Row(.bucketOffset, histogram, "n_offset:2", "n_offset:3"),
        Row(.customBounds, custom, "custom_values:[1 2]", "custom_values:[1 2.0000001]"),
        Row(.customBounds, custom, "custom_values:[1 2]", "custom_values:[1]"),
        Row(.counterResetHint, histogram, "hint:not_reset", "hint:gauge"),
        Row(.counterResetHint, histogram, "hint:not_reset", "hint:unknown"),
        Row(.counterResetHint, histogram, "hint:not_reset", "hint:reset"),
        Row(
            .histogramOrFloat, "eval instant at 1m u\n u {{count:1 sum:NaN buckets:[1]}}",
            "u {{count:1 sum:NaN buckets:[1]}}", "u 0"),
        Row(.histogramOrFloat, "eval instant at 1m z\n z 0", "\n z 0", "\n z {{}}"),
        Row(.histogramOrFloat, "eval range from 0 to 1m step 1m z\n z 0 0", " 0 0", " 0 {{}}"),
        Row(.histogramNaN, "eval instant at 1m u\n u {{count:1 sum:NaN buckets:[1]}}", "sum:NaN", "sum:0"),
    ]

    private static let matrices: [Row] = [
        Row(.points, range, "1 2 3 3 5", "1 2 3 3 6"),
        Row(.points, range, "1 2 3 3 5", "0 2 3 3 5"),
        Row(.points, vector, "1 2 3", "1 2 4"),
        Row(.gap, window, "3 _ 5", "3 3 5"),
        Row(.gap, window, "3 _ 5", "_ _ 5"),
        Row(.gap, range, "1 2 3 3 5", "1 2 3 _ 5"),
        Row(.pointCount, range, "1 2 3 3 5", "1 2 3 3"),
        Row(.pointCount, range, "1 2 3 3 5", "1 2 3 3 5 _"),
        Row(.pointCount, "eval range from 4m to 6m step 1m g{x=\"a\"}\n g{x=\"a\"} 5", "} 5", "} 5 5"),
        Row(.pointCount, vector, "1 2 3", "1 2"),
        Row(.pointCount, vector, "1 2 3", "1 2 3 3"),
        Row(.pointTime, window, "1 2 3 _ 5", "1 2 3 5 _"),
        Row(.pointTime, window, "1 2 3 _ 5", "_ 1 2 3 5"),
        Row(.rangeVector, vector, "[3m]", "[2m]"),
        Row(.rangeVectorTimes, vector, "from 0m to 2m step 1m", "from 0m to 3m step 1m"),
        Row(.rangeVectorTimes, vector, "step 1m", "step 30s"),
    ]

    private static let failures: [Row] = [
        Row(.failure, "eval instant at 1m g{x=\"b\"}\n g{x=\"b\"} 4", "4", "4\n expect fail"),
        Row(.failure, "eval instant at 1m g{x=\"b\"}\n g{x=\"b\"} 4", "eval", "eval_fail"),
        Row(.failure, window, "\n", "\n expect fail\n"),
        Row(.noFailure, failing, "\n expect fail", ""),
        Row(.noFailure, failing, "expect fail", "expect no_warn"),
        Row(
            .failureText, failing + " msg: vector cannot contain metrics with the same labelset", "labelset", "labels"),
        Row(
            .failureText,
            failing.replacing("eval", with: "eval_fail").replacing(" expect fail", with: "")
                + "expected_fail_message vector cannot contain metrics with the same labelset", "same ", ""),
        Row(.failurePattern, failing + " regex: ^vector cannot .* labelset$", "cannot", "^cannot"),
        Row(
            .failurePattern,
            failing.replacing("eval", with: "eval_fail").replacing(" expect fail", with: "")
                + "expected_fail_regexp ca.*ot", "ca.*ot", "ca.ot"),
    ]

    private static let annotations: [Row] = [
        Row(.warning, warning, "(2, g)\n {} +Inf", "(1, g)\n {} 4"),
        Row(.warning, "eval_warn instant at 1m quantile(2, g)\n {} +Inf", "(2, g)\n {} +Inf", "(1, g)\n {} 4"),
        Row(.warning, warning, "warn", "info"),
        Row(.warningText, warning + warningText, "got 2", "got 3"),
        Row(.warningText, warning + warningText, "(1:10)", "(1:11)"),
        Row(.warningText, warning + warningText, " (1:10)", ""),
        Row(.warningText, warning + " regex: (?i)GOT 2", "(?i)", ""),
        Row(.unmetWarning, warning, "expect warn", "expect warn\n expect warn regex: something"),
        Row(.unmetWarning, twoWarnings, "regex: got 3", "regex: got 4"),
        Row(.unlistedWarning, twoWarnings, "\n expect warn regex: got 3", ""),
        Row(.noWarning, warning, "warn", "no_warn"),
        Row(
            .noWarning, "eval instant at 1m quantile(1, g)\n {} 4\n expect no_warn", "(1, g)\n {} 4", "(2, g)\n {} +Inf"
        ),
        Row(.info, info, "rate(g{x=\"b\"}[2m])\n {x=\"b\"} 0", "rate(m_total[2m])\n {x=\"a\"} 1"),
        Row(
            .info, "eval_info instant at 2m rate(g{x=\"b\"}[2m])\n {x=\"b\"} 0", "g{x=\"b\"}[2m])\n {x=\"b\"} 0",
            "m_total[2m])\n {x=\"a\"} 1"),
        Row(.info, info, "info", "warn"),
        Row(.infoText, info + infoText, "counter", "count"),
        Row(.infoText, info + infoText, "(1:6)", "(1:1)"),
        Row(.infoText, info + " regex: not be", "not be", "not  be"),
        Row(.unmetInfo, twoInfos, "regex: \"z\"", "regex: \"y\""),
        Row(.unlistedInfo, twoInfos, "\n expect info regex: \"z\"", ""),
        Row(.noInfo, info, "expect info", "expect no_info"),
    ]

    private static let rows = values + types + histograms + matrices + failures + annotations

    @Test("each kind of expectation has a row, and each row is spoilt in one place")
    func coverage() {
        #expect(Set(Self.rows.map(\.kind)) == Set(ExpectationKind.allCases))
        for row in Self.rows {
            #expect(row.right.occurrences(of: row.old) == 1, "\(row)")
            #expect(row.spoilt != row.right)
        }
    }

    @Test("what is right passes")
    func right() async {
        let runner = ScriptRunner()
        for row in Self.rows {
            let report = await runner.run(Self.data + row.right, file: "f")
            #expect(report.passed == 1 && report.failed == 0, "\(row): \(report.failures)")
        }
    }

    @Test("what is spoilt fails, at its line, in the evaluation and not as a script that cannot be read")
    func spoilt() async {
        let runner = ScriptRunner()
        let line = Self.data.utf8.count { $0 == UInt8(ascii: "\n") } + 1
        for row in Self.rows {
            let report = await runner.run(Self.data + row.spoilt, file: "f")
            #expect(report.passed == 0 && report.failed == 1, "\(row)")
            #expect(report.failures.first?.line == line, "\(row): \(report.failures)")
            #expect(report.failures.first?.query.contains("the file") == false, "\(row): \(report.failures)")
        }
    }
}

extension String {
    fileprivate func occurrences(of text: String) -> Int { ranges(of: text).count }
}
