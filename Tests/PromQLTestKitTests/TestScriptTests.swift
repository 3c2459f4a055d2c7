import SeriesModel
import Testing

@testable import PromQLTestKit

@Suite struct TestScriptTests {
    private func evaluation(_ text: String) throws -> TestScript.Evaluation? {
        for case .evaluate(let evaluation) in try TestScript(text).commands { return evaluation }
        return nil
    }

    @Test("a comment ends a block, and a number ends an evaluation's")
    func blocks() throws {
        let script = try TestScript(
            """
            load 5m
                a 1
            # not a series
            clear and what follows
            eval instant at 1m 1
                1
            eval instant at 1m 2 # a comment of the query
                2
            LOAD_none 1m
            """.replacing("LOAD_none 1m", with: ""))
        #expect(script.commands.count == 4)
    }

    @Test(
        "unsound scripts are refused, with the line",
        arguments: [
            ("nonsense", 1),
            ("load five", 1),
            ("Load 5m", 1),
            ("load 5m\n a 1\n b x", 3),
            ("\n\neval at 5m up", 3),
            ("eval instant up", 1),
            ("eval instant at 5 up", 1),
            ("eval instant at 5m up{", 1),
            ("eval instant at 5m rate(up)", 1),
            ("eval instant at 5m up\n expect fail msg: x\n\neval instant at 5m sum(", 4),
            ("eval range from 5m to 1m step 1m up", 1),
            ("eval_ordered range from 1m to 5m step 1m up", 1),
            ("eval instant at 5m up\n expect", 2),
            ("eval instant at 5m up\n expect nothing", 2),
            ("eval instant at 5m up\n expect fail something", 2),
            ("eval instant at 5m up\n expect fail regex: (", 2),
            ("eval instant at 5m up\n expect fail\n expect fail", 3),
            ("eval instant at 5m up\n expect warn\n expect no_warn", 3),
            ("eval instant at 5m up\n expect no_info\n expect info", 3),
            ("eval instant at 5m up\n expect range vector from 1m to 2m", 2),
            ("eval instant at 5m up\n expect range vector from 2m to 1m step 1m", 2),
            ("eval instant at 5m up\n expect string foo", 2),
            ("eval instant at 5m up\n expect string 'foo'", 2),
            ("eval instant at 5m up\n up 1 2", 2),
            ("eval instant at 5m up\n up 1\n 5", 3),
            ("eval instant at 5m up\n up 1\n expect string \"\"", 3),
            ("eval instant at 5m up\n expect string \"\"\n 5", 3),
            ("eval instant at 5m up\n expect range vector from 0 to 1m step 1m\n 5", 3),
            ("eval instant at 5m 1\n 1\n up 1", 3),
            ("eval instant at 5m up\n up 1 # one", 2),
            ("eval instant at 5m up\n up 1,", 2),
            ("eval instant at 5m up\n up 1 expect fail", 2),
            ("eval instant at 5m up\n expect  warn msg", 2),
            ("eval instant at 5m up\n expect warn msg:", 2),
            ("eval instant at 5m up\n expect warning", 2),
            ("eval instant at 5m up\n expect no_fail", 2),
            ("eval instant at 5m up\n Expect fail", 2),
            ("eval instant at 5m up\n expect fail text: a", 2),
            ("eval instant at 5m up\n expect fail regex: a)(b", 2),
            ("eval instant at 5m up\n expect fail regex: *", 2),
            ("eval instant at 5m up\n expected_fail_message a", 2),
            ("eval instant at 5m up\n expect string \"a\" b", 2),
            ("eval instant at 5m up\n expect  string \"a\"", 2),
            ("eval instant at -5m up", 1),
            ("eval instant at 1m5h up", 1),
            ("eval instant at 1.5m up", 1),
            ("eval range from 0 to 1m up", 1),
            ("evaluate instant at 5m up", 1),
            ("cleared", 1),
            ("load 1m\n a@st -1m\n b 1", 3),
            ("load 1m\n a@st -1m -1m\n a 1", 3),
            ("load 1m\n a@st -1m", 2),
            ("load 1m\n a@st -1q\n a 1", 2),
        ])
    func refusal(text: String, line: Int) {
        #expect(throws: TestScript.SyntaxError.self) { try TestScript(text) }
        do {
            _ = try TestScript(text)
        } catch {
            #expect(error.line == line, "\(error)")
        }
    }

    @Test("the last ' to ' and ' step ' of a range evaluation count")
    func greedyRange() throws {
        let evaluation = try evaluation("eval range from 1m to 1h30m step 10s up")
        guard case .range(let start, let end, let step)? = evaluation?.time else {
            Issue.record("no range")
            return
        }
        #expect((start, end, step) == (60_000, 5_400_000, 10_000))
        #expect(evaluation?.query == "up")
    }

    @Test("an evaluation of a range vector takes place at its end")
    func rangeVector() throws {
        let evaluation = try evaluation(
            "eval instant at 1m m[5m]\n expect range vector from 1m to 3m step 1m\n m 1 2 3")
        guard case .instant(let time)? = evaluation?.time else {
            Issue.record("no instant")
            return
        }
        #expect(time == 180_000)
    }

    @Test("of two lines for one series the last one counts")
    func lastWins() throws {
        let evaluation = try evaluation("eval instant at 1m m\n m 1\n n 5\n m 2")
        let wanted = evaluation?.result.series[["__name__": "m"]]
        #expect(wanted?.values.map(\.description) == ["2"])
        #expect(wanted?.position == 2)
        let load = try TestScript("load 1m\n m 1\n m 2").commands.first
        guard case .load(let load)? = load else {
            Issue.record("no load")
            return
        }
        #expect(load.series.map { $0.values.map(\.description) } == [["2"]])
    }

    @Test(
        "a line that is a number expects a scalar", arguments: ["1", "-0x10", "NaN", "+Inf", "1e3", "0b101", "1_000"])
    func scalar(text: String) throws {
        #expect(try evaluation("eval instant at 1m 1\n " + text)?.result.scalar != nil)
    }

    @Test("no beginning of a script, and no script with a byte changed, does harm")
    func mangled() {
        let script = Array(
            """
            load_with_nhcb 1m
                a_bucket{le="1",x="\\x41"}@st _ -1m -1m-1sx1
                a_bucket{le="1",x="A"} 1 2+3x2
                {"b.c"} {{schema:-53 sum:1 custom_values:[1 2] buckets:[1 2]}}+{{count:1}}x2 stale _x2 NaN
            eval instant at 1m30s sum by (x) (rate(a_bucket[5m])) # c
                expect warn regex: (a|b)
                {x="A"} -Inf
            eval range from 0 to 2m step 1m "t"
                expect string "t\\n"
            eval instant at 1m a[1m]
                expect range vector from 0 to 1m step 30s
                a 1 2 3
            """.utf8)
        func read(_ bytes: [UInt8]) { _ = try? TestScript(String(decoding: bytes, as: UTF8.self)) }
        for length in 0..<script.count { read(Array(script[..<length])) }
        for index in stride(from: 0, to: script.count, by: 2) {
            for byte in [0x00, 0x0A, 0x22, 0x2D, 0x5B, 0x78, 0x7D, 0xFF] as [UInt8] {
                var changed = script
                changed[index] = byte
                read(changed)
            }
        }
    }
}
