import Foundation
import Testing

/// The requests that Grafana's Prometheus data source really sends, by the numbers of the inventory's section 2.2.
@Suite("Grafana's requests")
struct GrafanaCorpusTests {
    struct Case: Sendable, CustomStringConvertible {
        var id: String
        var method: String
        var target: String
        var form = ""
        var status = 200
        /// Must stand in the answer's text.
        var contains: [String] = []

        var description: String { id }
    }

    static let range = "end=1700003600&start=1700000000"
    static let stampRange = "start=1699999980&end=1700003640"

    static let cases: [Case] = [
        Case(
            id: "R01", method: "POST", target: "/api/v1/query", form: "query=1%2B1&time=4",
            contains: [#"{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}"#]),
        Case(id: "R02", method: "GET", target: "/api/v1/status/buildinfo", contains: [#""version":"3.14.0""#]),
        Case(id: "R03", method: "GET", target: "/api/v1/query?query=1%2B1&time=4", contains: [#"[4,"2"]"#]),
        Case(
            id: "R04", method: "POST", target: "/api/v1/query_range",
            form: "end=1700003600&query=up&start=1700000000&step=15",
            contains: [#""resultType":"matrix""#, #""job":"b""#]),
        Case(
            id: "R05", method: "POST", target: "/api/v1/query_range",
            form: "query=sum+by%28job%29%28rate%28http_requests_total%5B1m0s%5D%29%29&step=15&" + range,
            contains: [#"{"metric":{"job":"a"},"values":[[1700000000,"0.0666666666666666"#]),
        Case(
            id: "R06", method: "POST", target: "/api/v1/query_range",
            form: "end=1700003600.5&query=up&start=1700000000.25&step=0.5&timeout=60s", contains: ["1700000000.250"]),
        Case(
            id: "R07", method: "POST", target: "/api/v1/query_range",
            form:
                "end=1700006400&query=histogram_quantile%280.95%2C+sum+by%28le%29+%28rate%28x_bucket%5B5m0s%5D%29%29%29"
                + "&start=1699920000&step=60", contains: [#""resultType":"matrix""#]),
        Case(
            id: "R08", method: "POST", target: "/api/v1/query_range",
            form: "query=%7B%22http.server.duration%22%2C+%22service.name%22%3D%22a%22%7D&step=15&" + range,
            contains: [#""__name__":"http.server.duration""#]),
        Case(
            id: "R09", method: "POST", target: "/api/v1/query", form: "query=topk%285%2C+up%29&time=1700000000.123",
            contains: ["1700000000.123"]),
        Case(
            id: "R10", method: "POST", target: "/api/v1/query_exemplars",
            form: "query=histogram_quantile%280.9%2C+sum%28rate%28x_bucket%5B1m%5D%29%29+by+%28le%29%29&" + range,
            contains: [#""data":[]"#]),
        Case(
            id: "R11", method: "POST", target: "/api/v1/query_exemplars",
            form: "query=test&start=1700000000000&end=1700001800000", contains: [#"{"status":"success","data":[]}"#]),
        Case(
            id: "R12", method: "GET",
            target: "/api/v1/query_exemplars?query=test&start=1700000000000&end=1700001800000",
            contains: [#"{"status":"success","data":[]}"#]),
        Case(
            id: "R13", method: "GET", target: "/api/v1/label/__name__/values?" + stampRange,
            contains: [#"["ALERTS","http.server.duration","http_requests_total""#]),
        Case(id: "R14", method: "GET", target: "/api/v1/label/__name__/values?limit=40000&" + stampRange),
        Case(
            id: "R15", method: "POST", target: "/api/v1/labels", form: stampRange,
            contains: [#"["__name__","alertname""#]),
        Case(
            id: "R16", method: "POST", target: "/api/v1/labels", form: "limit=40000&match%5B%5D=up&" + stampRange,
            contains: [#"["__name__","instance","job"]"#]),
        Case(
            id: "R17", method: "POST",
            target: "/api/v1/labels?match%5B%5D=%7B__name__%3D%22up%22%2Cjob%3D%22a%22%7D&limit=1000",
            contains: [#"["__name__","instance","job"]"#]),
        Case(id: "R18", method: "GET", target: "/api/v1/metadata", contains: [#""data":{"#]),
        Case(id: "R19", method: "GET", target: "/api/v1/metadata?limit=40000", contains: [#""data":{"#]),
        Case(
            id: "R20", method: "POST", target: "/api/v1/series",
            form: "match%5B%5D=%7B__name__%21%3D%22%22%7D&limit=40000&" + stampRange, contains: [#""job":"hearth""#]),
        Case(
            id: "R21", method: "POST", target: "/api/v1/series",
            form: "match%5B%5D=up%7Bjob%3D%22a%22%7D&" + stampRange,
            contains: [#"[{"__name__":"up","instance":"one:80","job":"a"}]"#]),
        Case(
            id: "R22", method: "GET", target: "/api/v1/label/job/values?match%5B%5D=up&" + stampRange,
            contains: [#"["a","b"]"#]),
        Case(
            id: "R23", method: "GET",
            target: "/api/v1/label/U__service_2e_name/values?match%5B%5D=%7B%22http.server.duration%22%7D&limit=40000",
            contains: [#"["a"]"#]),
        Case(id: "R24", method: "POST", target: "/api/v1/label/job/values", form: "start=1699999980", status: 405),
        Case(
            id: "R25", method: "POST", target: "/api/v1/query", form: "query=up&time=1700003600",
            contains: [#""resultType":"vector""#, #""value":[1700003600,"1"]"#]),
        Case(id: "R26", method: "GET", target: "/api/v1/rules", contains: [#"{"groups":[]}"#]),
        Case(
            id: "R27", method: "GET",
            target: "/api/v1/rules?file=ns&file%5B%5D=ns&rule_group=g&rule_group%5B%5D=g&exclude_alerts=true"
                + "&group_limit=100&dashboard_uid=x", contains: [#"{"groups":[]}"#]),
        Case(id: "R28", method: "GET", target: "/api/v1/rules?type=alert"),
        Case(id: "R29", method: "GET", target: "/api/v1/alerts", contains: [#"{"alerts":[]}"#]),
        Case(
            id: "R30", method: "GET", target: "/api/v1/query?query=prometheus_build_info",
            contains: [#""version":"3.14.0""#, #""resultType":"vector""#]),
        Case(id: "R31", method: "GET", target: "/api/v1/status/flags", contains: [#""config.file":"prometheus.yml""#]),
        Case(
            id: "R32", method: "POST", target: "/api/v1/query_range", form: "query=up%7B&step=15&" + range, status: 400,
            contains: [#""errorType":"bad_data""#, #""error":"invalid parameter \"query\": 1:4: parse error: "#]),
        Case(
            id: "R33", method: "POST", target: "/api/v1/query_range",
            form: "query=vector%281%29&start=0&end=1700000000&step=1", status: 400,
            contains: [
                "exceeded maximum resolution of 11,000 points per timeseries. "
                    + "Try decreasing the query resolution (?step=XX)"
            ]),
        Case(
            id: "R34", method: "POST", target: "/api/v1/query_range",
            form: "query=ALERTS%7Balertstate%3D%22firing%22%7D&step=60&" + range, contains: [#""alertname":"Down""#]),
        Case(
            id: "R37", method: "GET",
            target: "/api/v1/query?query=up&time=1700000000&custom=1&max_source_resolution=5m"),
        Case(
            id: "R38", method: "GET", target: "/api/v1/targets?state=active",
            contains: [#"{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}}"#]),
        Case(
            id: "R39", method: "POST", target: "/api/v1/format_query",
            form: "query=sum%28rate%28x%5B5m%5D%29%29by%28a%29",
            contains: [#""data":"sum by (a) (rate(x[5m]))""#]),
    ]

    @Test("gets the answer that Grafana expects", arguments: cases)
    func answers(_ item: Case) async throws {
        let server = try await TestServer.shared
        let headers = ["User-Agent": "Grafana/11.0.0"]
        let response =
            item.method == "POST"
            ? try await server.client.post(item.target, item.form, headers)
            : try await server.client.get(item.target, headers)
        #expect(response.status == item.status, "\(response.text)")
        for text in item.contains {
            let isThere = response.text.contains(text)
            #expect(isThere, "\(text) is not in \(response.text.prefix(500))")
        }
        if item.status == 200 || item.status == 400 {
            #expect(response.headers["content-type"] == "application/json")
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(response.body)) }
        }
    }

    @Test("R02: buildinfo has no features, which would make Grafana take us for Mimir")
    func buildInfoHasNoFeatures() async throws {
        let response = try await TestServer.shared.client.get("/api/v1/status/buildinfo")
        #expect(!response.text.contains("features"))
    }

    @Test("R35: a body with a charset in its content type is read, and the answer is compressed when asked for")
    func compressedRangeQuery() async throws {
        let server = try await TestServer.shared
        do {
            let form = "query=up&step=15&" + GrafanaCorpusTests.range
            let plain = try await server.client.post("/api/v1/query_range", form)
            let packed = try await server.client.post(
                "/api/v1/query_range", form,
                [
                    "Accept-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
                ])
            #expect(packed.headers["content-encoding"] == "gzip")
            #expect(packed.headers["vary"] == "Accept-Encoding")
            #expect(try Inflating.gunzip(packed.body) == plain.body)
        }
    }

    @Test("R36: a query of more than a megabyte is answered")
    func largeQuery() async throws {
        let server = try await TestServer.shared
        do {
            let values = (0..<80_000).map { "value-\($0)-x" }.joined(separator: "%7C")
            let response = try await server.client.post("/api/v1/query", "query=up%7Bjob%3D~%22a%7C\(values)%22%7D")
            #expect(response.status == 200, "\(response.text.prefix(300))")
            #expect(response.text.contains(#""job":"a""#))
        }
    }
}
