import PromQLSyntax
import Testing

@Suite struct PrinterTests {
    private func parse(_ query: String) throws -> Expression { try Parser.parse(query, options: .everything) }

    @Test(
        "expressions print in one form, which parses to the same",
        arguments: [
            ("sum(a)by(b)", "sum by (b) (a)"), ("sum by() (a)", "sum(a)"), ("sum without() (a)", "sum without () (a)"),
            ("topk(5,a)", "topk(5, a)"), ("sum by(\"b.c\") (a)", "sum by (\"b.c\") (a)"),
            ("a+on()group_left b", "a + on () group_left () b"), ("a==bool 1", "a == bool 1"),
            ("a+ignoring(b)group_right(c)d", "a + ignoring (b) group_right (c) d"),
            ("a + fill(0) b", "a + fill (0) b"),
            ("a + fill_right(2) fill_left(1) b", "a + fill_left (1) fill_right (2) b"),
            ("a{b='c'}", "a{b=\"c\"}"), ("{b=\"c\",d!=\"\"}", "{b=\"c\",d!=\"\"}"), ("a{}", "a"),
            ("{\"a.b\"}", "{__name__=\"a.b\"}"), ("a[90s]", "a[1m30s]"),
            ("a[5m]offset 1h@10", "a[5m] @ 10.000 offset 1h"),
            ("a offset -7m", "a offset -7m"), ("a @ end()", "a @ end()"), ("a[1h:]", "a[1h:]"),
            ("a[1h:5m]", "a[1h:5m]"),
            ("a[5m*2]", "a[5m * 2]"), ("a[5m] anchored", "a[5m] anchored"), ("-a", "-a"), ("(a)", "(a)"),
            ("\"it's\\n\"", "\"it's\\n\""), ("1e3", "1000"), ("5m", "5m"), ("Inf", "+Inf"), ("a atan2 b", "a atan2 b"),
            ("count_values(\"x\",a)", "count_values(\"x\", a)"),
            (
                "label_replace(a,'b',\"\",`c`,'.*')",
                "label_replace(a, \"b\", \"\", \"c\", \".*\")"
            ),
        ])
    func description(query: String, expected: String) throws {
        let printed = try parse(query).description
        #expect(printed == expected)
        #expect(try parse(printed).description == printed)
    }

    @Test("what fits in 100 columns stays on a line, the rest is broken")
    func pretty() throws {
        let short = "sum by (a) (rate(b[5m])) / 2"
        #expect(try parse(short).pretty == short)
        let long =
            "sum by (job, instance, handler) ("
            + "rate(http_server_requests_total{status=~\"5..\",handler!=\"/metrics\"}[5m])) / (avg(b) + quantile("
            + "0.9, http_request_duration_seconds_with_a_really_very_long_name{handler=\"/api/v1/query_range\"}))"
        #expect(
            try parse(long).pretty == """
                  sum by (job, instance, handler) (
                    rate(http_server_requests_total{status=~"5..",handler!="/metrics"}[5m])
                  )
                /
                  (
                      avg(b)
                    +
                      quantile(
                        0.9,
                        http_request_duration_seconds_with_a_really_very_long_name{handler="/api/v1/query_range"}
                      )
                  )
                """)
    }

    @Test("a long label under many operators is written once, not once for each of them", .timeLimit(.minutes(1)))
    func longAndDeep() throws {
        let query = "m{a=\"" + String(repeating: "x", count: 500_000) + "\"}" + String(repeating: " + 1", count: 450)
        let expression = try parse(query)
        #expect(expression.description == query)
        #expect(expression.pretty.utf8.count > query.utf8.count)
    }
}
