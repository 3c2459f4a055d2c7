import FileIO
import Logging
import SelfMetrics
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

#if canImport(Glibc)
    import Glibc
#endif

/// A store on a simulated disk and a clock that stands still. The lock and SQLite's files need a real directory: it has
/// the same path, and goes with the object.
final class TestStore {
    /// 2026-01-01T00:00:00Z, a multiple of two hours. ms
    static let start: Timestamp = 1_767_225_600_000
    static let hour: Int64 = 3_600_000

    let directory: TemporaryDirectory
    let clock: ManualClock
    private(set) var disk: SimulatedFileSystem
    private(set) var metrics = MetricsRegistry()
    private(set) var store: TSDB
    private let adjust: (inout TSDBOptions) -> Void

    /// - Parameter adjust: changes the options at every opening.
    init(now: Timestamp = TestStore.start, adjust: @escaping (inout TSDBOptions) -> Void = { _ in }) throws {
        directory = try TemporaryDirectory()
        clock = ManualClock(now: now)
        disk = SimulatedFileSystem()
        self.adjust = adjust
        store = try TestStore.open(directory.path, disk, clock, metrics, adjust)
    }

    deinit { store.close() }

    private static func open(
        _ path: String, _ disk: SimulatedFileSystem, _ clock: ManualClock, _ metrics: MetricsRegistry,
        _ adjust: (inout TSDBOptions) -> Void
    ) throws -> TSDB {
        var options = options(path, disk, clock, metrics)
        adjust(&options)
        return try TSDB.open(options)
    }

    static func options(
        _ path: String, _ disk: SimulatedFileSystem, _ clock: ManualClock,
        _ metrics: MetricsRegistry = MetricsRegistry()
    ) -> TSDBOptions {
        var options = TSDBOptions(
            directory: path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, metrics: metrics)
        options.clock = clock
        options.fileSystem = disk
        // Nothing happens by itself that a test did not ask for.
        options.syncInterval = 3_600_000
        options.maintainsItself = false
        // No ladder: blocks stay as they were cut.
        options.blockRangeMax = options.blockRange
        return options
    }

    /// Closes in order and opens again.
    func reopen() throws {
        store.close()
        try openAgain()
    }

    /// Opens what a killed process leaves: the old object is closed against a disk that nobody looks at any more.
    func kill() throws {
        let after = disk.killProcess()
        store.close()
        disk = after
        try openAgain()
    }

    /// Opens what a power cut leaves.
    func losePower(using random: inout SeededRandom) throws {
        let after = disk.losePower(using: &random)
        store.close()
        disk = after
        try openAgain()
    }

    /// Opens what is on another disk; nothing that the old object does any more is seen.
    func restart(on after: SimulatedFileSystem) throws {
        store.close()
        disk = after
        try openAgain()
    }

    private func openAgain() throws {
        metrics = MetricsRegistry()
        store = try TestStore.open(directory.path, disk, clock, metrics, adjust)
    }

    // MARK: Shorthands

    @discardableResult
    func append(_ samples: [(LabelSet, Timestamp, Double)]) async throws -> AppendResult {
        var batch = SampleBatch()
        for (labels, timestamp, value) in samples { batch.append(labels, timestamp, value) }
        return try await store.append(batch)
    }

    func select(
        _ matchers: [LabelMatcher] = [], _ range: TimeRange = .all, newestOnly: Bool = false
    ) throws -> [(labels: LabelSet, samples: [Sample])] {
        var hints = SelectHints()
        hints.wantsNewestOnly = newestOnly
        let sets = try store.select(
            [Selection(matchers: matchers, range: range, hints: hints)], cancellation: Cancellation())
        return try sets[0].all()
    }

    /// The samples of each series, for comparison.
    func contents(_ range: TimeRange = .all) throws -> [LabelSet: [Sample]] {
        var contents: [LabelSet: [Sample]] = [:]
        for (labels, samples) in try select([], range) where !samples.isEmpty { contents[labels] = samples }
        return contents
    }

    func metric(_ line: String) -> Bool { metrics.exposition().split(separator: "\n").contains { $0 == line } }
}

/// A sample that equals another if all bits do.
struct Sample: Hashable, CustomStringConvertible {
    var timestamp: Timestamp
    var bits: UInt64

    init(_ timestamp: Timestamp, _ value: Double) {
        self.timestamp = timestamp
        bits = value.bitPattern
    }

    var description: String { "\(Double(bitPattern: bits))@\(timestamp)" }
}

extension SeriesSet {
    func all() throws -> [(labels: LabelSet, samples: [Sample])] {
        try (0..<count).map { index in
            var buffer = SampleBuffer()
            try read(index, into: &buffer)
            return (labels(at: index), zip(buffer.timestamps, buffer.values).map { Sample($0, $1) })
        }
    }
}
