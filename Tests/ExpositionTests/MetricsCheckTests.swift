import Exposition
import SeriesModel
import TestSupport
import Testing

/// What is expected of promtool's own output was written down from promtool.
@Suite("Checking metrics")
struct MetricsCheckTests {
    private func check(_ body: String, extended: Bool = false, lints: Bool = true) -> MetricsCheck {
        MetricsCheck(Array(body.utf8), lints: lints, extended: extended)
    }

    @Test("the strict parser takes and refuses what upstream's does, with its words", arguments: [false, true])
    func conformance(requiresLegacyNames: Bool) throws {
        for test in try Conformance.cases("exposition/check_metrics_errors.json") {
            var message: String?
            do {
                _ = try MetricLint(Conformance.bytes(test["input"]), requiresLegacyNames: requiresLegacyNames)
            } catch {
                message = "text format parsing error in line \(error.line): \(error.message)"
            }
            let isGood = test[requiresLegacyNames ? "legacy_ok" : "utf8_ok"] as? Bool
            #expect((message == nil) == isGood, "case \(test["id"] ?? ""): \(message ?? "accepted")")
            let legacy = requiresLegacyNames ? test["legacy_error_prefix"] as? String : nil
            guard let message, let wanted = legacy ?? test["error_prefix"] as? String else { continue }
            #expect(message.hasPrefix(wanted), "case \(test["id"] ?? ""): \(message)")
        }
    }

    @Test("good metrics give no word and status 0")
    func good() {
        let check = check("# HELP a_total All.\n# TYPE a_total counter\na_total{x=\"1\"} 1\na_total{x=\"2\"} 2 5\n")
        #expect(check.errors == "" && check.output == "" && check.status == 0)
    }

    @Test("problems stand on standard error, by metric and text, with status 3")
    func problems() {
        let check = check(
            "fooBar_milliseconds{le=\"1\",job=\"x\"} 1 5\n# TYPE histogram_bucket_total gauge\nhistogram_bucket_total 4\n"
                + "# TYPE foo counter\nfoo 1\n")
        #expect(
            check.errors == """
                foo counter metrics should have "_total" suffix
                foo no help text
                fooBar_milliseconds metric names should be written in 'snake_case' not 'camelCase'
                fooBar_milliseconds no help text
                fooBar_milliseconds use base unit "seconds" instead of "milliseconds"
                histogram_bucket_total no help text
                histogram_bucket_total non-counter metrics should not have "_total" suffix

                """)
        #expect(check.status == 3)
    }

    @Test(
        "each rule has its words",
        arguments: [
            ("# HELP a x\n# TYPE a summary\na{le=\"1\"} 1\n", "a non-histogram metrics should not have \"le\" label"),
            (
                "# HELP a x\n# TYPE a gauge\na{quantile=\"1\"} 1\n",
                "a non-summary metrics should not have \"quantile\" label"
            ),
            (
                "# HELP a_bucket x\n# TYPE a_bucket gauge\na_bucket 1\n",
                "a_bucket non-histogram metrics should not have \"_bucket\" suffix"
            ),
            (
                "# HELP a_sum x\n# TYPE a_sum gauge\na_sum 1\n",
                "a_sum non-histogram and non-summary metrics should not have \"_sum\" suffix"
            ),
            (
                "# HELP a_gauge_x x\n# TYPE a_gauge_x gauge\na_gauge_x 1\n",
                "a_gauge_x metric name should not include type 'gauge'"
            ),
            ("# HELP a:b x\na:b 1\n", "a:b metric names should not contain ':'"),
            ("# HELP a x\na{fooBar=\"1\"} 1\n", "a label names should be written in 'snake_case' not 'camelCase'"),
            ("# HELP a_ms x\na_ms 1\n", "a_ms metric names should not contain abbreviated units"),
            ("# HELP a x\na{b=\"1\"} 1\na{b=\"1\"} 2\n", "a metric not unique"),
            (
                "# HELP a_timestamp_seconds x\n# TYPE a_timestamp_seconds counter\na_timestamp_seconds 1\n",
                "a_timestamp_seconds counter metrics should have \"_total\" suffix\n"
                    + "a_timestamp_seconds non-gauge metrics should not have \"_timestamp_seconds\" suffix"
            ),
            ("# HELP a_kilobits x\na_kilobits 1\n", "a_kilobits use base unit \"bytes\" instead of \"kilobits\""),
        ])
    func rules(body: String, words: String) {
        #expect(check(body).errors == words + "\n")
    }

    @Test("the parts of a histogram or summary are one metric and no duplicates")
    func compounds() {
        let check = check(
            """
            # HELP h x
            # TYPE h histogram
            h_bucket{le="1"} 1
            h_bucket{le="+Inf"} 2
            h_sum 3
            h_count 2
            # HELP s x
            # TYPE s summary
            s{quantile="0.5"} 1
            s_sum 1
            s_count 1

            """, extended: true)
        #expect(check.errors == "")
        #expect(
            check.output
                == "Metric    Cardinality    Percentage    \nh         4              57.14%        \n"
                + "s         3              42.86%        \nTotal     7              100%          \n")
    }

    @Test("the count of series comes also where there are problems, and alone without lint")
    func extended() {
        let both = check("foo 1\n", extended: true)
        #expect(both.status == 3 && both.errors == "foo no help text\n")
        let alone = check("foo 1\n", extended: true, lints: false)
        #expect(alone.status == 0 && alone.errors == "" && alone.output == both.output)
        #expect(
            alone.output.hasPrefix("Metric    Cardinality    Percentage    \nfoo       1              100.00%       \n")
        )
        #expect(check("foo 1\n", lints: false).status == 1)
    }

    @Test("what is no exposition is an error with its line and status 1")
    func refused() {
        let lint = check("foo 1\nfoo 1_2\n")
        #expect(lint.status == 1)
        #expect(
            lint.errors
                == "error while linting: text format parsing error in line 2: expected float as value, got \"1_2\"\n")
        #expect(
            check("foo", extended: true, lints: false).errors
                == "error while parsing text to metric families: text format parsing error in line 1: "
                + "unexpected end of input stream\n")
    }

    @Test("random bytes are taken or refused, never worse", arguments: 0..<4 as Range<UInt64>)
    func noise(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let alphabet = Array("# HELPTYPE\n\t{}\"\\=,a_bucket counterhistogramle1.5+Inf\u{FF}".utf8)
        for _ in 0..<500 {
            let body = (0..<random.below(80)).map { _ in random.pick(alphabet) }
            let check = MetricsCheck(body, lints: true, extended: true)
            #expect([0, 1, 3].contains(check.status))
        }
    }
}
