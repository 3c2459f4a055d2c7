import OwnThreads
import SeriesModel
import StorageAPI
import Synchronization
import TestSupport
import Testing

@testable import RemoteStorage

@Suite("What version 2 always carries")
struct SecondVersionTests {
    private static let now: Timestamp = 1_700_000_000_000
    private static let series: LabelSet = ["__name__": "m"]
    private static let message = "name: a, protobuf_message: io.prometheus.write.v2.Request, "

    @Test("metadata is there a few seconds after the first scrape, whatever metadata_config says")
    func metadataSoon() async throws {
        let clock = ManualClock(now: Self.now)
        let receiver = try await TestReceiver.start { _, _ in
            .answer(
                status: "204 No Content", headers: ["X-Prometheus-Remote-Write-Samples-Written": "1"], body: [])
        }
        let calls = Atomic(0)
        let bench = SenderBench(clock: clock) { options in
            options.metadata = {
                let isFirst = calls.wrappingAdd(1, ordering: .relaxed).oldValue == 0
                return isFirst ? [:] : ["m": [MetricMetadata(kind: .gauge, help: "An m.")]]
            }
        }
        let keys = "metadata_config: {send: false, send_interval: 1h}, queue_config: {max_samples_per_send: 1}"
        await bench.apply([try SenderBench.section(receiver.url, Self.message + keys)])
        // The deadline's, the resharding's and that of the metadata.
        #expect(await eventually { clock.sleeperCount == 3 })
        clock.advance(by: 3000)
        #expect(await eventually { calls.load(ordering: .relaxed) == 2 && clock.sleeperCount == 3 })
        bench.log.append([1], at: Self.now, 1, new: [(1, Self.series)])
        #expect(await eventually { !receiver.requests.isEmpty })
        let found = receiver.requests.first?.decoded.series.first?.metadata
        #expect(found?.kind == 2 && found?.help == "An m.")
        clock.advance(by: 59_000)
        #expect(await eventually { clock.sleeperCount == 3 })
        #expect(calls.load(ordering: .relaxed) == 2)
        clock.advance(by: 1000)
        #expect(await eventually { calls.load(ordering: .relaxed) == 3 })
        let isStopping = Task { await bench.stop() }
        #expect(
            await eventually {
                clock.advance(by: 1000)
                return bench.log.state.withState { $0.openConsumers.isEmpty }
            })
        await isStopping.value
    }

    @Test("native histograms are sent without send_native_histograms")
    func histograms() async throws {
        let receiver = try await TestReceiver.start { _, _ in
            .answer(
                status: "204 No Content", headers: ["X-Prometheus-Remote-Write-Histograms-Written": "1"], body: [])
        }
        let bench = SenderBench()
        await bench.apply([try SenderBench.section(receiver.url, Self.message + SenderBench.quick)])
        bench.log.append { record in
            record.newSeries = [(1, Self.series)]
            record.add(1, 2, Histograms.simple(4))
        }
        #expect(await eventually { bench.log.position(of: "name:a") == 1 })
        let samples = receiver.requests.flatMap(\.decoded.series).flatMap(\.samples)
        #expect(samples.count == 1)
        await bench.stop()
    }
}
