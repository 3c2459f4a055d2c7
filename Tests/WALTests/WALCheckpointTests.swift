import FileIO
import SeriesModel
import StorageAPI
import StorageFiles
import TestSupport
import Testing

@testable import WAL

@Suite("A checkpoint of the log")
struct WALCheckpointTests {
    private let disk = SimulatedFileSystem()

    private func path(_ lsn: LSN) -> String { FilePath.join(WALFixture.directory, LogFormat.checkpointName(lsn)) }

    /// Writes batches 0 to 9 as a checkpoint at LSN 10 and batches 10 to 14 behind it.
    private func checkpointed() throws -> LogWriter {
        let log = try LogWriter(fileSystem: disk, directory: WALFixture.directory, nextLSN: 1)
        try WALFixture.append(0..<10, to: log)
        let segment = try log.cutSegment()
        try write(lsn: 10, firstSegment: segment, 0..<10)
        try log.removeSegments(before: segment)
        try WALFixture.append(10..<15, to: log)
        return log
    }

    private func write(lsn: LSN, firstSegment: UInt64, _ batches: Range<Int>) throws {
        var writer = try CheckpointWriter(
            fileSystem: disk, directory: WALFixture.directory, lsn: lsn, firstSegment: firstSegment)
        for number in batches { try writer.add(WALFixture.batch(number)) }
        let size = try writer.finish()
        #expect(size == disk.bytes(path(lsn))?.count)
    }

    /// All batches in the order in which they are applied, with their LSNs.
    private func replay() throws -> (applied: [(lsn: LSN, batch: LogBatch)], report: ReplayReport) {
        var applied: [(LSN, LogBatch)] = []
        let report = try LogReplay.replay(fileSystem: disk, directory: WALFixture.directory) {
            applied.append(($0, $1))
        }
        return (applied, report)
    }

    @Test("is applied first, under its own number, and the records behind it follow")
    func replayOrder() throws {
        _ = try checkpointed()
        let (applied, report) = try replay()
        #expect(applied.map(\.lsn) == [LSN](repeating: 10, count: 10) + [11, 12, 13, 14, 15])
        #expect(applied.map(\.batch) == (0..<15).map(WALFixture.batch))
        #expect(report.checkpointLSN == 10)
        #expect(report.lastLSN == 15)
        #expect(report.damages.isEmpty)
        #expect(report.segments == 1)
    }

    @Test("covers records that are still in segments: they are not applied again")
    func overlap() throws {
        let log = try LogWriter(fileSystem: disk, directory: WALFixture.directory, nextLSN: 1)
        try WALFixture.append(0..<15, to: log)
        try write(lsn: 10, firstSegment: 0, 0..<10)
        let (applied, _) = try replay()
        #expect(applied.map(\.batch) == (0..<15).map(WALFixture.batch))
        #expect(applied.map(\.lsn).suffix(5) == [11, 12, 13, 14, 15])
    }

    @Test("that is newer takes the place of the older ones")
    func replaced() throws {
        let log = try checkpointed()
        let segment = try log.cutSegment()
        try write(lsn: 15, firstSegment: segment, 0..<15)
        #expect(!disk.exists(path(10)))
        #expect(try replay().report.checkpointLSN == 15)
    }

    @Test("that is damaged at any byte gives the series that are still good, is kept, and the segments are applied")
    func damaged() throws {
        _ = try checkpointed()
        let whole = try #require(disk.bytes(path(10)))
        let known = Set((0..<10).flatMap { WALFixture.batch($0).newSeries })
        for index in whole.indices where !(36..<40).contains(index) {
            var bytes = whole
            bytes[index] ^= 0x10
            disk.put(path(10), bytes)
            let (applied, report) = try replay()
            #expect(applied.filter { $0.lsn > 10 }.map(\.lsn) == [11, 12, 13, 14, 15], "byte \(index)")
            let salvaged = applied.filter { $0.lsn <= 10 }
            #expect(salvaged.allSatisfy { $0.batch.count == 0 }, "values that others were needed for")
            #expect(known.isSuperset(of: salvaged.flatMap(\.batch.newSeries)))
            #expect(report.damages.first?.file == path(10))
            #expect(report.damages.first?.before == WALFixture.batch(10).timestamps.min())
            #expect(report.isCheckpointDamaged == (index >= LogFormat.fileHeaderBytes), "byte \(index)")
            #expect(disk.exists(path(10)) == report.isCheckpointDamaged)
            #expect(try disk.list(WALFixture.directory).contains { $0.hasPrefix("checkpoint") && $0.contains(".torn") })
        }
    }

    @Test("of which one record is damaged gives the series of all others")
    func salvaged() throws {
        _ = try checkpointed()
        var bytes = try #require(disk.bytes(path(10)))
        bytes[LogFormat.fileHeaderBytes + LogFormat.frameHeaderBytes] ^= 1
        disk.put(path(10), bytes)
        let (applied, report) = try replay()
        let series = applied.filter { $0.lsn <= 10 }.flatMap(\.batch.newSeries)
        #expect(series == (1..<10).flatMap { WALFixture.batch($0).newSeries })
        #expect(report.isCheckpointDamaged)
    }

    @Test("that ends early, at any byte, is a damaged one")
    func cut() throws {
        _ = try checkpointed()
        let whole = try #require(disk.bytes(path(10)))
        for length in whole.indices {
            disk.put(path(10), Array(whole[..<length]))
            let report = try replay().report
            #expect(report.isCheckpointDamaged == (length >= LogFormat.fileHeaderBytes), "\(length) bytes")
            #expect(report.damages.first?.file == path(10))
        }
        disk.put(path(10), whole + [0])
        #expect(try replay().report.isCheckpointDamaged, "bytes behind the end")
        disk.put(path(10), whole)
        #expect(try replay().report.checkpointLSN == 10)
    }

    @Test("that is damaged leaves the one before it, where that is still there")
    func older() throws {
        let log = try checkpointed()
        let older = try #require(disk.bytes(path(10)))
        let segment = try log.cutSegment()
        try write(lsn: 15, firstSegment: segment, 0..<15)
        disk.put(path(10), older)
        disk.put(path(15), Array(try #require(disk.bytes(path(15))).dropLast()))
        let (applied, report) = try replay()
        #expect(report.checkpointLSN == 10)
        #expect(applied.map(\.batch) == (0..<15).map(WALFixture.batch))
    }

    @Test("is followed by segments that a replay reads, also where the one behind it was lost")
    func segmentNumbers() throws {
        _ = try checkpointed()
        disk.put(WALFixture.segment(1), [1, 2])
        _ = try replay()
        try disk.remove(WALFixture.segment(1) + ".torn")
        let log = try LogWriter(fileSystem: disk, directory: WALFixture.directory, nextLSN: 11)
        #expect(log.currentSegment == 1)
        try WALFixture.append(10..<12, to: log)
        #expect(try replay().applied.map(\.batch) == (0..<12).map(WALFixture.batch))
    }

    @Test("that could not be written leaves the log as it was")
    func failedWrite() throws {
        let log = try checkpointed()
        let segment = try log.cutSegment()
        for failing in 0..<3 {
            disk.failWrite(failing)
            #expect(throws: StorageError.self, "write \(failing)") { try write(lsn: 15, firstSegment: segment, 0..<1) }
        }
        #expect(try replay().applied.map(\.batch) == (0..<15).map(WALFixture.batch))
    }
}
