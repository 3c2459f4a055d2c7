import OwnThreads
import SeriesModel
import StorageAPI
import Synchronization
import TestSupport
import Testing

@testable import RemoteStorage

@Suite("The age limit of samples that are sent")
struct SampleAgeTests {
    private static let now: Timestamp = 1_700_000_000_000
    private static let series: LabelSet = ["__name__": "m"]

    @Test("what has grown too old while it waited is not sent the first time either")
    func beforeTheFirstAttempt() async throws {
        let clock = ManualClock(now: Self.now)
        let receiver = try await TestReceiver.start { _, _ in
            clock.advance(by: 60_000)
            return TestReceiver.accepted
        }
        let bench = SenderBench(clock: clock)
        let keys =
            "name: a, metadata_config: {send: false}, "
            + "queue_config: {max_samples_per_send: 1, capacity: 10, sample_age_limit: 2m}"
        await bench.apply([try SenderBench.section(receiver.url, keys)])
        bench.log.append { record in
            record.newSeries = [(1, Self.series)]
            record.add(1, Self.now, 1)
            record.add(1, Self.now - 100_000, 2)
        }
        #expect(await eventually { bench.log.position(of: "name:a") == 1 })
        #expect(receiver.requests.count == 1)
        #expect(receiver.times(of: Self.series) == [Self.now])
        #expect(bench.total("prometheus_remote_storage_samples_dropped_total") == 1)
        let isStopping = Task { await bench.stop() }
        #expect(
            await eventually {
                clock.advance(by: 1000)
                return bench.log.state.withState { $0.openConsumers.isEmpty }
            })
        await isStopping.value
    }
}
