import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing
import WAL

@testable import HeadMemory

/// A head on a simulated disk, driven as the committer does it, on the test's thread.
final class HeadFixture {
    /// A multiple of the block range. ms
    static let start: Timestamp = 1_767_225_600_000
    static let blockRange: Int64 = 7_200_000
    static let directory = "/data"
    static let logDirectory = "/data/wal"

    private(set) var disk: SimulatedFileSystem
    private(set) var head: Head
    private(set) var log: LogWriter
    private let adjust: (inout HeadOptions) -> Void
    /// Up to which time and record blocks were cut.
    private var cuts: [(end: Timestamp, lsn: UInt64)] = []

    init(adjust: @escaping (inout HeadOptions) -> Void = { _ in }) throws {
        self.adjust = adjust
        disk = SimulatedFileSystem()
        head = try HeadRestore(HeadFixture.options(disk, adjust), start: .min).head()
        log = try LogWriter(fileSystem: disk, directory: HeadFixture.logDirectory, nextLSN: 1)
    }

    static func options(_ disk: SimulatedFileSystem, _ adjust: (inout HeadOptions) -> Void = { _ in }) -> HeadOptions {
        var options = HeadOptions(dataDirectory: directory, blockRange: blockRange, fileSystem: disk)
        adjust(&options)
        return options
    }

    // MARK: - Commits

    /// - Parameter now: the clock; by default it never refuses.
    @discardableResult
    func append(
        _ batch: SampleBatch, now: Timestamp = HeadFixture.start * 2, flushes: Bool = true
    ) throws -> AppendResult {
        let decision = BatchDecision(batch, head: head, now: now)
        if !decision.log.isEmpty { _ = try log.append(decision.log) }
        head.gate.exclusive { decision.apply() }
        head.reclaim()
        if flushes, head.hasUnflushedChunks { try head.flushClosed() }
        return decision.result
    }

    @discardableResult
    func append(
        _ samples: [(LabelSet, Timestamp, Double)], now: Timestamp = HeadFixture.start * 2
    ) throws -> AppendResult {
        var batch = SampleBatch()
        for (labels, timestamp, value) in samples { batch.append(labels, timestamp, value) }
        return try append(batch, now: now)
    }

    // MARK: - Reading

    /// Everything, by labels.
    func contents() throws -> [LabelSet: [MixedSample]] { try HeadFixture.contents(of: head) }

    static func contents(of head: Head, _ range: TimeRange = .all) throws -> [LabelSet: [MixedSample]] {
        let selection = select([], in: head, range)
        var contents: [LabelSet: [MixedSample]] = [:]
        for (index, entry) in selection.entries.enumerated() {
            var samples = SampleBuffer()
            try selection.read(index, newestOnly: false, into: &samples)
            if !samples.isEmpty { contents[entry.labels] = samples.mixed }
        }
        return contents
    }

    static func select(_ matchers: [LabelMatcher], in head: Head, _ range: TimeRange = .all) -> HeadSelection {
        let stay = head.epochs.enter()
        let matching = HeadMatching(matchers, head, stay)
        let capture = head.gate.shared {
            HeadSelection.Capture(matching.slots(), range, HeadView(head, stay))
        }
        return HeadSelection(capture)
    }

    // MARK: - Checkpoints and restarts

    /// Writes a checkpoint as the store does, and lets the log before it and the left slots go.
    func checkpoint() throws {
        let segment = try log.cutSegment()
        let checkpoint = HeadCheckpoint(head)
        try head.syncChunks()
        var writer = try CheckpointWriter(
            fileSystem: disk, directory: HeadFixture.logDirectory, lsn: log.nextLSN - 1, firstSegment: segment)
        try checkpoint.write(to: &writer)
        _ = try writer.finish()
        try log.removeSegments(before: segment)
        head.freeLeftSlots(checkpoint.leftSlotCount)
    }

    /// The process dies, and another one goes on with the disk.
    func restart() throws {
        let start = head.start
        disk = disk.killProcess()
        let window = head.outOfOrderWindow
        let (head, report) = try HeadFixture.restore(disk, start: start, adjust) { [cuts] time, lsn in
            cuts.contains { lsn <= $0.lsn && time < $0.end }
        }
        head.outOfOrderWindow = window
        #expect(report.damages.isEmpty)
        log = try LogWriter(fileSystem: disk, directory: HeadFixture.logDirectory, nextLSN: report.lastLSN + 1)
        self.head = head
    }

    /// A head from what a disk has.
    static func restore(
        _ disk: SimulatedFileSystem, start: Timestamp, _ adjust: (inout HeadOptions) -> Void = { _ in },
        isInBlock: (Timestamp, UInt64) -> Bool = { _, _ in false }
    ) throws -> (Head, ReplayReport) {
        let restore = HeadRestore(options(disk, adjust), start: start)
        let report = try LogReplay.replay(
            fileSystem: disk, directory: logDirectory,
            restore: { type, payload in try restore.restore(type, payload) },
            { lsn, batch in
                let head = try restore.head()
                #expect(head.replay(batch) { isInBlock($0, lsn) } == UnknownSlots())
                head.reclaim()
                if head.hasUnflushedChunks { try head.flushClosed() }
            })
        let head = try restore.head()
        head.finishReplay()
        return (head, report)
    }

    // MARK: - Truncation

    /// As after a block was cut: what lies before a time is gone.
    @discardableResult
    func truncate(to end: Timestamp) throws -> Head.Truncation {
        head.gate.exclusive { head.raiseStartForAppends(to: end) }
        try head.sealOutOfOrder()
        cuts.append((end, log.nextLSN - 1))
        head.gate.exclusive {
            head.raiseStart(to: end)
            head.beginTruncation()
        }
        let gone = head.gate.exclusive { head.truncate(0..<head.slotCount, outOfOrderEnd: end) }
        head.reclaim()
        head.gate.exclusive { head.endTruncation(gone) }
        try head.removeChunkFiles(before: min(head.range?.min ?? end, end))
        return gone
    }

    static func labels(_ number: Int) -> LabelSet { ["__name__": "up", "instance": "host-\(number)"] }
}
