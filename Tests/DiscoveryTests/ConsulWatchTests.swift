import OutboundHTTP
import SeriesModel
import TestSupport
import Testing

@testable import Discovery

@Suite("Consul's blocking queries")
struct ConsulWatchTests {
    private static let web = #"[{"Node":{"Address":"10.0.0.1"},"Service":{"Port":80}}]"#
    private static let moved = #"[{"Node":{"Address":"10.0.0.2"},"Service":{"Port":80}}]"#
    private static let path = "/v1/health/service/web"

    private func index(_ request: OutboundRequest) -> String? {
        request.url.split(separator: "index=").last.map { String($0.prefix { $0 != "&" }) }
    }

    /// Runs an entry that watches one service, whose first answer has index 5, until it hangs for the first time.
    private func withHangingQuery(
        _ body: (FakeAgent, ScriptedTransport, Bench, ManualClock) async throws -> Void
    ) async throws {
        let agent = FakeAgent()
        agent.set(catalog: "{}", services: ["web": Self.web], index: 5)
        let transport = agent.transport
        let clock = ManualClock(now: 1_000_000)
        let bench = Bench(transport, clock: clock)
        try await bench.run("consul_sd_configs: [{services: [web], datacenter: d}]") {
            #expect(await eventually { bench.addresses == ["10.0.0.1:80"] && clock.sleeperCount == 1 })
            clock.advance(by: 30_000)
            #expect(await eventually { agent.hanging == [Self.path] })
            try await body(agent, transport, bench, clock)
        }
    }

    @Test("Each request has a connection of its own, for the streams of a shared one would run out")
    func noHTTP2() async throws {
        try await withHangingQuery { _, transport, _, _ in
            #expect(transport.requests.count == 2)
            #expect(transport.requests.allSatisfy { !$0.client.enablesHTTP2 })
        }
    }

    @Test("A wait that ends without news changes nothing, and is followed by another for the same index")
    func sameIndex() async throws {
        try await withHangingQuery { agent, transport, bench, clock in
            let version = bench.feed.version
            clock.advance(by: 120_000)
            agent.release()
            // The interval is over already.
            #expect(await eventually { transport.requests.count == 3 && agent.hanging == [Self.path] })
            #expect(transport.requests.map(index) == ["0", "5", "5"])
            #expect(bench.feed.version == version)
            #expect(bench.metrics.contains("prometheus_sd_received_updates_total{name=\"scrape\"} 1\n"))
        }
    }

    @Test("An index that goes back is news, and the next query asks for all")
    func indexGoesBack() async throws {
        try await withHangingQuery { agent, transport, bench, clock in
            clock.advance(by: 30_000)
            agent.set(catalog: "{}", services: ["web": Self.moved], index: 2)
            #expect(await eventually { bench.addresses == ["10.0.0.2:80"] && clock.sleeperCount == 1 })
            clock.advance(by: 30_000)
            #expect(await eventually { transport.requests.count >= 4 || agent.hanging == [Self.path] })
            #expect(transport.requests.map(index).prefix(3) == ["0", "5", "0"])
        }
    }

    @Test("An agent that tells no index is asked once an interval")
    func noIndex() async throws {
        try await withHangingQuery { agent, transport, bench, clock in
            clock.advance(by: 30_000)
            agent.tellIndex(false)
            agent.set(catalog: "{}", services: ["web": Self.moved])
            #expect(await eventually { bench.addresses == ["10.0.0.2:80"] && clock.sleeperCount == 1 })
            agent.set(catalog: "{}", services: ["web": Self.web])
            clock.advance(by: 30_000)
            #expect(await eventually { bench.addresses == ["10.0.0.1:80"] && clock.sleeperCount == 1 })
            #expect(transport.requests.map(index).suffix(1) == ["0"])
            #expect(agent.hanging.isEmpty)
        }
    }

    @Test("A clock that is set back while a query hangs delays the next one by no more than the interval")
    func clockSetBack() async throws {
        try await withHangingQuery { agent, _, bench, clock in
            clock.set(to: 0)
            agent.set(catalog: "{}", services: ["web": Self.moved])
            #expect(await eventually { bench.addresses == ["10.0.0.2:80"] && clock.sleeperCount == 1 })
            clock.advance(by: 30_000)
            #expect(await eventually { agent.hanging == [Self.path] })
        }
    }

    @Test("The query of a service that vanishes from the catalog is abandoned while it hangs")
    func vanishedService() async throws {
        let agent = FakeAgent()
        agent.set(catalog: #"{"web":[],"db":[]}"#, services: ["web": Self.web, "db": Self.moved])
        let clock = ManualClock(now: 0)
        let bench = Bench(agent.transport, clock: clock)
        try await bench.run("consul_sd_configs: [{datacenter: d}]") {
            #expect(await eventually { bench.addresses.count == 2 && clock.sleeperCount == 3 })
            clock.advance(by: 30_000)
            #expect(await eventually { agent.hanging.count == 3 })
            agent.setCatalog(#"{"db":[]}"#)
            #expect(await eventually { bench.addresses == ["10.0.0.2:80"] })
            #expect(agent.cancelled == [Self.path])
            #expect(bench.failureCount == 0)
        }
    }

    @Test("Where too many queries hang already, the others ask once an interval")
    func tooMany() async throws {
        let agent = FakeAgent()
        agent.set(catalog: "{}", services: ["a": Self.web, "b": Self.web])
        let transport = agent.transport
        let clock = ManualClock(now: 0)
        var context = Bench(transport, clock: clock).context
        context.hangingRequests = HangingRequests(max: 1)
        let bench = Bench(transport, clock: clock)
        let entry = try one(section("consul_sd_configs: [{services: [a, b], datacenter: d}]").entries)
        await bench.run(entry.kind.discoverer(context)) {
            #expect(await eventually { bench.addresses.count == 2 && clock.sleeperCount == 2 })
            clock.advance(by: 30_000)
            #expect(await eventually { agent.hanging.count == 1 && clock.sleeperCount == 1 })
            #expect(transport.requests.map(index).sorted { ($0 ?? "") < ($1 ?? "") } == ["0", "0", "0", "2"])
            // The one that does not hang sees its news an interval later, and then may hang.
            clock.advance(by: 30_000)
            #expect(await eventually { transport.requests.count == 5 && clock.sleeperCount == 1 })
            agent.set(catalog: "{}", services: ["a": Self.moved, "b": Self.moved])
            #expect(await eventually { clock.sleeperCount >= 1 && bench.addresses.contains("10.0.0.2:80") })
            clock.advance(by: 30_000)
            #expect(await eventually { bench.addresses == ["10.0.0.2:80", "10.0.0.2:80"] })
        }
    }

    @Test("The hanging requests of each server are counted for themselves")
    func counting() {
        let requests = HangingRequests(max: 2)
        #expect([requests.begin(at: "a"), requests.begin(at: "a"), requests.begin(at: "a")] == [true, true, false])
        #expect(requests.begin(at: "b"))
        requests.end(at: "a")
        #expect(requests.begin(at: "a"))
        #expect(!requests.begin(at: "a"))
    }
}
