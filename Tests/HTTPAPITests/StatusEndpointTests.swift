import HTTPAPI
import Rules
import Scrape
import SelfMetrics
import SeriesModel
import Synchronization
import Testing

@Suite("Targets, rules, status and lifecycle")
struct StatusEndpointTests {
    private func data(
        _ target: String, _ configure: (inout APIServices) -> Void = { _ in }
    ) async throws -> LoopbackClient.Response {
        try await TestServer.run {
            configure(&$0)
        } _: {
            try await $0.client.get(target)
        }
    }

    // MARK: Targets

    private static let pools = [
        ScrapePoolStatus(name: "web", active: [], dropped: [["__address__": "gone:1"]], droppedCount: 3),
        ScrapePoolStatus(
            name: "api",
            active: [
                TargetStatus(
                    discoveredLabels: ["__address__": "one:80"], labels: ["instance": "one:80", "job": "api"],
                    scrapeURL: "http://one:80/metrics", globalURL: "http://one:80/metrics", lastError: "",
                    lastScrape: TestServer.now, lastScrapeDuration: 0.0125, health: .up, scrapeInterval: 15_000,
                    scrapeTimeout: 10_000),
                TargetStatus(
                    discoveredLabels: [:], labels: ["job": "api"], scrapeURL: "http://two/", globalURL: "http://two/",
                    lastError: "connection refused", lastScrape: nil, lastScrapeDuration: 0, health: .unknown,
                    scrapeInterval: 60_000, scrapeTimeout: 10_000),
            ], dropped: [], droppedCount: 0),
    ]

    @Test("targets have upstream's shape, pools in order")
    func targets() async throws {
        let response = try await data("/api/v1/targets") { $0.scrapePools = { StatusEndpointTests.pools } }
        #expect(
            response.text
                == #"{"status":"success","data":{"activeTargets":[{"discoveredLabels":{"__address__":"one:80"},"#
                + #""labels":{"instance":"one:80","job":"api"},"scrapePool":"api","scrapeUrl":"http://one:80/metrics","#
                + #""globalUrl":"http://one:80/metrics","lastError":"","lastScrape":"2023-11-14T22:13:20Z","#
                + #""lastScrapeDuration":0.0125,"health":"up","scrapeInterval":"15s","scrapeTimeout":"10s"},"#
                + #"{"discoveredLabels":{},"labels":{"job":"api"},"scrapePool":"api","scrapeUrl":"http://two/","#
                + #""globalUrl":"http://two/","lastError":"connection refused","lastScrape":"0001-01-01T00:00:00Z","#
                + #""lastScrapeDuration":0,"health":"unknown","scrapeInterval":"1m","scrapeTimeout":"10s"}],"#
                + #""droppedTargets":[{"discoveredLabels":{"__address__":"gone:1"},"scrapePool":"web"}],"#
                + #""droppedTargetCounts":{"api":0,"web":3}}}"#)
    }

    @Test("targets are filtered by state and pool")
    func targetFilters() async throws {
        try await TestServer.run {
            $0.scrapePools = { StatusEndpointTests.pools }
        } _: { server in
            let active = try await server.client.get("/api/v1/targets?state=active")
            #expect(active.text.contains(#""droppedTargets":[]"#))
            #expect(active.text.contains("one:80"))
            let dropped = try await server.client.get("/api/v1/targets?state=Dropped")
            #expect(dropped.text.contains(#""activeTargets":[]"#))
            #expect(dropped.text.contains("gone:1"))
            let pool = try await server.client.get("/api/v1/targets?scrapePool=web")
            #expect(!pool.text.contains("one:80"))
            #expect(pool.text.contains("gone:1"))
            let names = try await server.client.get("/api/v1/scrape_pools")
            #expect(names.text == #"{"status":"success","data":{"scrapePools":["api","web"]}}"#)
        }
    }

