import Logging
import NIOPosix
import OutboundHTTP
import SeriesModel
import TestSupport
import Testing

@testable import Server

/// A whole server and one target, over real sockets.
@Suite("A server's targets", .serialized)
struct ScrapedTargetsTests {
    private func run(
        _ body: String, _ test: (_ base: String, _ get: (String) async throws -> String) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        let log = RecordingLog()
        let target = try await LoopbackServer.start { _ in
            .answer(headers: ["content-type": "text/plain"], body: Array(body.utf8))
        }
        try directory.write(
            "p.yml",
            """
            scrape_configs:
              - job_name: j
                scrape_interval: 500ms
                scrape_timeout: 500ms
                basic_auth: {username: u, password: secret-word}
                static_configs: [{targets: ['127.0.0.1:\(target.port)']}]
                relabel_configs: [{target_label: x, replacement: y}]

            """)
        let flags = try FlagValues([
            "--config.file=\(directory("p.yml"))", "--storage.tsdb.path=\(directory("data"))",
            "--web.listen-address=127.0.0.1:0",
        ])
        let server = try await RunningServer(flags: flags, logger: log.logger, signals: SignalWatch([]))
        let address = log.lines.last { $0.hasPrefix("listening addresses=") }.map {
            $0.dropFirst("listening addresses=".count)
        }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let outcome: Result<Void, any Error>
        do {
            let base = "http://" + (try #require(address))
            try await test(base) { path in
                let response = try await transport.send(OutboundRequest(.get, base + path, timeout: 20_000))
                return String(decoding: response.body, as: UTF8.self)
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await transport.shutdown()
        await server.stop()
        await target.stop()
        try outcome.get()
    }

    @Test("a sample far ahead of the clock is left out and counted; what stands beside it is stored")
    func farAhead() async throws {
        let ahead = SystemClock().now() + 3_600_000
        try await run("ahead 1 \(ahead)\nbeside 1\n") { _, get in
            let isStored = try await eventually {
                try await get("/api/v1/query?query=beside").contains(#""job":"j""#)
            }
            #expect(isStored)
            #expect(try await get("/api/v1/query?time=\(ahead / 1000)&query=ahead").contains(#""result":[]"#))
            let metrics = try await get("/metrics")
            #expect(!metrics.contains("\nprometheus_target_scrapes_sample_out_of_bounds_total 0\n"))
            #expect(metrics.contains("\nprometheus_target_scrapes_sample_out_of_bounds_total "))
        }
    }

    @Test("a target that is scraped is probed, and nothing else is fetched")
    func probe() async throws {
        try await run("a{b=\"1\"} 1\nb{ 2\n") { base, get in
            let isShown = try await eventually {
                try await get("/api/v1/targets").contains(#""health":"down""#)
            }
            #expect(isShown)
            let targets = try await get("/api/v1/targets")
            let key = #""scrapeUrl":""#
            let url = String(
                try #require(targets.firstRange(of: key).map { targets[$0.upperBound...].prefix { $0 != "\"" } }))
            let found = try await post(base + "/api/v1/targets/probe", "scrapePool=j&scrapeUrl=\(url)")
            #expect(found.status == 200)
            for part in [
                #""scrapeUrl":"\#(url)""#, #""success":false,"problems":["line 2: "#,
                #""status":200,"headers":[{"name":""#,
                #""format":"PrometheusText1.0.0","samples":1,"#, #""labels":{"instance":"#,
                #""discoveredLabels":{"__address__":"#,
            ] {
                #expect(found.text.contains(part), "\(part) in \(found.text)")
            }
            let stranger = try await post(base + "/api/v1/targets/probe", "scrapePool=j&scrapeUrl=\(base)/metrics")
            #expect(stranger.status == 404 && stranger.text.contains("has no target"))
            #expect(try await post(base + "/api/v1/targets/probe", "scrapePool=j").status == 400)
        }
    }

    private func post(_ url: String, _ form: String) async throws -> (status: Int, text: String) {
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let request = OutboundRequest(
            .post, url, headers: [("Content-Type", "application/x-www-form-urlencoded")], body: Array(form.utf8),
            timeout: 20_000)
        let outcome: Result<OutboundResponse, OutboundError>
        do throws(OutboundError) {
            outcome = .success(try await transport.send(request))
        } catch {
            outcome = .failure(error)
        }
        await transport.shutdown()
        let response = try outcome.get()
        return (response.status, String(decoding: response.body, as: UTF8.self))
    }

    @Test("the rules and the configuration of a pool are shown, secrets masked")
    func pool() async throws {
        try await run("a 1\n") { _, get in
            let steps = try await get("/api/v1/targets/relabel_steps?scrapePool=j&labels=%7B%22a%22:%22b%22%7D")
            #expect(
                steps.contains(#""targetLabel":"x","replacement":"y","action":"replace"},"output":{"a":"b","x":"y"}"#))
            let configuration = try await get("/api/v1/scrape_pools/config?scrapePool=j")
            #expect(configuration.contains("job_name: j") && configuration.contains("<secret>"))
            #expect(!configuration.contains("secret-word"))
            #expect(try await get("/api/v1/scrape_pools") == #"{"status":"success","data":{"scrapePools":["j"]}}"#)
        }
    }
}
