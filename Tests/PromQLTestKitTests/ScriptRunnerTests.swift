import Testing

@testable import PromQLTestKit

/// Each kind of expectation holds where it is right, and fails where one thing is spoilt.
@Suite struct ScriptRunnerTests {
    private static let data = """
        load 1m
          m_total{x="a"} 0+60x20
          m_total{x="b"} 0+120x20
          g{x="a"} 1 2 3 _ 5 stale
          g{x="b"} 4 4 4 4 4 4
          h {{schema:0 count:3 sum:4 buckets:[1 2]}}x5


        """

    private struct Case: CustomStringConvertible {
        var description: String
        var right: String
        var spoilt: [String]
    }

    private static let cases = [
        Case(
            description: "vector", right: "eval instant at 1m g\n g{x=\"a\"} 2\n g{x=\"b\"} 4",
            spoilt: [
                "eval instant at 1m g\n g{x=\"a\"} 2.001\n g{x=\"b\"} 4", "eval instant at 1m g\n g{x=\"a\"} 2",
                "eval instant at 1m g\n g{x=\"a\"} 2\n g{x=\"b\"} 4\n g{x=\"c\"} 4",
                "eval instant at 1m g\n {x=\"a\"} 2\n g{x=\"b\"} 4", "eval instant at 1m g",
                "eval instant at 1m g\n g{x=\"a\"} {{}}\n g{x=\"b\"} 4", "eval instant at 1m g\n 2",
                "eval instant at 1m g\n g{x=\"a\"} _\n g{x=\"b\"} 4",
                "eval instant at 1m g\n g{x=\"a\"}\n g{x=\"b\"} 4",
                "eval instant at 1m g\n expect string \"\"",
            ]),
        Case(
            description: "empty", right: "eval instant at 1m nothing",
            spoilt: ["eval instant at 1m nothing\n {} 0", "eval instant at 1m nothing\n 0"]),
        Case(
            description: "scalar", right: "eval instant at 1m scalar(sum(g))\n 6",
            spoilt: [
                "eval instant at 1m scalar(sum(g))\n 7", "eval instant at 1m scalar(sum(g))\n {} 6",
                "eval instant at 1m scalar(sum(g))", "eval instant at 1m scalar(sum(g))\n NaN",
            ]),
        Case(
            description: "string", right: "eval instant at 1m \"text\"\n expect string \"text\"",
            spoilt: [
                "eval instant at 1m \"text\"\n expect string \"Text\"", "eval instant at 1m \"text\"",
                "eval instant at 1m \"text\"\n expect string \"\"",
            ]),
        Case(
            description: "ordered",
            right: "eval instant at 1m sort_desc(g)\n expect ordered\n g{x=\"b\"} 4\n g{x=\"a\"} 2",
            spoilt: [
                "eval instant at 1m sort_desc(g)\n expect ordered\n g{x=\"a\"} 2\n g{x=\"b\"} 4",
                "eval_ordered instant at 1m sort_desc(g)\n g{x=\"a\"} 2\n g{x=\"b\"} 4",
                "eval range from 0 to 1m step 1m sum(g)\n expect ordered\n {} 5 6",
            ]),
        Case(
            description: "histogram", right: "eval instant at 1m h\n h {{count:3 sum:4 buckets:[1 2 0]}}",
            spoilt: [
                "eval instant at 1m h\n h {{count:3 sum:5 buckets:[1 2]}}",
                "eval instant at 1m h\n h {{count:2 sum:4 buckets:[1 2]}}",
                "eval instant at 1m h\n h {{count:3 sum:4 buckets:[2 1]}}",
                "eval instant at 1m h\n h {{count:3 sum:4 offset:1 buckets:[1 2]}}",
                "eval instant at 1m h\n h {{schema:1 count:3 sum:4 buckets:[1 2]}}",
                "eval instant at 1m h\n h {{count:3 sum:4 buckets:[1 2] z_bucket:1}}",
                "eval instant at 1m h\n h {{count:3 sum:4 buckets:[1 2] z_bucket_w:1}}",
                "eval instant at 1m h\n h {{count:3 sum:4 buckets:[1 2] n_buckets:[1]}}", "eval instant at 1m h\n h 3",
            ]),
        Case(
            description: "hint",
            right: "eval instant at 1m h\n h {{count:3 sum:4 buckets:[1 2] counter_reset_hint:not_reset}}",
            spoilt: [
                "eval instant at 1m h\n h {{count:3 sum:4 buckets:[1 2] counter_reset_hint:gauge}}",
                "eval instant at 1m h\n h {{count:3 sum:4 buckets:[1 2] counter_reset_hint:unknown}}",
            ]),
        Case(
            description: "range",
            right: "eval range from 0 to 4m step 2m g\n g{x=\"a\"} 1 3 5\n g{x=\"b\"} 4 4 4",
            spoilt: [
                "eval range from 0 to 4m step 2m g\n g{x=\"a\"} 1 3 6\n g{x=\"b\"} 4 4 4",
                "eval range from 0 to 4m step 2m g\n g{x=\"a\"} 1 3\n g{x=\"b\"} 4 4 4",
                "eval range from 0 to 4m step 2m g\n g{x=\"a\"} 1 _ 5\n g{x=\"b\"} 4 4 4",
                "eval range from 0 to 4m step 2m g\n g{x=\"a\"} 1 3 5 _\n g{x=\"b\"} 4 4 4",
                "eval range from 0 to 4m step 2m g\n g{x=\"a\"} 1 3 5",
                "eval range from 0 to 4m step 2m g\n g{x=\"a\"} 1 3 5\n g{x=\"b\"} 4 4 4\n {} 1",
                "eval range from 0 to 4m step 2m g\n 5",
                "eval range from 0 to 4m step 2m g\n g{x=\"a\"} 1 3 {{}}\n g{x=\"b\"} 4 4 4",
            ]),
        Case(
            description: "trailing positions may be left out",
            right: "eval range from 4m to 6m step 1m g{x=\"a\"}\n g{x=\"a\"} 5",
            spoilt: ["eval range from 4m to 6m step 1m g{x=\"a\"}\n g{x=\"a\"} 5 5"]),
        Case(
            description: "range vector",
            right: "eval instant at 9m g{x=\"a\"}[3m]\n expect range vector from 0m to 2m step 1m\n g{x=\"a\"} 1 2 3",
            spoilt: [
                "eval instant at 9m g{x=\"a\"}[3m]\n expect range vector from 0m to 2m step 1m\n g{x=\"a\"} 1 2 4",
                "eval instant at 9m g{x=\"a\"}[3m]\n expect range vector from 0m to 2m step 1m\n g{x=\"a\"} 2 3",
                "eval instant at 2m g{x=\"a\"}[3m]\n g{x=\"a\"} 3",
            ]),
        Case(
            description: "failure",
            right: "eval instant at 1m label_replace(g, \"x\", \"\", \"x\", \".*\")\n expect fail",
            spoilt: [
                "eval instant at 1m g\n expect fail", "eval_fail instant at 1m g",
                "eval instant at 1m label_replace(g, \"x\", \"\", \"x\", \".*\")",
                "eval range from 0 to 1m step 1m g\n expect fail",
            ]),
        Case(
            description: "failure message",
            right: "eval instant at 1m label_replace(g, \"x\", \"\", \"x\", \".*\")\n"
                + " expect fail msg: vector cannot contain metrics with the same labelset",
            spoilt: [
                "eval instant at 1m label_replace(g, \"x\", \"\", \"x\", \".*\")\n expect fail msg: vector cannot",
                "eval instant at 1m label_replace(g, \"x\", \"\", \"x\", \".*\")\n expect fail regex: ^cannot",
                "eval_fail instant at 1m label_replace(g, \"x\", \"\", \"x\", \".*\")\n expected_fail_message cannot",
                "eval_fail instant at 1m label_replace(g, \"x\", \"\", \"x\", \".*\")\n expected_fail_regexp ^cannot",
            ]),
        Case(
            description: "old failure forms",
            right: "eval_fail instant at 1m label_replace(g, \"x\", \"\", \"x\", \".*\")\n expected_fail_regexp can+ot",
            spoilt: []),
        Case(
            description: "warning",
            right: "eval instant at 1m quantile(2, g)\n expect warn\n expect no_info\n {} +Inf",
            spoilt: [
                "eval instant at 1m quantile(2, g)\n expect no_warn\n {} +Inf",
                "eval instant at 1m quantile(2, g)\n expect info\n {} +Inf",
                "eval instant at 1m quantile(1, g)\n expect warn\n {} 4",
                "eval_warn instant at 1m quantile(1, g)\n {} 4",
                "eval instant at 1m quantile(2, g)\n expect warn msg: PromQL warning: something\n {} +Inf",
                "eval instant at 1m quantile(2, g)\n expect warn\n expect warn regex: something\n {} +Inf",
                "eval instant at 1m quantile(2, g) + quantile(3, g)\n expect warn regex: got 2\n {} +Inf",
            ]),
        Case(
            description: "warning text",
            right: "eval instant at 1m quantile(2, g)\n {} +Inf\n"
                + " expect warn msg: PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)",
            spoilt: [
                "eval instant at 1m quantile(2, g)\n {} +Inf\n"
                    + " expect warn msg: PromQL warning: quantile value should be between 0 and 1, got 2 (1:11)"
            ]),
        Case(
            description: "info",
            right: "eval instant at 2m rate(g{x=\"b\"}[2m])\n expect info regex: might not be a counter\n {x=\"b\"} 0",
            spoilt: [
                "eval instant at 2m rate(g{x=\"b\"}[2m])\n expect no_info\n {x=\"b\"} 0",
                "eval instant at 2m rate(g{x=\"b\"}[2m])\n expect warn\n {x=\"b\"} 0",
                "eval instant at 2m rate(g{x=\"b\"}[2m])\n expect info regex: counters\n {x=\"b\"} 0",
                "eval_info instant at 2m rate(m_total{x=\"a\"}[2m])\n {x=\"a\"} 1",
            ]),
    ]

