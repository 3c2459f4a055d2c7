import Glibc
import OutboundHTTP
import SelfMetrics
import SeriesModel
import Synchronization
import TestSupport
import Testing

@testable import Discovery

@Suite("The end of discoverers")
struct DiscoveryEndTests {
    @Test("A user of an old configuration that begins late makes no discoverer that nobody would end")
    func lateUser() async throws {
        let transport = ScriptedTransport { _ in ScriptedTransport.json(#"[{"targets":["a:1"]}]"#) }
        let clock = ManualClock(now: 0)
        let manager = DiscoveryManager(
            name: "scrape", transport: transport, clock: clock, registry: MetricsRegistry())
        let old = try section("http_sd_configs: [{url: 'http://old/sd'}]")
        manager.apply([("j", old)])
        #expect(await eventually { clock.sleeperCount == 1 })
        manager.apply([("j", try section("http_sd_configs: [{url: 'http://new/sd'}]"))])
        #expect(await eventually { transport.requests.count == 2 && clock.sleeperCount == 1 })
        await manager.run(old, config: "j") { _ in }
        #expect(manager.groups(of: old).isEmpty)
        #expect(transport.requests.map(\.url) == ["http://old/sd", "http://new/sd"])
        await manager.stop()
    }

    @Test("A cancelled user is told nothing")
    func cancelledUser() async throws {
        let manager = DiscoveryManager(
            name: "scrape", transport: ScriptedTransport { _ in ScriptedTransport.status(404) },
            clock: ManualClock(now: 0), registry: MetricsRegistry())
        let named = try section("static_configs: [{targets: ['s:1']}]")
        let deliveries = Mutex(0)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await manager.run(named, config: "j") { _ in deliveries.withLock { $0 += 1 } }
        }
        await task.value
        #expect(deliveries.withLock { $0 } == 0)
        await manager.stop()
    }

    @Test("A file that cannot be read to its end holds up neither other kinds nor the end")
    func hangingFiles() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        // Who opens a pipe waits until somebody writes, as a network file system waits for its server.
        let pipes = ["a.json", "b.json", "c.json"].map { directory($0) }
        for pipe in pipes { #expect(mkfifo(pipe, 0o600) == 0) }
        let transport = ScriptedTransport { _ in ScriptedTransport.json(#"[{"targets":["a:1"]}]"#) }
        let clock = ManualClock(now: 0)
        let manager = DiscoveryManager(
            name: "scrape", transport: transport, clock: clock, registry: MetricsRegistry())
        let files = pipes.map { "{files: ['\($0)']}" }.joined(separator: ", ")
        let hanging = try section("file_sd_configs: [\(files)]")
        manager.apply([("f", hanging)])
        let web = try section("http_sd_configs: [{url: 'http://h/sd'}]")
        manager.apply([("f", hanging), ("j", web)])
        #expect(await eventually { manager.groups(of: web).flatMap(\.targets) == [["__address__": "a:1"]] })
        let hasStopped = Atomic(false)
        let stop = Task {
            await manager.stop()
            hasStopped.store(true, ordering: .sequentiallyConsistent)
        }
        #expect(
            await eventually {
                clock.advance(by: DiscoveryManager.stopWaitMax)
                return hasStopped.load(ordering: .sequentiallyConsistent)
            })
        await stop.value
        // Lets the readers go.
        for pipe in pipes {
            let descriptor = open(pipe, O_RDWR | O_NONBLOCK)
            #expect(descriptor >= 0)
            _ = write(descriptor, "[]", 2)
            close(descriptor)
        }
    }

    @Test("The time of a file stays while one of its readers is left")
    func fileTimes() {
        let registry = MetricsRegistry()
        let other = MetricsRegistry()
        var (old, next, stranger) = (FileTimes(registry), FileTimes(registry), FileTimes(other))
        func isThere(_ registry: MetricsRegistry) -> Bool {
            registry.exposition().contains(#"prometheus_sd_file_mtime_seconds{filename="/a.json"}"#)
        }
        stranger.set("/a.json", seconds: 1)
        old.set("/a.json", seconds: 1)
        old.set("/a.json", seconds: 2)
        next.set("/a.json", seconds: 2)
        old.forgetAll()
        #expect(isThere(registry))
        old.forget("/a.json")
        #expect(isThere(registry))
        next.forget("/a.json")
        #expect(!isThere(registry))
        #expect(isThere(other))
        stranger.forgetAll()
        #expect(!isThere(other))
    }
}
