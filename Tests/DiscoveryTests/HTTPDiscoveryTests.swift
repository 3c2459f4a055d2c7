import NIOPosix
import OutboundHTTP
import SeriesModel
import Synchronization
import TestSupport
import Testing

@testable import Discovery

@Suite("HTTP discovery")
struct HTTPDiscoveryTests {
    @Test("Groups come over a real connection, with the refresh interval told and the URL in a meta label")
    func overSocket() async throws {
        let headers = Mutex<[String: String]>([:])
        let server = try await LoopbackServer.start { request in
            headers.withLock { $0 = request.headers }
            return .answer(
                headers: ["Content-Type": "application/json; charset=utf-8"],
                body: Array(#"[{"targets":["h:1","h:2"],"labels":{"zone":"x"}}]"#.utf8))
        }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let bench = Bench(transport)
        let url = server.url("/sd")
        try await bench.run("http_sd_configs: [{url: '\(url)', refresh_interval: 90s, bearer_token: t}]") {
            #expect(await eventually { bench.addresses == ["h:1", "h:2"] })
        }
        #expect(bench.targets.first == ["__address__": "h:1", "__meta_url": url, "zone": "x"])
        #expect(bench.feed.groups.map(\.source) == [url + ":0"])
        let seen = headers.withLock { $0 }
        #expect(seen["x-prometheus-refresh-interval-seconds"] == "90")
        #expect(seen["accept"] == "application/json")
        #expect(seen["authorization"] == "Bearer t")
        await transport.shutdown()
        await server.stop()
    }

    @Test("A failure keeps the last targets, is counted, and is tried again soon; what vanishes from an answer is gone")
    func failures() async throws {
        let answers = Mutex<[OutboundResponse]>([
            ScriptedTransport.json(#"[{"targets":["a:1"]},{"targets":["b:1"]}]"#),
            ScriptedTransport.status(503, "Service Unavailable"), ScriptedTransport.json("[{]"),
            OutboundResponse(status: 200, reason: "", headers: [("Content-Type", "text/html")], body: []),
            ScriptedTransport.json(#"[{"targets":["a:1"]}]"#),
        ])
        let transport = ScriptedTransport { _ in
            answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
        }
        let clock = ManualClock(now: 0)
        let bench = Bench(transport, clock: clock)
        try await bench.run("http_sd_configs: [{url: 'http://h/sd'}]") {
            #expect(await eventually { bench.addresses == ["a:1", "b:1"] && clock.sleeperCount == 1 })
            for (wait, failures) in [(60_000, 1), (1000, 2), (2000, 3)] {
                clock.advance(by: Int64(wait))
                #expect(await eventually { bench.failureCount == failures && clock.sleeperCount == 1 })
                #expect(bench.addresses == ["a:1", "b:1"])
            }
            clock.advance(by: 4000)
            #expect(await eventually { bench.addresses == ["a:1"] })
            #expect(bench.metrics.contains("prometheus_sd_http_failures_total 3\n"))
        }
    }

    @Test("An answer with a null group is refused as a whole")
    func nullGroup() async throws {
        let transport = ScriptedTransport { _ in ScriptedTransport.json(#"[{"targets":["a:1"]},null]"#) }
        let bench = Bench(transport)
        try await bench.run("http_sd_configs: [{url: 'http://h/sd'}]") {
            #expect(await eventually { bench.failureCount == 1 })
        }
        #expect(bench.addresses.isEmpty)
    }

    @Test("Why a request failed stays known")
    func errorKinds() async throws {
        let client = APIClient(
            Bench(
                ScriptedTransport { request throws(OutboundError) in
                    switch request.url {
                    case "long": throw OutboundError(.bodyTooLong, "body size limit exceeded")
                    case "slow": throw OutboundError(.timeout, "context deadline exceeded")
                    default: return ScriptedTransport.status(Int(request.url) ?? 0)
                    }
                }
            ).context, HTTPClientSection())
        for (url, kind) in [("long", DiscoveryError.Kind.tooLarge), ("slow", .other), ("410", .gone), ("500", .other)] {
            let error = await #expect(throws: DiscoveryError.self) { try await client.get(url, timeout: 1000) }
            #expect(error?.kind == kind, "\(url)")
        }
    }

    @Test(
        "Only JSON in UTF-8 is taken",
        arguments: [
            ("application/json", true), ("Application/JSON; charset=UTF-8", true),
            ("application/json;charset=\"utf-8\"", true), ("text/plain", false), ("", false),
            ("application/json; charset=latin1", false), ("application/jsonl", false),
        ])
    func contentType(type: String, isTaken: Bool) {
        #expect(HTTPDiscoverer.isJSON(type) == isTaken)
    }
}
