import OwnThreads
import SelfMetrics
import SeriesModel
import TestSupport
import Testing

@testable import RemoteStorage

@Suite("The deadline for stopping")
struct StopDeadlineTests {
    @Test("what a reload has taken of the deadline is not given a second time")
    func oneDeadline() async throws {
        let clock = ManualClock(now: 1_700_000_000_000)
        let receivers = [
            try await TestReceiver.start { _, _ in .hang }, try await TestReceiver.start { _, _ in .hang },
        ]
        let bench = SenderBench(clock: clock) { $0.flushDeadline = 20_000 }
        let keys = ", queue_config: {max_samples_per_send: 1}"
        let kept = try SenderBench.section(receivers[0].url, "name: kept" + keys)
        await bench.apply([kept, try SenderBench.section(receivers[1].url, "name: gone" + keys)])
        bench.log.append([1], at: clock.now(), 1, new: [(1, ["__name__": "m"])])
        #expect(await eventually { receivers.allSatisfy { $0.requests.count == 1 } })
        // Each queue has three loops that sleep.
        #expect(await eventually { clock.sleeperCount == 6 })
        let reload = Task { await bench.sender.apply([kept], externalLabels: .empty) }
        #expect(await eventually { clock.sleeperCount == 7 })
        await bench.sender.beginStop()
        clock.advance(by: 20_000)
        #expect(await eventually { bench.log.state.withState { $0.openConsumers == ["name:kept"] } })
        await reload.value
        #expect(await eventually { clock.sleeperCount == 3 })
        let stop = Task { await bench.stop() }
        #expect(await eventually { clock.sleeperCount == 4 })
        clock.advance(by: 3000)
        #expect(await eventually { bench.log.state.withState { $0.openConsumers.isEmpty } })
        clock.advance(by: 20_000)
        await stop.value
    }

    @Test("after the beginning of the end no queue is started")
    func noNewQueues() async throws {
        let receiver = try await TestReceiver.start()
        let bench = SenderBench()
        await bench.sender.beginStop()
        await bench.sender.apply([try SenderBench.section(receiver.url)], externalLabels: .empty)
        #expect(bench.log.state.withState { $0.openConsumers.isEmpty })
        #expect(!bench.registry.exposition().contains("prometheus_remote_storage_shards{"))
        await bench.stop()
    }
}
