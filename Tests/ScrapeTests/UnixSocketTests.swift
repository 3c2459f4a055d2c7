import Glibc
import NIOPosix
import OutboundHTTP
import SelfMetrics
import SeriesModel
import TestSupport
import Testing

@testable import Scrape

@Suite("Targets behind sockets of this machine")
struct UnixSocketTests {
    @Test("A target with the label __unix_socket__ is scraped over that socket, under its address")
    func scrape() async throws {
        let path = "/tmp/hearth-test-\(UInt64.random(in: .min ... .max)).sock"
        defer { unlink(path) }
        let server = try await LoopbackServer.start(socketPath: path) { request in
            let body = "asked{host=\"\(request.headers["host"] ?? "")\",path=\"\(request.path)\"} 1\n"
            return .answer(headers: ["content-type": "text/plain"], body: Array(body.utf8))
        }
        let store = RecordingStore()
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let manager = ScrapeManager(appendable: store, transport: transport, registry: MetricsRegistry())
        let config = try job(
            """
            {job_name: j, scrape_interval: 200ms, scrape_timeout: 200ms, params: {a: [b]},
            static_configs: [{targets: ['app:9100'], labels: {__unix_socket__: '\(path)'}}]}
            """)
        await manager.apply([config], externalLabels: .empty)
        let isThere = await eventually {
            store.last(#"asked{host="app:9100", instance="app:9100", job="j", path="/metrics?a=b"}"#) != nil
        }
        #expect(isThere, "\(store.series)")
        let shown = await manager.status().first?.active.first
        #expect(shown?.scrapeURL == "http://app:9100/metrics?a=b")
        await manager.stop()
        await transport.shutdown()
        await server.stop()
    }
}