    @Test("what is right passes")
    func right() async {
        let runner = ScriptRunner()
        for one in Self.cases {
            let report = await runner.run(Self.data + one.right, file: "f")
            #expect(report.passed == 1 && report.failed == 0, "\(one): \(report.failures)")
        }
    }

    @Test("what is spoilt fails, at its line")
    func spoilt() async {
        let runner = ScriptRunner()
        for one in Self.cases {
            for text in one.spoilt {
                let report = await runner.run(Self.data + text, file: "f")
                #expect(report.passed == 0 && report.failed == 1, "\(one): \(text)")
                #expect(report.failures.first?.line == 8, "\(report.failures)")
                #expect(report.failures.first?.query.contains("the file") == false, "\(report.failures)")
            }
        }
    }

    @Test("loads add up, and clear drops all")
    func loadsAndClear() async {
        let report = await ScriptRunner().run(
            """
            load 1m
              a 1

            load 1m
              b 2

            eval instant at 0 {__name__=~"a|b"}
              a 1
              b 2

            clear

            eval instant at 0 a
            """, file: "f")
        #expect(report.passed == 2 && report.failed == 0, "\(report.failures)")
    }

    @Test("a load that fails fails all evaluations after it, and a script that is unsound all it has")
    func unusable() async {
        let runner = ScriptRunner()
        let text =
            "load 1m\n a 1\n\neval instant at 0 a\n a 1\n\nload 1m\n a 2\n\n"
            + "eval instant at 0 1\n 1\neval instant at 0 2\n 2"
        let late = await runner.run(text, file: "f")
        #expect(late.passed == 1 && late.failed == 2 && late.failures.first?.line == 7)
        let unsound = await runner.run("eval instant at 0 a\n\n# eval\neval instant at 0 b{", file: "f")
        #expect(unsound.passed == 0 && unsound.failed == 2 && unsound.failures.first?.line == 4)
        #expect(await runner.run("what", file: "f").failed == 1)
    }

    @Test("files are run in turn, failures printed, the counts last")
    func files() async throws {
        let path = try #require(TemporaryScript("eval instant at 0 1\n 1\neval instant at 0 1\n 2"))
        let printed = Lines()
        let counts = await ScriptRunner.run(files: [path.path, "/nowhere/x.test"]) { printed.append($0) }
        #expect(counts.passed == 1 && counts.failed == 2)
        #expect(printed.all.first?.hasPrefix("\(path.path):3: 1 (at 0 ms)\n    expected scalar 2\n") == true)
        #expect(printed.all.last == "1 passed, 2 failed")
    }
}
