import NIOPosix
import OutboundHTTP
import SelfMetrics
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import Scrape

/// Bad targets over real sockets: each beside a good one that must not notice.
@Suite("Bad targets")
struct BadTargetTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var reply: LoopbackServer.Reply
        /// What `lastError` holds.
        var message: String
        var config = ""

        var testDescription: String { name }
    }

    private static func text(_ body: String, type: String? = "text/plain; version=0.0.4") -> LoopbackServer.Reply {
        .answer(headers: type.map { ["content-type": $0] } ?? [:], body: Array(body.utf8))
    }

    static let cases = [
        Case(name: "rubbish instead of metrics", reply: text("\u{1}\u{2}<html>\n"), message: "line 1: "),
        Case(
            name: "rubbish instead of HTTP", reply: .raw([0xFF, 0xFE, 0x00, 0x0A, 0x0A]),
            message: "malformed HTTP response"),
        Case(
            name: "an endless body",
            reply: .endless(
                head: "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n",
                piece: Array(String(repeating: "a 1\n", count: 10_000).utf8)),
            message: "body size limit exceeded", config: ", body_size_limit: 1MB"),
        Case(
            name: "a content type that is none of ours", reply: text("a 1\n", type: "text/html"),
            message: "received unsupported Content-Type \"text/html\""),
        Case(name: "no content type", reply: text("a 1\n", type: nil), message: "blank Content-Type"),
        Case(name: "a label twice", reply: text("a{x=\"1\",x=\"2\"} 1\n"), message: "label name \"x\" is not unique"),
        Case(
            name: "a huge label", reply: text("a{x=\"\(String(repeating: "y", count: 1 << 20))\"} 1\n"),
            message: "label_value_length_limit exceeded"),
        Case(name: "a hang", reply: .hang, message: "context deadline exceeded"),
        Case(name: "a closed connection", reply: .close, message: "EOF"),
        Case(
            name: "a server error", reply: .answer(status: "503 Service Unavailable", body: []),
            message: "server returned HTTP status 503 Service Unavailable"),
        Case(
            name: "OpenMetrics without its end", reply: text("a 1\n", type: "application/openmetrics-text"),
            message: "data does not end with # EOF"),
    ]

    @Test("fail their scrape with a clear word and up 0, and all else goes on", arguments: cases)
    func badTarget(_ bad: Case) async throws {
        let badServer = try await LoopbackServer.start { _ in bad.reply }
        let goodServer = try await LoopbackServer.start { _ in
            .answer(headers: ["content-type": "text/plain"], body: Array("good 1\n".utf8))
        }
        let store = RecordingStore()
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let manager = ScrapeManager(appendable: store, transport: transport, registry: MetricsRegistry())
        let badJob = try job(
            """
            {job_name: bad, scrape_interval: 400ms, scrape_timeout: 300ms\(bad.config),
            static_configs: [{targets: ['127.0.0.1:\(badServer.port)']}]}
            """)
        let goodJob = try job(
            """
            {job_name: good, scrape_interval: 1s, scrape_timeout: 1s,
            static_configs: [{targets: ['127.0.0.1:\(goodServer.port)']}]}
            """)
        await manager.apply([badJob, goodJob], externalLabels: .empty)
        let badUp = #"up{instance="127.0.0.1:\#(badServer.port)", job="bad"}"#
        let goodUp = #"up{instance="127.0.0.1:\#(goodServer.port)", job="good"}"#
        var lastError = ""
        // A busy machine may time a scrape out now and then: the word expected comes, and so do good scrapes.
        let isDone = await eventually {
            let shown = await manager.status().first?.active.first
            if let shown, shown.health == .down { lastError = shown.lastError }
            return lastError.contains(bad.message) && store.all(badUp).count >= 2
                && store.all(goodUp).count { $0.value == 1 } >= 2
        }
        #expect(isDone, "\(lastError)")
        #expect(store.all(badUp).allSatisfy { $0.value == 0 })
        #expect(!store.series.contains { $0.metricName == "a" })
        await manager.stop()
        await transport.shutdown()
        await badServer.stop()
        await goodServer.stop()
    }

    @Test("A blank content type is read as the fallback says")
    func fallback() async throws {
        let server = try await LoopbackServer.start { _ in .answer(body: Array("a 1\n".utf8)) }
        let store = RecordingStore()
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let manager = ScrapeManager(appendable: store, transport: transport, registry: MetricsRegistry())
        let config = try job(
            """
            {job_name: j, scrape_interval: 200ms, scrape_timeout: 200ms, fallback_scrape_protocol: PrometheusText0.0.4,
            static_configs: [{targets: ['127.0.0.1:\(server.port)']}]}
            """)
        await manager.apply([config], externalLabels: .empty)
        let isThere = await eventually { store.series.contains { $0.metricName == "a" } }
        #expect(isThere)
        await manager.stop()
        await transport.shutdown()
        await server.stop()
    }

    @Test("A scrape says who asks, what it understands and how long it will wait")
    func requestHeaders() async throws {
        let server = try await LoopbackServer.start { request in
            let lines = request.headers.sorted { $0.key < $1.key }.map { "h{n=\"\($0.key)\",v=\"\($0.value)\"} 1\n" }
            return .answer(headers: ["content-type": "text/plain"], body: Array(lines.joined().utf8))
        }
        let store = RecordingStore()
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let manager = ScrapeManager(appendable: store, transport: transport, registry: MetricsRegistry())
        let config = try job(
            """
            {job_name: j, scrape_interval: 1500ms, scrape_timeout: 1500ms, basic_auth: {username: u, password: p},
            static_configs: [{targets: ['127.0.0.1:\(server.port)']}]}
            """)
        await manager.apply([config], externalLabels: .empty)
        _ = await eventually { store.batchCount > 0 }
        let headers = store.series.filter { $0.metricName == "h" }.reduce(into: [String: String]()) {
            $0[$1["n"] ?? ""] = $1["v"]
        }
        #expect(headers["accept"]?.hasPrefix("application/openmetrics-text;version=1.0.0") == true)
        #expect(headers["accept-encoding"] == "gzip")
        #expect(headers["user-agent"]?.hasPrefix("Prometheus/") == true)
        #expect(headers["x-prometheus-scrape-timeout-seconds"] == "1.5")
        #expect(headers["authorization"] == "Basic dTpw")
        await manager.stop()
        await transport.shutdown()
        await server.stop()
    }

    @Test("Stopping does not wait for a target that hangs")
    func stop() async throws {
        let server = try await LoopbackServer.start { _ in .hang }
        let store = RecordingStore()
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let clock = ManualClock(now: 0)
        let manager = ScrapeManager(
            appendable: store, transport: transport, clock: clock, registry: MetricsRegistry())
        let config = try job(
            """
            {job_name: j, scrape_interval: 1h, scrape_timeout: 1h,
            static_configs: [{targets: ['127.0.0.1:\(server.port)']}]}
            """)
        await manager.apply([config], externalLabels: .empty)
        _ = await eventually { clock.sleeperCount == 1 }
        clock.advance(by: 3_600_000)
        let isAsked = await eventually { server.connectionCount == 1 }
        #expect(isAsked)
        let start = ContinuousClock.now
        await manager.stop()
        #expect(start.duration(to: .now) < .seconds(30))
        #expect(store.batchCount == 0)
        await transport.shutdown()
        await server.stop()
    }
}
