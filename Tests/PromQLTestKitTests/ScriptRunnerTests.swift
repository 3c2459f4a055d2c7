import Testing

@testable import PromQLTestKit

@Suite struct ScriptRunnerTests {
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

    @Test(
        "loads that cannot be taken fail",
        arguments: [
            "m 1", "m 3", "m _ 2\n\nload 30s\n m _ 5", "h {{count:-1}}", "h {{schema:9}}", "h {{buckets:[-1]}}",
            "h {{schema:-53 custom_values:[2 1] buckets:[1]}}", "h {{schema:-53 buckets:[1 1]}}",
            "h {{custom_values:[1]}}",
        ])
    func badLoads(text: String) async {
        let report = await ScriptRunner().run("load 1m\n m 5 2\n\nload 1m\n \(text)", file: "f")
        #expect(report.failed == 1 && report.failures.first?.query.hasPrefix("load") == true, "\(report.failures)")
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
