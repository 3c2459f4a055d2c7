import FileIO
import OwnThreads
import SeriesModel
import StorageAPI
import StorageFiles
import Synchronization
import TestSupport
import Testing

@testable import WAL

@Suite("The log's writer")
struct WALWriterTests {
    private let disk = SimulatedFileSystem()

    private func open(nextLSN: LSN = 1, segmentBytesMax: Int = 1 << 20) throws -> LogWriter {
        var options = LogOptions()
        options.segmentBytesMax = segmentBytesMax
        return try LogWriter(
            fileSystem: disk, directory: WALFixture.directory, nextLSN: nextLSN, options: options)
    }

    @Test("keeps every acknowledged batch when the process dies, without any sync")
    func kill() throws {
        let log = try open()
        try WALFixture.append(0..<50, to: log)
        let (batches, report) = try WALFixture.replay(disk.killProcess())
        WALFixture.expect(batches, are: 0..<50)
        #expect(report.damages.isEmpty)
        #expect(report.lastLSN == 50)
        #expect(report.records == 50)
        #expect(report.series == 25)
        #expect(report.samples == (0..<50).reduce(0) { $0 + WALFixture.batch($1).count })
    }

    @Test("has a sync that comes beside another one end after it, with what that one met")
    func syncBeside() throws {
        let (log, disk) = (try open(), disk)
        try WALFixture.append(0..<5, to: log)
        _ = try log.cutSegment()
        let second = Monitor<Bool?>(nil)
        let isBegun = Atomic(false)
        disk.failCall(0, of: .sync)
        disk.observeChanges { _ in
            if isBegun.exchange(true, ordering: .relaxed) { return }
            try? SystemThread.start("sync") {
                let isSynced = (try? log.sync()) != nil
                second.change { $0 = isSynced }
            }
            #expect(second.wait(milliseconds: 100) { $0 } == nil)
        }
        #expect(throws: StorageError.self) { try log.sync() }
        #expect(second.wait(milliseconds: 60_000) { $0 } == false)
        disk.observeChanges(nil)
    }

    @Test("makes one write for a batch")
    func oneWrite() throws {
        let log = try open()
        let before = disk.writeCount
        _ = try log.append(WALFixture.batch(0))
        #expect(disk.writeCount == before + 1)
    }

    @Test("begins a new segment where one is full, and each can be read by itself")
    func segments() throws {
        let log = try open(segmentBytesMax: 500)
        try WALFixture.append(0..<40, to: log)
        #expect(log.currentSegment > 3)
        #expect(
            log.size == (0...log.currentSegment).reduce(0) { $0 + (disk.bytes(WALFixture.segment($1))?.count ?? 0) })
        WALFixture.expect(try WALFixture.replay(disk).batches, are: 0..<40)
    }

    @Test("removes the segments before a number, and counts their size no more")
    func removal() throws {
        let log = try open()
        try WALFixture.append(0..<3, to: log)
        let second = try log.cutSegment()
        try WALFixture.append(3..<6, to: log)
        let third = try log.cutSegment()
        #expect((second, third) == (1, 2))
        try WALFixture.append(6..<8, to: log)
        try log.removeSegments(before: third)
        #expect(!disk.exists(WALFixture.segment(0)))
        #expect(!disk.exists(WALFixture.segment(1)))
        #expect(log.size == disk.bytes(WALFixture.segment(2))?.count)
        try log.sync()
        try log.removeSegments(before: .max)
        #expect(disk.exists(WALFixture.segment(2)), "the newest stays")
    }

    @Test("begins behind the segments that are there, and removes unfinished checkpoints")
    func reopen() throws {
        try WALFixture.append(0..<5, to: try open())
        disk.put(WALFixture.directory + "/checkpoint-00000000000000000003.tmp", [1, 2])
        let again = try open(nextLSN: 6)
        #expect(again.currentSegment == 1)
        try WALFixture.append(5..<9, to: again)
        #expect(try disk.list(WALFixture.directory) == ["00000000", "00000001"])
        WALFixture.expect(try WALFixture.replay(disk).batches, are: 0..<9)
    }

    @Test(
        "cuts a frame that could not be written off again, and goes on",
        arguments: [SimulatedFileSystem.WriteFailure.whole, .half, .halfAndTruncate])
    func failedWrite(kind: SimulatedFileSystem.WriteFailure) throws {
        let log = try open()
        try WALFixture.append(0..<5, to: log)
        disk.failWrite(0, kind)
        #expect { try log.append(WALFixture.batch(77)) } throws: { error in
            guard case .diskFull? = error as? StorageError else { return false }
            return true
        }
        #expect(log.nextLSN == 6)
        try WALFixture.append(5..<10, to: log)
        #expect(log.currentSegment == (kind == .halfAndTruncate ? 1 : 0))
        WALFixture.expect(try WALFixture.replay(disk).batches, are: 0..<10)
    }

    @Test("takes nothing while no new segment can be begun, and goes on when one can")
    func failedSegment() throws {
        let log = try open(segmentBytesMax: 1)
        try WALFixture.append(0..<1, to: log)
        disk.failWrite(0)
        #expect(throws: StorageError.self) { try log.append(WALFixture.batch(1)) }
        try WALFixture.append(1..<4, to: log)
        WALFixture.expect(try WALFixture.replay(disk).batches, are: 0..<4)
    }

    @Test("trusts a segment no more whose sync failed, and goes on in a new one")
    func failedSync() throws {
        let log = try open()
        try WALFixture.append(0..<2, to: log)
        disk.failSyncs(true)
        #expect(throws: StorageError.self) { try log.sync() }
        disk.failSyncs(false)
        try WALFixture.append(2..<4, to: log)
        #expect(log.currentSegment == 1)
        WALFixture.expect(try WALFixture.replay(disk).batches, are: 0..<4)
        // No sync proves anything until a checkpoint has taken the segment's place.
        #expect(throws: StorageError.self) { try log.sync() }
        try log.removeSegments(before: 1)
        try log.sync()
    }

    @Test("syncs segments that were left before they were synced")
    func syncOlder() throws {
        let log = try open()
        try WALFixture.append(0..<5, to: log)
        _ = try log.cutSegment()
        try WALFixture.append(5..<8, to: log)
        try log.sync()
        var random = SeededRandom(seed: 5)
        WALFixture.expect(try WALFixture.replay(disk.losePower(using: &random)).batches, are: 0..<8)
    }

    @Test("is synced by one thread while another appends and cuts")
    func concurrency() async throws {
        let log = try open(segmentBytesMax: 2000)
        async let appended: Void = { try WALFixture.append(0..<100, to: log) }()
        async let synced: Void = { for _ in 0..<200 { try log.sync() } }()
        _ = try await (appended, synced)
        try log.sync()
        var random = SeededRandom(seed: 8)
        WALFixture.expect(try WALFixture.replay(disk.losePower(using: &random)).batches, are: 0..<100)
    }
}
