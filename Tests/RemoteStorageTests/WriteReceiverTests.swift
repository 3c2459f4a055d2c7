import ByteCoding
import Logging
import RemoteStorage
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization
import Testing

/// A store that keeps the batches that it is handed, and answers as it is told.
private final class RecordingStore: Appendable {
    let batches = Mutex<[SampleBatch]>([])
    private let answer: @Sendable (SampleBatch) throws -> AppendResult

    init(_ answer: @escaping @Sendable (SampleBatch) throws -> AppendResult = { _ in AppendResult() }) {
        self.answer = answer
    }

    func append(_ batch: SampleBatch) async throws -> AppendResult {
        batches.withLock { $0.append(batch) }
        return try answer(batch)
    }
}

@Suite("The receiver of remote write")
struct WriteReceiverTests {
    private static let now: Timestamp = 1_700_000_000_000
    private let registry = MetricsRegistry()

    private func receiver(_ store: RecordingStore, samplesMax: Int = 1000) -> WriteReceiver {
        WriteReceiver(
            storage: store, clock: ManualClock(now: WriteReceiverTests.now), registry: registry,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, samplesMax: samplesMax)
    }

    private typealias Series = (labels: LabelSet, samples: [(Timestamp, Double)])

    private func body(_ series: [Series]) -> [UInt8] {
        var writer = WriteRequestWriter()
        for (labels, samples) in series {
            writer.beginSeries(labels)
            for (time, value) in samples { writer.append(time, value) }
            writer.endSeries()
        }
        return Snappy.compress(writer.bytes)
    }

    private static let up: LabelSet = ["__name__": "up", "job": "a"]
    private static let down: LabelSet = ["__name__": "down"]

    @Test("hands the store one batch a request, all or nothing")
    func oneBatch() async {
        let store = RecordingStore()
        let series: [Series] = [
            (WriteReceiverTests.up, [(1000, 1), (2000, StaleMarker.value)]), (WriteReceiverTests.down, [(1500, -0.0)]),
        ]
        #expect(await receiver(store).receive(body(series)) == .stored)
        let batches = store.batches.withLock { $0 }
        #expect(batches.count == 1)
        #expect(batches.first?.isAllOrNothing == true)
        #expect(batches.first?.newSeries == [WriteReceiverTests.up, WriteReceiverTests.down])
        #expect(batches.first?.series == [.new(0), .new(0), .new(1)])
        #expect(batches.first?.timestamps == [1000, 2000, 1500])
        #expect(batches.first?.values.map(\.bitPattern) == [1, StaleMarker.value, -0.0].map(\.bitPattern))
    }

    /// `up` with an exemplar of `a="b"`, 0.5 at 1 s, and no sample.
    private static let exemplarOnly: [UInt8] = [
        0x0A, 0x29, 0x0A, 0x0E, 0x0A, 0x08, 0x5F, 0x5F, 0x6E, 0x61, 0x6D, 0x65, 0x5F, 0x5F, 0x12, 0x02, 0x75, 0x70,
        0x1A, 0x14, 0x0A, 0x06, 0x0A, 0x01, 0x61, 0x12, 0x01, 0x62, 0x11, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F, 0x18, 0xE8,
        0x07,
    ]

