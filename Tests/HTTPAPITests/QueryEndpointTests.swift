import HTTPAPI
import SeriesModel
import StorageAPI
import Testing

@Suite("Query endpoints")
struct QueryEndpointTests {
    @Test(
        "a parameter that is wrong is a 400 that names it",
        arguments: [
            (
                "/api/v1/query?query=up&time=abc",
                #"invalid parameter \"time\": cannot parse \"abc\" to a valid timestamp"#
            ),
            ("/api/v1/query?query=up&limit=-1", #"invalid parameter \"limit\": limit must be non-negative"#),
            (
                "/api/v1/query?query=up&limit=x",
                #"invalid parameter \"limit\": strconv.Atoi: parsing \"x\": invalid syntax"#
            ),
            (
                "/api/v1/query?query=up&timeout=x",
                #"invalid parameter \"timeout\": cannot parse \"x\" to a valid duration"#
            ),
            (
                "/api/v1/query?query=up&lookback_delta=x",
                #"invalid parameter \"lookback_delta\": cannot parse \"x\" to a valid duration"#
            ),
            ("/api/v1/query", #"invalid parameter \"query\": "#),
            (
                "/api/v1/query_range?query=up&end=1&step=1",
                #"invalid parameter \"start\": cannot parse \"\" to a valid timestamp"#
            ),
            (
                "/api/v1/query_range?query=up&start=2&end=1&step=1",
                #"invalid parameter \"end\": end timestamp must not be before start time"#
            ),
            (
                "/api/v1/query_range?query=up&start=1&end=2&step=0",
                #"invalid parameter \"step\": zero or negative query resolution step widths are not accepted. "#
                    + "Try a positive integer"
            ),
            ("/api/v1/query_range?query=up&start=1&end=2&step=0.0001", #"invalid parameter \"step\""#),
            ("/api/v1/query_range?query=up&start=-1e300&end=1e300&step=1", "exceeded maximum resolution"),
            ("/api/v1/format_query?query=sum(", #"invalid parameter \"query\": 1:5: parse error: "#),
            ("/api/v1/series", "no match[] parameter provided"),
            ("/api/v1/series?match[]=up%7B", #"invalid parameter \"match[]\": 1:4: parse error: "#),
            (
                "/api/v1/labels?match[]=%7Ba%3D~%22.*%22%7D",
                #"invalid parameter \"match[]\": match[] must contain at least one non-empty matcher"#
            ),
            ("/api/v1/label/%FF/values", "invalid label name: "),
            ("/api/v1/query_exemplars?query=up&start=2&end=1", "end timestamp must not be before start timestamp"),
            ("/api/v1/query_exemplars?query=up%7B", "1:4: parse error: "),
            ("/api/v1/metadata?limit=x", "limit must be a number"),
            ("/api/v1/metadata?limit_per_metric=x", "limit_per_metric must be a number"),
            ("/api/v1/status/tsdb?limit=0", "limit must be a positive number"),
            ("/api/v1/status/tsdb?limit=10001", "limit must not exceed 10000"),
            ("/api/v1/rules?type=x", #"invalid parameter \"type\": not supported value \"x\""#),
            ("/api/v1/rules?group_limit=0", "group_limit needs to be greater than 0"),
            ("/api/v1/rules?group_next_token=a", "group_limit needs to be present"),
            ("/api/v1/rules?exclude_alerts=perhaps", "error converting exclude_alerts"),
        ])
    func badParameters(target: String, text: String) async throws {
        let response = try await TestServer.shared.client.get(target)
        #expect(response.status == 400)
        #expect(response.headers["content-type"] == "application/json")
        #expect(response.text.hasPrefix(#"{"status":"error","errorType":"bad_data","error":""#))
        #expect(response.text.contains(text), "\(response.text)")
    }

    @Test("parameters of body and URL are merged, the body's first")
    func mergedParameters() async throws {
        let client = try await TestServer.shared.client
        let both = try await client.post("/api/v1/query?query=2&time=7", "query=1%2B1")
        #expect(both.text.contains(#"[7,"2"]"#))
        let series = try await client.post("/api/v1/series?match[]=up%7Bjob%3D%22b%22%7D", "match[]=ALERTS")
        #expect(series.text.contains("ALERTS") && series.text.contains(#""job":"b""#))
    }

    @Test("a body without the form's content type is ignored")
    func bodyWithoutType() async throws {
        let response = try await TestServer.shared.client.post(
            "/api/v1/query?query=1%2B1&time=4", "query=2", ["Content-Type": "text/plain"])
        #expect(response.text.contains(#"[4,"2"]"#))
    }

    @Test("without a time, now is meant")
    func defaultTime() async throws {
        let response = try await TestServer.shared.client.get("/api/v1/query?query=1%2B1")
        #expect(response.text.contains(#"[1700000000,"2"]"#))
    }

    @Test("a limit cuts the answer short and says so")
    func limits() async throws {
        let client = try await TestServer.shared.client
        let warning = #""warnings":["results truncated due to limit"]"#
        for target in [
            "/api/v1/query?query=up&limit=1",
            "/api/v1/query_range?query=up&start=1700000000&end=1700000060&step=15&limit=1",
            "/api/v1/series?match[]=up&limit=1", "/api/v1/labels?limit=1", "/api/v1/label/job/values?limit=1",
        ] {
            let response = try await client.get(target)
            #expect(response.text.contains(warning), "\(target)")
        }
        let whole = try await client.get("/api/v1/query?query=up&limit=0")
        #expect(!whole.text.contains("warnings"))
    }

    @Test("statistics come when they are asked for")
    func statistics() async throws {
        let client = try await TestServer.shared.client
        let with = try await client.get("/api/v1/query?query=up&stats=all")
        #expect(with.text.contains(#""stats":{"timings":{"evalTotalTime":"#))
        #expect(with.text.contains(#""totalQueryableSamples":"#))
        #expect(try await !client.get("/api/v1/query?query=up").text.contains("stats"))
    }

    @Test("exemplars of an expression without a selector are no content")
    func exemplarsWithoutSelector() async throws {
        let response = try await TestServer.shared.client.get("/api/v1/query_exemplars?query=1")
        #expect(response.status == 204)
        #expect(response.body.isEmpty)
    }

    /// Answers each list of matchers with a series that shows what was asked.
    private struct Exemplars: ExemplarQueryable {
        func exemplars(
            matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
        ) throws -> [(labels: LabelSet, exemplars: [Exemplar])] {
            matching.map { matchers in
                (
                    ["asked": "\(matchers)"],
                    [
                        Exemplar(labels: ["trace_id": "EpTxMJ40fUus7aGY"], value: 6, timestamp: range.min),
                        Exemplar(labels: .empty, value: .infinity, timestamp: range.max),
                    ]
                )
            }.sorted { $0.0 < $1.0 }
        }
    }

    @Test("exemplars are those of all selectors of the expression, in upstream's form")
    func exemplars() async throws {
        try await TestServer.run({ $0.exemplars = Exemplars() }) { server in
            let response = try await server.client.get(
                "/api/v1/query_exemplars?query=sum(rate(a%5B5m%5D))%20/%20b&start=1600096945.479&end=1600096955")
            #expect(response.status == 200)
            let exemplars =
                #"[{"labels":{"trace_id":"EpTxMJ40fUus7aGY"},"value":"6","timestamp":1600096945.479},"#
                + #"{"labels":{},"value":"+Inf","timestamp":1600096955}]"#
            let series = ["a", "b"].map { name in
                #"{"seriesLabels":{"asked":"[__name__=\"\#(name)\"]"},"exemplars":\#(exemplars)}"#
            }
            #expect(response.text == #"{"status":"success","data":[\#(series.joined(separator: ","))]}"#)
        }
    }

    @Test("an answer of many samples is streamed, and whole")
    func largeAnswer() async throws {
        let target = "/api/v1/query_range?query=up&start=1699998200&end=1700003600&step=0.5"
        let client = try await TestServer.shared.client
        let plain = try await client.get(target)
        #expect(plain.headers["transfer-encoding"] == "chunked")
        #expect(plain.body.count > 256 << 10)
        #expect(plain.text.hasSuffix("]}]}}"))
        let packed = try await client.get(target, ["Accept-Encoding": "deflate"])
        #expect(packed.headers["content-encoding"] == "deflate")
        #expect(try Inflating.inflate(packed.body) == plain.body)
        let head = try await client.send("HEAD", target)
        #expect(head.headers["content-length"] == String(plain.body.count))
    }

    @Test("a broken store is an internal error, a closed one is unavailable")
    func storageErrors() async throws {
        let broken = FailingStore(error: .corruption(file: "block", offset: 7, reason: "checksum"))
        try await TestServer.run(storage: broken) { server in
            let response = try await server.client.get("/api/v1/query?query=up")
            #expect(response.status == 500)
            #expect(response.text.contains(#""errorType":"internal","error":"block: corrupt at byte 7: checksum""#))
        }
        try await TestServer.run(storage: FailingStore(error: .closed)) { server in
            let response = try await server.client.get("/api/v1/labels")
            #expect(response.status == 500)
            #expect(response.text.contains(#""errorType":"unavailable""#))
        }
    }
}

private struct FailingStore: Queryable {
    let error: StorageError

    func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet] { throw error }

    func labelNames(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [String] {
        throw error
    }

    func labelValues(
        of name: String, matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [String] {
        throw error
    }

    func series(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [LabelSet] {
        throw error
    }
}
