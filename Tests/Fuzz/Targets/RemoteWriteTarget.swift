import ByteCoding
import Logging
import RemoteStorage
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization
import TestSupport

extension FuzzTarget {
    /// Messages of remote write; an input is one before compression.
    static let remoteWrite = FuzzTarget(
        name: "remote-write",
        seeds: {
            (0..<20 as Range<UInt64>).map { seed in
                var random = SeededRandom(seed: seed)
                return RemoteWriteTarget.message(&random)
            }
        }, words: RemoteWriteTarget.words, generate: { random in RemoteWriteTarget.message(&random) },
        makeRun: {
            let target = RemoteWriteTarget()
            return { input in try await target.run(input) }
        })
}

private final class RemoteWriteTarget: Sendable {
    private let store = CheckingStore()
    private let receiver: WriteReceiver

    init() {
        var logger = Logger(label: "fuzz")
        logger.logLevel = .critical
        receiver = WriteReceiver(
            storage: store, clock: ManualClock(now: 0), registry: MetricsRegistry(), logger: logger, samplesMax: 100_000
        )
    }

    func run(_ input: [UInt8]) async throws -> Bool {
        // The bytes as they came, for the decompression.
        try check(await receiver.receive(input))
        let isTaken = try check(await receiver.receive(Snappy.compress(input)))
        if let finding = store.finding { throw FuzzFinding(finding) }
        return isTaken
    }

    @discardableResult
    private func check(_ outcome: WriteReceiver.Outcome) throws -> Bool {
        switch outcome {
        case .stored: return true
        case .refused(let reason):
            if reason.isEmpty { throw FuzzFinding("an error without a word") }
            return false
        case .failed(let reason): throw FuzzFinding("a store that never fails failed: \(reason)")
        }
    }

    static let words = [
        "\u{A}", "\u{12}", "\u{1A}", "\u{8}", "\u{10}", "\u{9}", "\u{A}\u{3}", "\u{8}__name__", "\u{12}\u{1}x", "\0",
        "\u{7F}", "\u{A}\u{0}", "\u{22}", "\u{2A}", "job",
    ]

    static func message(_ random: inout SeededRandom) -> [UInt8] {
        var writer = WriteRequestWriter()
        for series in 0..<1 + random.below(4) {
            var labels = LabelSet([Label(Label.metricName, random.pick(["a", "b", "utf.8"]))])
            for label in 0..<random.below(4) { labels = labels.setting("l\(label)", "v\(series)") }
            writer.beginSeries(labels)
            for sample in 0..<random.below(6) {
                writer.append(Int64(sample) * 1000, random.pick([0, -1.5, .infinity, .nan, 1e300]))
            }
            writer.endSeries()
        }
        return writer.bytes
    }
}

/// Takes everything, and looks whether it is what a store may be given.
private final class CheckingStore: Appendable {
    private let found = Mutex<String?>(nil)

    var finding: String? { found.withLock { $0 } }

    func append(_ batch: SampleBatch) async throws -> AppendResult {
        for labels in batch.newSeries where LabelSet(validating: labels.packed) != labels || labels.isEmpty {
            found.withLock { $0 = "labels that are none: \(labels.packed)" }
        }
        if batch.series.count != batch.timestamps.count {
            found.withLock { $0 = "\(batch.series.count) samples at \(batch.timestamps.count) times" }
        }
        var result = AppendResult()
        result.refs = batch.newSeries.indices.map { SeriesRef(slot: UInt32(clamping: $0), generation: 1) }
        result.accepted = batch.count
        return result
    }
}
