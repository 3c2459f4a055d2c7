import HTTPAPI
import PromQLEngine
import Testing

@Suite("parse_query and format_query")
struct ParseQueryTests {
    /// Percent-encodes a query for a URL.
    private static func encoded(_ query: String) -> String {
        query.utf8.map { byte in
            let hex = String(byte, radix: 16)
            return "%" + (hex.count == 1 ? "0" : "") + hex
        }.joined()
    }

    /// A server that knows the whole language.
    private static func run(_ body: (LoopbackClient) async throws -> Void) async throws {
        try await TestServer.run({ services in
            var options = EngineOptions()
            options.enablesExperimentalFunctions = true
            options.enablesExtendedRangeSelectors = true
            options.enablesFillModifiers = true
            services.engine = QueryEngine(storage: ListStore(), options: options, metrics: services.registry)
        }) { try await body($0.client) }
    }

    private static let upMatcher = #"{"name":"__name__","type":"=","value":"up"}"#
    private static let up =
        #"{"anchored":false,"matchers":["# + upMatcher
        + #"],"name":"up","offset":0,"smoothed":false,"startOrEnd":null,"timestamp":null,"type":"vectorSelector"}"#
    private static let one = #"{"type":"numberLiteral","val":"1"}"#

    private static let trees: [(query: String, json: String)] = [
        ("1", one),
        ("-1.5e3", #"{"type":"numberLiteral","val":"-1500"}"#),
        ("1e100", #"{"type":"numberLiteral","val":"1"# + String(repeating: "0", count: 100) + #""}"#),
        ("NaN", #"{"type":"numberLiteral","val":"NaN"}"#),
        ("-Inf", #"{"type":"numberLiteral","val":"-Inf"}"#),
        ("5m", #"{"type":"numberLiteral","val":"300"}"#),
        (#""a\n\"b""#, #"{"type":"stringLiteral","val":"a\n\"b"}"#),
        ("(1)", #"{"expr":"# + one + #","type":"parenExpr"}"#),
        ("-up", #"{"expr":"# + up + #","op":"-","type":"unaryExpr"}"#),
        ("+up", #"{"expr":"# + up + #","op":"+","type":"unaryExpr"}"#),
        ("up", up),
        (
            #"up{a!="b",c=~"d.*",e!~"f"} offset -5m"#,
            #"{"anchored":false,"matchers":[{"name":"a","type":"!=","value":"b"},"#
                + #"{"name":"c","type":"=~","value":"d.*"},{"name":"e","type":"!~","value":"f"},"# + upMatcher
                + #"],"name":"up","offset":-300000,"smoothed":false,"startOrEnd":null,"timestamp":null,"#
                + #""type":"vectorSelector"}"#
        ),
        (
            #"{"a.b"} @ start()"#,
            #"{"anchored":false,"matchers":[{"name":"__name__","type":"=","value":"a.b"}],"name":"","offset":0,"#
                + #""smoothed":false,"startOrEnd":"start","timestamp":null,"type":"vectorSelector"}"#
        ),
        (
            "up[5m] @ 1.5",
            #"{"anchored":false,"matchers":["# + upMatcher
                + #"],"name":"up","offset":0,"range":300000,"smoothed":false,"startOrEnd":null,"timestamp":1500,"#
                + #""type":"matrixSelector"}"#
        ),
        (
            "up[5m] smoothed",
            #"{"anchored":false,"matchers":["# + upMatcher
                + #"],"name":"up","offset":0,"range":300000,"smoothed":true,"startOrEnd":null,"timestamp":null,"#
                + #""type":"matrixSelector"}"#
        ),
        (
            "up[1h:] offset 1m @ end()",
            #"{"expr":"# + up
                + #","offset":60000,"range":3600000,"startOrEnd":"end","step":0,"timestamp":null,"type":"subquery"}"#
        ),
        (
            "up[1h:1m]",
            #"{"expr":"# + up
                + #","offset":0,"range":3600000,"startOrEnd":null,"step":60000,"timestamp":null,"type":"subquery"}"#
        ),
        (
            "1 + 1",
            #"{"bool":false,"lhs":"# + one + #","matching":null,"op":"+","rhs":"# + one
                + #","type":"binaryExpr"}"#
        ),
        (
            "up >= bool 1",
            #"{"bool":true,"lhs":"# + up + #","matching":null,"op":">=","rhs":"# + one
                + #","type":"binaryExpr"}"#
        ),
        (
            "up and up",
            #"{"bool":false,"lhs":"# + up + #","matching":{"card":"many-to-many","#
                + #""fillValues":{"lhs":null,"rhs":null},"include":[],"labels":[],"on":false},"op":"and","rhs":"#
                + up + #","type":"binaryExpr"}"#
        ),
        (
            "up * on (a, b) group_left (c) up",
            #"{"bool":false,"lhs":"# + up + #","matching":{"card":"many-to-one","#
                + #""fillValues":{"lhs":null,"rhs":null},"include":["c"],"labels":["a","b"],"on":true},"op":"*","#
                + #""rhs":"# + up + #","type":"binaryExpr"}"#
        ),
        (
            "up / ignoring (a) group_right up",
            #"{"bool":false,"lhs":"# + up + #","matching":{"card":"one-to-many","#
                + #""fillValues":{"lhs":null,"rhs":null},"include":[],"labels":["a"],"on":false},"op":"/","#
                + #""rhs":"# + up + #","type":"binaryExpr"}"#
        ),
        (
            "up + fill_left(0) fill_right(2.5) up",
            #"{"bool":false,"lhs":"# + up + #","matching":{"card":"one-to-one","#
                + #""fillValues":{"lhs":0,"rhs":2.5},"include":[],"labels":[],"on":false},"op":"+","rhs":"# + up
                + #","type":"binaryExpr"}"#
        ),
        (
            "sum(up)",
            #"{"expr":"# + up + #","grouping":[],"op":"sum","param":null,"type":"aggregation","without":false}"#
        ),
        (
            "topk without (a) (1, up)",
            #"{"expr":"# + up + #","grouping":["a"],"op":"topk","param":"# + one
                + #","type":"aggregation","without":true}"#
        ),
        (
            "time()",
            #"{"args":[],"func":{"argTypes":[],"name":"time","returnType":"scalar","variadic":0},"type":"call"}"#
        ),
        (
            "round(up)",
            #"{"args":["# + up
                + #"],"func":{"argTypes":["vector","scalar"],"name":"round","returnType":"vector","variadic":1},"#
                + #""type":"call"}"#
        ),
    ]

    @Test("parse_query answers the tree with the members that Prometheus has")
    func parse() async throws {
        try await Self.run { client in
            for (query, json) in Self.trees {
                let response = try await client.get("/api/v1/parse_query?query=\(Self.encoded(query))")
                #expect(response.status == 200)
                #expect(response.text == #"{"status":"success","data":"# + json + "}", "\(query)")
            }
        }
    }

    @Test("format_query and parse_query take GET and POST")
    func methods() async throws {
        let client = try await TestServer.shared.client
        let form = "query=sum(up)"
        let formatted = try await client.post("/api/v1/format_query", form)
        #expect(formatted.text == #"{"status":"success","data":"sum(up)"}"#)
        #expect(try await client.get("/api/v1/format_query?\(form)").body == formatted.body)
        let parsed = try await client.post("/api/v1/parse_query", form)
        #expect(parsed.text.hasPrefix(#"{"status":"success","data":{"expr":{"#))
        #expect(try await client.get("/api/v1/parse_query?\(form)").body == parsed.body)
        #expect(try await client.send("DELETE", "/api/v1/parse_query").status == 405)
    }

    @Test(
        "format_query lays a query out",
        arguments: [
            ("1+1", "1 + 1"),
            ("sum  by(job)(  rate(up[5m]))  # comment", "sum by (job) (rate(up[5m]))"),
            (
                "sum by (job) (rate(http_requests_total{handler=\"/api/v1/query\", code=~\"5..\"}[5m])) / "
                    + "sum by (job) (rate(http_requests_total{handler=\"/api/v1/query\"}[5m]))",
                #"  sum by (job) (rate(http_requests_total{handler=\"/api/v1/query\",code=~\"5..\"}[5m]))\n/\n"#
                    + #"  sum by (job) (rate(http_requests_total{handler=\"/api/v1/query\"}[5m]))"#
            ),
        ])
    func formats(query: String, text: String) async throws {
        let client = try await TestServer.shared.client
        let response = try await client.get("/api/v1/format_query?query=\(Self.encoded(query))")
        #expect(response.text == #"{"status":"success","data":""# + text + #""}"#)
    }

    @Test("what is no query is a 400 that says where", arguments: ["format_query", "parse_query"])
    func errors(endpoint: String) async throws {
        let client = try await TestServer.shared.client
        for (query, error) in [
            ("", #"invalid parameter \"query\": 1:1: parse error: no expression found in input"#),
            ("sum(", #"invalid parameter \"query\": 1:5: parse error: "#),
            ("abs()", #"invalid parameter \"query\": 1:1: parse error: expected 1 argument(s) in call to \"abs\""#),
            ("max_of(1,%202)", #"invalid parameter \"query\": 1:1: parse error: "#),
        ] {
            let response = try await client.get("/api/v1/\(endpoint)?query=\(query)")
            #expect(response.status == 400)
            #expect(
                response.text.hasPrefix(#"{"status":"error","errorType":"bad_data","error":""# + error),
                "\(response.text)")
        }
    }
}