    @Test("hands exemplars on, also without samples, and refuses nothing for one that is out of order")
    func exemplars() async {
        let store = RecordingStore { _ in
            var result = AppendResult()
            result.exemplarsOutOfOrder = 1
            return result
        }
        var message = WriteReceiverTests.exemplarOnly
        message[1] = UInt8(message.count - 2)
        #expect(await receiver(store).receive(Snappy.compress(message)) == .stored)
        let batches = store.batches.withLock { $0 }
        #expect(batches.first?.newSeries == [["__name__": "up"]])
        #expect(batches.first?.count == 0)
        #expect(batches.first?.exemplars.map(\.series) == [.new(0)])
        #expect(
            batches.first?.exemplars.map(\.exemplar) == [Exemplar(labels: ["a": "b"], value: 0.5, timestamp: 1000)])
        let many = [UInt8](repeatElement(message, count: 4).joined())
        guard case .refused = await receiver(RecordingStore(), samplesMax: 3).receive(Snappy.compress(many)) else {
            Issue.record("so many exemplars should be refused")
            return
        }
    }

    @Test("asks nothing of the store where there are no samples")
    func empty() async {
        let store = RecordingStore()
        #expect(await receiver(store).receive(body([])) == .stored)
        #expect(await receiver(store).receive(body([(WriteReceiverTests.up, [])])) == .stored)
        #expect(store.batches.withLock { $0.isEmpty })
    }

    @Test("leaves series with invalid labels out, counts them, and stores the others")
    func invalidLabels() async {
        let store = RecordingStore()
        let series: [Series] = [
            (["job": "a"], [(1000, 1)]), (WriteReceiverTests.up, [(1000, 1)]),
            (.empty, [(1000, 1), (2000, 2)]),
        ]
        #expect(await receiver(store).receive(body(series)) == .stored)
        #expect(store.batches.withLock { $0.map(\.newSeries) } == [[WriteReceiverTests.up]])
        let text = registry.exposition(openMetrics: false)
        #expect(text.contains("prometheus_api_remote_write_invalid_labels_samples_total 2\n"))
    }

    @Test("hands over native histograms, a stale one as the stale marker")
    func histograms() async {
        let store = RecordingStore()
        // A series `up` with two histograms of nothing but a time and a sum: 1.5, and the stale marker.
        let label: [UInt8] = [0x0A, 14, 0x0A, 8] + Array("__name__".utf8) + [0x12, 2] + Array("up".utf8)
        var series = label
        for (sum, time) in [(1.5, 5), (StaleMarker.value, 6)] as [(Double, UInt8)] {
            series += [0x22, 11, 0x19] + withUnsafeBytes(of: sum.bitPattern.littleEndian, Array.init) + [0x78, time]
        }
        let message = [0x0A, UInt8(series.count)] + series
        #expect(await receiver(store).receive(Snappy.compress(message)) == .stored)
        let batch = store.batches.withLock { $0.first }
        #expect(batch?.timestamps == [5, 6])
        #expect(batch?.histogramRows == [0])
        #expect(batch?.histograms.map(\.sum) == [1.5])
        #expect(batch?.values.last.map(StaleMarker.isStale) == true)
    }

    @Test("refuses a request of more samples than it takes")
    func tooManySamples() async {
        let store = RecordingStore()
        let samples = (1...3).map { (Timestamp($0), 1.0) }
        let body = body([(WriteReceiverTests.up, samples), (WriteReceiverTests.down, samples)])
        #expect(await receiver(store, samplesMax: 6).receive(body) == .stored)
        #expect(
            await receiver(store, samplesMax: 5).receive(body) == .refused("request holds more than 5 samples"))
        #expect(store.batches.withLock { $0.map(\.count) } == [6])
    }

    @Test("tells what is wrong with a histogram that the store refuses")
    func invalidHistogram() async {
        let store = RecordingStore { _ in
            var result = AppendResult()
            result.refusal = .init(sample: 0, reason: .invalidHistogram)
            return result
        }
        let label: [UInt8] = [0x0A, 14, 0x0A, 8] + Array("__name__".utf8) + [0x12, 2] + Array("up".utf8)
        // Schema -10.
        let series = label + [0x22, 2, 0x20, 19]
        guard
            case .refused(let reason) = await receiver(store).receive(
                Snappy.compress([0x0A, UInt8(series.count)] + series))
        else {
            Issue.record("an invalid histogram was taken")
            return
        }
        #expect(reason.contains("histogram has an invalid schema"))
    }

    @Test("refuses what is no snappy block or no message, and stores nothing of it")
    func malformed() async {
        let store = RecordingStore()
        #expect(await receiver(store).receive([]) == .refused("snappy: corrupt input"))
        #expect(await receiver(store).receive(Array("hello".utf8)) == .refused("snappy: corrupt input"))
        var message = WriteRequestWriter()
        message.beginSeries(WriteReceiverTests.up)
        message.append(1000, 1)
        message.endSeries()
        let cut = Snappy.compress(Array((message.bytes + message.bytes).dropLast()))
        guard case .refused(let reason) = await receiver(store).receive(cut) else {
            Issue.record("a message that ends early was taken")
            return
        }
        #expect(reason.hasPrefix("protobuf: the message ends within a field at byte "))
        #expect(store.batches.withLock { $0.isEmpty })
    }

    @Test("refuses a block that declares more than 32 MiB, whatever is in it")
    func bomb() async {
        let store = RecordingStore()
        let bomb = Snappy.compress([UInt8](repeating: 0, count: WriteReceiver.messageBytesMax + 1))
        let expected = WriteReceiver.Outcome.refused("decoded size exceeds the 33554432 bytes limit")
        #expect(await receiver(store).receive(bomb) == expected)
        #expect(await receiver(store).receive([0x81, 0x80, 0x80, 0x10, 0]) == expected)
    }

    @Test(
        "tells senders of refused samples what upstream tells",
        arguments: [
            (.outOfOrder, 0, nil, "out of order sample"),
            (.tooOld, 0, nil, "too old sample"),
            (.outOfBounds, -1, nil, "out of bounds"),
            (.outOfBounds, 1, nil, "out of bounds: timestamp is too far in the future"),
            (
                .duplicateTimestamp, 0, 1.5,
                "duplicate sample for timestamp 1700000000000; overrides not allowed: existing 1.5, new value 3"
            ),
        ] as [(AppendResult.Rejection, Int64, Double?, String)])
    func refusals(reason: AppendResult.Rejection, offset: Int64, existing: Double?, text: String) async {
        let store = RecordingStore { _ in
            var result = AppendResult()
            result.refusal = .init(sample: 1, reason: reason, existing: existing)
            return result
        }
        let samples = [(WriteReceiverTests.now - 10, 2.0), (WriteReceiverTests.now + offset, 3.0)]
        #expect(await receiver(store).receive(body([(WriteReceiverTests.up, samples)])) == .refused(text))
    }

    @Test("is content where samples are left out of a batch that was taken")
    func partly() async {
        let store = RecordingStore { _ in
            var result = AppendResult()
            result.accepted = 1
            result.rejected = [(1, .outOfOrder)]
            return result
        }
        let samples = [(WriteReceiverTests.now, 1.0), (WriteReceiverTests.now - 1, 1.0)]
        #expect(await receiver(store).receive(body([(WriteReceiverTests.up, samples)])) == .stored)
    }

    @Test("has the sender try again where the store fails")
    func storeFails() async {
        let store = RecordingStore { _ in throw StorageError.unavailable(reason: "too many batches wait") }
        let body = body([(WriteReceiverTests.up, [(1000, 1)])])
        #expect(await receiver(store).receive(body) == .failed("too many batches wait"))
    }
}
