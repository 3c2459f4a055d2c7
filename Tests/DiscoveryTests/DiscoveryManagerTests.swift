import OutboundHTTP
import SelfMetrics
import SeriesModel
import Synchronization
import TestSupport
import Testing

@testable import Discovery

@Suite("Discovery manager")
struct DiscoveryManagerTests {
    private final class Received: Sendable {
        let deliveries = Mutex<[[TargetGroup]]>([])

        var count: Int { deliveries.withLock { $0.count } }

        var addresses: [String] {
            deliveries.withLock { $0.last ?? [] }.flatMap { $0.targets.map { $0["__address__"] ?? "" } }
        }
    }

    private let web = "http_sd_configs: [{url: 'http://h/sd'}]"

    @Test("Equal entries share one discoverer, across jobs and across configurations")
    func sharing() async throws {
        let transport = ScriptedTransport { _ in ScriptedTransport.json(#"[{"targets":["a:1"]}]"#) }
        let registry = MetricsRegistry()
        let manager = DiscoveryManager(
            name: "scrape", transport: transport, clock: ManualClock(now: 0), registry: registry)
        let one = try section(web)
        let other = try section(web + "\nstatic_configs: [{targets: ['s:1']}]")
        manager.apply([("j", one), ("k", other)])
        let (first, second) = (Received(), Received())
        let tasks = [(one, first, "j"), (other, second, "k")].map { section, received, name in
            Task {
                await manager.run(section, config: name) { groups in received.deliveries.withLock { $0.append(groups) }
                }
            }
        }
        #expect(await eventually { first.addresses == ["a:1"] && second.addresses == ["s:1", "a:1"] })
        for name in ["j", "k"] {
            #expect(
                registry.exposition().contains(
                    #"prometheus_sd_refresh_failures_total{mechanism="http",config="\#(name)"} 0"#))
        }
        #expect(registry.exposition().contains(#"prometheus_sd_discovered_targets{name="scrape",config="k"} 2"#))
        // The entry is in the next configuration too, under another name: nobody asks anew.
        manager.apply([("n", one)])
        let third = Received()
        let task = Task {
            await manager.run(one, config: "n") { groups in third.deliveries.withLock { $0.append(groups) } }
        }
        #expect(await eventually { third.addresses == ["a:1"] })
        #expect(transport.requests.count == 1)
        #expect(!registry.exposition().contains(#"config="k""#))
        for task in tasks + [task] { task.cancel() }
        for task in tasks + [task] { await task.value }
        await manager.stop()
    }

    @Test("A failure is counted for each job that shares the discoverer")
    func failures() async throws {
        let transport = ScriptedTransport { _ in ScriptedTransport.status(500) }
        let registry = MetricsRegistry()
        let manager = DiscoveryManager(
            name: "scrape", transport: transport, clock: ManualClock(now: 0), registry: registry)
        let shared = try section(web)
        manager.apply([("j", shared), ("k", shared)])
        for name in ["j", "k"] {
            #expect(
                await eventually {
                    registry.exposition().contains(
                        #"prometheus_sd_refresh_failures_total{mechanism="http",config="\#(name)"} 1"#)
                })
        }
        manager.apply([])
        #expect(!registry.exposition().contains(#"mechanism="http",config"#))
        await manager.stop()
    }

    @Test("An entry that no configuration names any more is not asked again")
    func ending() async throws {
        let clock = ManualClock(now: 0)
        let transport = ScriptedTransport { _ in ScriptedTransport.json("[]") }
        let manager = DiscoveryManager(
            name: "scrape", transport: transport, clock: clock, registry: MetricsRegistry())
        manager.apply([("j", try section(web))])
        #expect(await eventually { clock.sleeperCount == 1 })
        manager.apply([])
        #expect(await eventually { clock.sleeperCount == 0 })
        #expect(transport.requests.count == 1)
        await manager.stop()
    }

    @Test("Stopping ends what hangs, and nothing begins afterwards")
    func stopping() async throws {
        let transport = ScriptedTransport { _ throws(OutboundError) in
            try? await Task.sleep(for: .seconds(3600))
            throw OutboundError(.cancelled, "cancelled")
        }
        let registry = MetricsRegistry()
        let manager = DiscoveryManager(
            name: "scrape", transport: transport, clock: ManualClock(now: 0), registry: registry)
        let all = try section(
            """
            http_sd_configs: [{url: 'http://h/sd'}]
            docker_sd_configs: [{host: 'tcp://h:1'}]
            consul_sd_configs: [{services: [a], datacenter: d}, {datacenter: d}]
            kubernetes_sd_configs: [{role: endpoints, api_server: 'http://k'}]
            """)
        manager.apply([("j", all)])
        #expect(await eventually { transport.requests.count == 7 })
        let listener = Task { await manager.run(all, config: "j") { _ in } }
        await manager.stop()
        listener.cancel()
        await listener.value
        manager.apply([("j", all)])
        await manager.run(all, config: "j") { _ in }
        #expect(transport.requests.count == 7)
        #expect(registry.exposition().contains(#"mechanism="http",config="j"} 0"#))
    }

    @Test("Updates that come fast go out together, the last state in the end")
    func throttling() async throws {
        let clock = ManualClock(now: 0)
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = try directory.write("a.json", #"[{"targets":["h:0"]}]"#)
        let registry = MetricsRegistry()
        let manager = DiscoveryManager(
            name: "scrape", transport: ScriptedTransport { _ in ScriptedTransport.status(404) }, clock: clock,
            registry: registry)
        let files = try section("file_sd_configs: [{files: ['\(path)']}]")
        manager.apply([("j", files)])
        let received = Received()
        let task = Task {
            await manager.run(files, config: "j") { groups in received.deliveries.withLock { $0.append(groups) } }
        }
        #expect(await eventually { received.addresses == ["h:0"] })
        for number in 1...5 { try directory.write("a.json", #"[{"targets":["h:\#(number)"]}]"#) }
        // The look every few seconds, and the update that waits.
        #expect(await eventually { clock.sleeperCount == 2 })
        #expect(received.count == 1)
        #expect(registry.exposition().contains(#"prometheus_sd_updates_delayed_total{name="scrape"} 1"#))
        #expect(
            await eventually {
                clock.advance(by: UpdatePace.gapMin)
                return received.addresses == ["h:5"]
            })
        #expect(received.count <= 4)
        task.cancel()
        await task.value
        await manager.stop()
    }

    @Test("The pace slows down to five seconds while updates keep coming, and recovers when they stop")
    func pace() {
        var pace = UpdatePace()
        var now: Timestamp = 0
        var waits: [Int64] = []
        for _ in 0..<8 {
            let wait = pace.wait(now: now)
            waits.append(wait)
            now += wait
            pace.sent(now: now)
        }
        #expect(waits == [0, 250, 500, 1000, 2000, 4000, 5000, 5000])
        #expect(pace.wait(now: now + 5000) == 0)
        pace.sent(now: now + 60_000)
        #expect(pace.wait(now: now + 60_000) == 250)
        // A clock that was set back holds nothing up for longer.
        #expect(pace.wait(now: 0) == 250)
    }

    @Test("Without anything but static targets the run ends by itself")
    func staticOnly() async throws {
        let manager = DiscoveryManager(
            name: "scrape", transport: ScriptedTransport { _ in ScriptedTransport.status(404) },
            clock: ManualClock(now: 0), registry: MetricsRegistry())
        let received = Received()
        await manager.run(try section("static_configs: [{targets: ['s:1']}]"), config: "j") { groups in
            received.deliveries.withLock { $0.append(groups) }
        }
        #expect(received.addresses == ["s:1"])
        await manager.stop()
    }
}