    @Test("an unknown state shows nothing; dropped targets are counted for all pools")
    func targetStates() async throws {
        try await TestServer.run {
            $0.scrapePools = { StatusEndpointTests.pools }
        } _: { server in
            #expect(
                try await server.client.get("/api/v1/targets?state=lost").text
                    == #"{"status":"success","data":{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}}}"#
            )
            let api = try await server.client.get("/api/v1/targets?state=dropped&scrapePool=api")
            #expect(api.text.contains(#""droppedTargets":[],"droppedTargetCounts":{"api":0,"web":3}"#))
        }
    }

    @Test("metadata is listed by metric, within limits")
    func metadata() async throws {
        let up = MetricMetadata(kind: .gauge, help: "Up.", unit: "")
        let requests = MetricMetadata(kind: .counter, help: "Requests.", unit: "requests")
        try await TestServer.run {
            $0.metadata = { ["requests": [requests, up], "up": [up]] }
            $0.targetMetadata = {
                [
                    TargetMetadata(target: ["job": "a"], metric: "up", metadata: up),
                    TargetMetadata(target: ["job": "b"], metric: "up", metadata: up),
                ]
            }
        } _: { server in
            let client = server.client
            let all = try await client.get("/api/v1/metadata")
            #expect(
                all.text
                    == #"{"status":"success","data":{"requests":[{"type":"counter","help":"Requests.","#
                    + #""unit":"requests"},{"type":"gauge","help":"Up.","unit":""}],"#
                    + #""up":[{"type":"gauge","help":"Up.","unit":""}]}}"#)
            let limited = try await client.get("/api/v1/metadata?limit=1&limit_per_metric=1")
            #expect(limited.text.contains("requests") && !limited.text.contains("Up."))
            #expect(try await !client.get("/api/v1/metadata?metric=up").text.contains("requests"))
            let target = try await client.get("/api/v1/targets/metadata?match_target=%7Bjob=%22b%22%7D&metric=up")
            #expect(
                target.text
                    == #"{"status":"success","data":[{"target":{"job":"b"},"type":"gauge","help":"Up.","unit":""}]}"#)
            let whole = try await client.get("/api/v1/targets/metadata?limit=1")
            #expect(whole.text.contains(#""job":"a""#) && !whole.text.contains(#""job":"b""#))
            #expect(try await client.get("/api/v1/targets/metadata?limit=0").status == 404)
            #expect(
                try await client.get("/api/v1/targets/metadata?limit=x").text.contains("limit must be a number"))
            let none = try await client.get("/api/v1/targets/metadata?metric=nothing")
            #expect(none.status == 404)
            #expect(none.text.contains(#""errorType":"not_found","error":"specified metadata not found""#))
        }
    }

    @Test("Alertmanagers are listed, dropped ones apart")
    func alertmanagers() async throws {
        let response = try await data("/api/v1/alertmanagers") {
            $0.alertmanagers = {
                var urls = AlertmanagerURLs()
                urls.active = ["http://am:9093/api/v2/alerts"]
                return urls
            }
        }
        #expect(
            response.text
                == #"{"status":"success","data":{"activeAlertmanagers":[{"url":"http://am:9093/api/v2/alerts"}],"#
                + #""droppedAlertmanagers":[]}}"#)
    }

    // MARK: Rules

    private static let groups: [RuleGroupStatus] = {
        let alert = AlertStatus(
            labels: ["alertname": "Down", "job": "a"], annotations: ["summary": "a is down"], state: .firing,
            activeAt: TestServer.now, keepFiringSince: nil, value: 1)
        let alerting = RuleStatus(
            name: "Down", query: "up == 0", labels: ["severity": "page"], health: .ok, lastError: nil,
            evaluationTime: 0.001, lastEvaluation: TestServer.now,
            kind: .alerting(
                AlertingRuleStatus(
                    state: .firing, holdDuration: 90_000, keepFiringFor: 0,
                    annotations: ["summary": "{{ $labels.job }}"],
                    alerts: [alert])))
        let recording = RuleStatus(
            name: "job:up:sum", query: "sum by (job) (up)", labels: [:], health: .err, lastError: "broken",
            evaluationTime: 0, lastEvaluation: nil, kind: .recording)
        return ["one", "two", "three"].map { name in
            RuleGroupStatus(
                name: name, file: "rules.yml", interval: 15_000, limit: 0, evaluationTime: 0.002,
                lastEvaluation: TestServer.now, rules: name == "two" ? [recording] : [alerting, recording])
        }
    }()

    @Test("rules have upstream's shape")
    func rules() async throws {
        let response = try await data("/api/v1/rules?rule_group[]=one") {
            $0.ruleGroups = { StatusEndpointTests.groups }
        }
        #expect(
            response.text
                == #"{"status":"success","data":{"groups":[{"name":"one","file":"rules.yml","rules":["#
                + #"{"state":"firing","name":"Down","query":"up == 0","duration":90,"keepFiringFor":0,"#
                + #""labels":{"severity":"page"},"annotations":{"summary":"{{ $labels.job }}"},"alerts":[{"labels":{"alertname":"Down","job":"a"},"#
                + #""annotations":{"summary":"a is down"},"state":"firing","activeAt":"2023-11-14T22:13:20Z","#
                + #""value":"1e+00"}],"health":"ok","evaluationTime":0.001,"lastEvaluation":"2023-11-14T22:13:20Z","#
                + #""type":"alerting"},{"name":"job:up:sum","query":"sum by (job) (up)","labels":{},"health":"err","#
                + #""lastError":"broken","evaluationTime":0,"lastEvaluation":"0001-01-01T00:00:00Z","#
                + #""type":"recording"}],"interval":15,"limit":0,"evaluationTime":0.002,"#
                + #""lastEvaluation":"2023-11-14T22:13:20Z"}]}}"#)
    }

    @Test("rules are filtered, and groups without any left are dropped")
    func ruleFilters() async throws {
        try await TestServer.run {
            $0.ruleGroups = { StatusEndpointTests.groups }
        } _: { server in
            let client = server.client
            let alerting = try await client.get("/api/v1/rules?type=alert")
            #expect(!alerting.text.contains("job:up:sum") && !alerting.text.contains(#""name":"two""#))
            let recording = try await client.get("/api/v1/rules?type=record")
            #expect(!recording.text.contains(#""name":"Down""#))
            let named = try await client.get("/api/v1/rules?rule_name[]=Down&rule_group[]=three&file[]=rules.yml")
            #expect(named.text.contains(#""name":"three""#) && !named.text.contains(#""name":"one""#))
            let matched = try await client.get("/api/v1/rules?match[]=%7Bseverity=%22page%22%7D")
            #expect(!matched.text.contains("job:up:sum") && matched.text.contains("Down"))
            #expect(try await client.get("/api/v1/rules?file[]=other").text.contains(#"{"groups":[]}"#))
            let bare = try await client.get("/api/v1/rules?exclude_alerts=true&type=alert")
            #expect(bare.text.contains(#""alerts":null"#))
        }
    }

    @Test("pages of groups lead from one to the next, and end")
    func rulePages() async throws {
        try await TestServer.run {
            $0.ruleGroups = { StatusEndpointTests.groups }
        } _: { server in
            var names: [Substring] = []
            var token = ""
            repeat {
                let suffix = token.isEmpty ? "" : "&group_next_token=" + token
                let page = try await server.client.get("/api/v1/rules?group_limit=1" + suffix)
                names.append(page.text.split(separator: "\"", maxSplits: 20)[11])
                token =
                    page.text.split(separator: #""groupNextToken":""#).dropFirst().first
                    .map { String($0.prefix { $0 != "\"" }) } ?? ""
            } while !token.isEmpty && names.count < 10
            #expect(names == ["one", "two", "three"])
            let wrong = try await server.client.get("/api/v1/rules?group_limit=1&group_next_token=nothing")
            #expect(wrong.status == 400)
            #expect(wrong.text.contains("invalid group_next_token 'nothing'. were rule groups changed?"))
        }
    }

    @Test("alerts are those of all rules")
    func alerts() async throws {
        let response = try await data("/api/v1/alerts") { $0.ruleGroups = { StatusEndpointTests.groups } }
        #expect(response.text.split(separator: #""alertname":"Down""#).count == 3)
        #expect(response.text.hasPrefix(#"{"status":"success","data":{"alerts":[{"labels":"#))
    }

    // MARK: Status

    @Test("runtime, storage and configuration are told")
    func status() async throws {
        try await TestServer.run {
            $0.configuration = { "global:\n  scrape_interval: 15s\n" }
            $0.runtime = {
                var runtime = RuntimeInfo()
                runtime.startTime = TestServer.now
                runtime.workingDirectory = "/srv"
                runtime.threadCount = 7
                return runtime
            }
        } _: { server in
            let client = server.client
            let runtime = try await client.get("/api/v1/status/runtimeinfo")
            #expect(
                runtime.text
                    == #"{"status":"success","data":{"startTime":"2023-11-14T22:13:20Z","CWD":"/srv","hostname":"","#
                    + #""serverTime":"2023-11-14T22:13:20Z","reloadConfigSuccess":true,"#
                    + #""lastConfigTime":"1970-01-01T00:00:00Z","corruptionCount":0,"goroutineCount":7,"GOMAXPROCS":0,"#
                    + #""GOMEMLIMIT":9223372036854775807,"GOGC":"","GODEBUG":"","storageRetention":"30d or 10GiB"}}"#)
            let config = try await client.get("/api/v1/status/config")
            #expect(config.text == #"{"status":"success","data":{"yaml":"global:\n  scrape_interval: 15s\n"}}"#)
            let storage = try await client.get("/api/v1/status/tsdb?limit=5")
            #expect(
                storage.text
                    == #"{"status":"success","data":{"headStats":{"numSeries":8,"numLabelPairs":0,"chunkCount":0,"#
                    + #""minTime":1,"maxTime":2},"seriesCountByMetricName":[{"name":"up","value":2}],"#
                    + #""labelValueCountByLabelName":[],"memoryInBytesByLabelName":[],"#
                    + #""seriesCountByLabelValuePair":[],"compaction":"merging 3 blocks (ladder), 40 %","#
                    + #""damages":[{"file":"wal/7","reason":"torn","minTime":5},{"file":"a","reason":"b"}]}}"#)
            let notifications = try await client.get("/api/v1/notifications")
            #expect(
                notifications.text
                    == #"{"status":"success","data":[{"text":"Samples are refused: \"disk\"","#
                    + #""date":"2023-11-14T22:13:20Z","active":true}]}"#)
            let version = try await client.get("/version")
            #expect(version.text.hasPrefix(#"{"version":"3.14.0""#))
        }
    }

    @Test("receivers that are off name their flag")
    func receivers() async throws {
        let client = try await TestServer.shared.client
        let write = try await client.post("/api/v1/write", "x")
        #expect(write.status == 404)
        #expect(write.text.contains("--web.enable-remote-write-receiver"))
        let otlp = try await client.post("/api/v1/otlp/v1/metrics", "x")
        #expect(otlp.status == 404)
        #expect(otlp.text.contains("--web.enable-otlp-receiver"))
    }

    // MARK: Lifecycle

    @Test("reload and quit are refused unless they are enabled")
    func lifecycleOff() async throws {
        let client = try await TestServer.shared.client
        for path in ["/-/reload", "/-/quit"] {
            let response = try await client.post(path, "")
            #expect(response.status == 403)
            #expect(response.text == "Lifecycle API is not enabled.")
        }
    }

    @Test("a reload is done or says why not; quit is handed on")
    func lifecycleOn() async throws {
        struct Refusal: Error, CustomStringConvertible {
            let description = "prometheus.yml:3:1: unknown key"
        }
        let calls = Mutex<[String]>([])
        try await TestServer.run {
            $0.options.enablesLifecycle = true
            $0.reload = {
                let count = calls.withLock { calls in
                    calls.append("reload")
                    return calls.count
                }
                if count > 1 { throw Refusal() }
            }
            $0.quit = { calls.withLock { $0.append("quit") } }
        } _: { server in
            #expect(try await server.client.post("/-/reload", "").status == 200)
            let refused = try await server.client.send("PUT", "/-/reload")
            #expect(refused.status == 500)
            #expect(refused.text == "failed to reload config: prometheus.yml:3:1: unknown key\n")
            let quit = try await server.client.post("/-/quit", "")
            #expect(quit.text == "Requesting termination... Goodbye!")
        }
        #expect(calls.withLock { $0 } == ["reload", "reload", "quit"])
    }

    // MARK: Own metrics

    @Test("requests are counted by route and status, from zero on")
    func requestMetrics() async throws {
        try await TestServer.run { server in
            let client = server.client
            let before = try await client.get("/metrics").text
            #expect(
                before.contains(#"prometheus_http_requests_total{code="200",handler="/api/v1/label/:name/values"} 0"#))
            _ = try await client.get("/api/v1/label/job/values")
            _ = try await client.get("/api/v1/query?query=up%7B")
            _ = try await client.get("/nothing/here")
            let after = try await client.get("/metrics").text
            #expect(
                after.contains(#"prometheus_http_requests_total{code="200",handler="/api/v1/label/:name/values"} 1"#))
            #expect(after.contains(#"prometheus_http_requests_total{code="400",handler="/api/v1/query"} 1"#))
            #expect(after.contains(#"prometheus_http_request_duration_seconds_count{handler="/api/v1/query"} 1"#))
            #expect(after.contains(#"prometheus_http_response_size_bytes_bucket{handler="/api/v1/query",le="1000"} 1"#))
            #expect(!after.contains("/nothing/here"))
            #expect(after.contains("\nprometheus_ready 1\n"))
            #expect(after.contains(#"goversion="swift6.3",revision="",tags="",version="3.14.0"} 1"#))
        }
    }

    @Test("metrics come as OpenMetrics to who prefers it")
    func openMetrics() async throws {
        let client = try await TestServer.shared.client
        let messages = try await client.get(
            "/metrics",
            ["Accept": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"])
        #expect(messages.headers["content-type"]?.hasPrefix("application/vnd.google.protobuf;") == true)
        let open = try await client.get("/metrics", ["Accept": "application/openmetrics-text; version=1.0.0"])
        #expect(open.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
        #expect(open.text.hasSuffix("# EOF\n"))
        let plain = try await client.get("/metrics")
        #expect(plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(!plain.text.contains("# EOF"))
    }

    @Test("the process's own figures are read from the kernel")
    func processMetrics() {
        let registry = MetricsRegistry()
        ProcessMetrics(registry)
        let text = registry.exposition()
        func value(_ name: String) -> Double {
            text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
                .flatMap { Double($0.dropFirst(name.count + 1)) } ?? -1
        }
        #expect(value("process_resident_memory_bytes") > 1e6)
        #expect(value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"))
        #expect(value("process_open_fds") >= 3)
        #expect(value("process_max_fds") > value("process_open_fds"))
        #expect(value("process_threads") >= 1)
        #expect(value("process_cpu_seconds_total") > 0)
        #expect(value("process_start_time_seconds") > 1.7e9)
    }
}
