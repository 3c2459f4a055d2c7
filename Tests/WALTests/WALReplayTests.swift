import ByteCoding
import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import WAL

/// The ways in which a log can be broken, and what is left of it.
@Suite("Replaying a damaged log")
struct WALReplayTests {
    private let disk = SimulatedFileSystem()

    /// Segments 0, 1 and 2 with five batches each.
    private func threeSegments() throws {
        let log = try LogWriter(fileSystem: disk, directory: WALFixture.directory, nextLSN: 1)
        try WALFixture.append(0..<5, to: log)
        _ = try log.cutSegment()
        try WALFixture.append(5..<10, to: log)
        _ = try log.cutSegment()
        try WALFixture.append(10..<15, to: log)
    }

    private func damage(_ segment: UInt64, _ change: (inout [UInt8]) -> Void) throws {
        let path = WALFixture.segment(segment)
        var bytes = try #require(disk.bytes(path))
        change(&bytes)
        disk.put(path, bytes)
    }

    @Test("an empty or missing directory is an empty log")
    func empty() throws {
        #expect(try WALFixture.replay(disk).report == ReplayReport())
        try disk.createDirectory(WALFixture.directory)
        #expect(try WALFixture.replay(disk).report == ReplayReport())
    }

    @Test("a segment cut at any byte gives the records before it, and keeps the rest aside")
    func tornTail() throws {
        let log = try LogWriter(fileSystem: disk, directory: WALFixture.directory, nextLSN: 1)
        try WALFixture.append(0..<4, to: log)
        let path = WALFixture.segment(0)
        let whole = try #require(disk.bytes(path))
        let offsets = try WALFixture.frameOffsets(disk, 0)
        for length in 0..<whole.count {
            let torn = SimulatedFileSystem()
            torn.put(path, Array(whole[..<length]))
            let good = max(0, offsets.filter { $0 <= length }.count - 1)
            let (batches, report) = try WALFixture.replay(torn)
            WALFixture.expect(batches, are: 0..<good, "\(length) bytes")
            if offsets.contains(length) {
                #expect(report.damages.isEmpty)
                continue
            }
            let start = length < offsets[0] ? 0 : offsets[good]
            #expect(report.damages.map(\.offset) == [start], "\(length) bytes")
            #expect(report.damages.map(\.isTail) == [true])
            #expect(report.damages.map(\.bytesSetAside) == [length - start])
            #expect(torn.bytes(path + ".torn") == Array(whole[start..<length]))
            #expect(torn.bytes(path) == (start == 0 ? nil : Array(whole[..<start])))
            let again = try WALFixture.replay(torn)
            #expect(again.batches == batches, "a second replay gives the same")
            #expect(again.report.damages.isEmpty, "and finds nothing to repair")
        }
    }

    @Test("a changed byte anywhere gives the records before its frame, and no wrong one")
    func changedByte() throws {
        let log = try LogWriter(fileSystem: disk, directory: WALFixture.directory, nextLSN: 1)
        try WALFixture.append(0..<4, to: log)
        let path = WALFixture.segment(0)
        let whole = try #require(disk.bytes(path))
        let offsets = try WALFixture.frameOffsets(disk, 0)
        for index in whole.indices where !(36..<40).contains(index) {
            for mask: UInt8 in [0x01, 0x80, 0xFF] {
                var bytes = whole
                bytes[index] ^= mask
                let broken = SimulatedFileSystem()
                broken.put(path, bytes)
                let good = max(0, offsets.filter { $0 <= index }.count - 1)
                let (batches, report) = try WALFixture.replay(broken)
                WALFixture.expect(batches, are: 0..<good, "byte \(index)")
                #expect(report.damages.count == 1)
            }
        }
    }

    @Test("zeros at the end, as some file systems leave them, are cut off")
    func zeros() throws {
        try threeSegments()
        try damage(2) { $0 += [UInt8](repeating: 0, count: 10_000) }
        let (batches, report) = try WALFixture.replay(disk)
        WALFixture.expect(batches, are: 0..<15)
        #expect(report.damages.map(\.bytesSetAside) == [10_000])
    }

    @Test("a length beyond the bound is refused before anything is allocated")
    func hugeLength() throws {
        try threeSegments()
        let offsets = try WALFixture.frameOffsets(disk, 2)
        try damage(2) { bytes in
            for index in 4..<8 { bytes[offsets[3] + index] = 0xFF }
        }
        let (batches, report) = try WALFixture.replay(disk)
        WALFixture.expect(batches, are: 0..<13)
        #expect(report.damages.map(\.reason) == ["frame length out of bounds"])
    }

    @Test("damage in an older segment costs the rest of that segment only, and says which time is thin")
    func olderSegment() throws {
        try threeSegments()
        let offsets = try WALFixture.frameOffsets(disk, 1)
        try damage(1) { $0[offsets[2] + 30] ^= 1 }
        let (batches, report) = try WALFixture.replay(disk)
        WALFixture.expect(batches, are: [0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14])
        let found = try #require(report.damages.first)
        #expect(report.damages.count == 1)
        #expect(!found.isTail)
        #expect(found.file == WALFixture.segment(1))
        #expect(found.offset == offsets[2])
        #expect(found.after == WALFixture.batch(6).timestamps.max())
        #expect(found.before == WALFixture.batch(10).timestamps.min())
        #expect(report.lastLSN == 15)
    }

    @Test("a segment without a good header is set aside whole")
    func header() throws {
        try threeSegments()
        try damage(1) { $0[0] = 0 }
        let (batches, report) = try WALFixture.replay(disk)
        WALFixture.expect(batches, are: Array(0..<5) + Array(10..<15))
        #expect(report.damages.map(\.reason) == ["not a log file"])
        #expect(!disk.exists(WALFixture.segment(1)))
        #expect(disk.exists(WALFixture.segment(1) + ".torn"))
    }

    @Test("a segment of a newer version is not read")
    func version() throws {
        try threeSegments()
        var header = LogFileHeader(kind: .segment, number: 2, origin: 11).bytes
        header[8] = 2
        header.replaceSubrange(
            32..<36, with: withUnsafeBytes(of: CRC32C.checksum(header[..<32]).littleEndian, Array.init))
        try damage(2) { $0.replaceSubrange(..<header.count, with: header) }
        #expect(try WALFixture.replay(disk).report.damages.map(\.reason) == ["log version 2"])
    }

    @Test("a segment under the name of another is not applied")
    func wrongName() throws {
        try threeSegments()
        try disk.rename(WALFixture.segment(2), to: WALFixture.segment(3))
        let (batches, report) = try WALFixture.replay(disk)
        WALFixture.expect(batches, are: 0..<10)
        #expect(report.damages.map(\.reason) == ["header of segment 2"])
    }

    @Test("a missing segment is reported, and the later ones are applied")
    func missing() throws {
        try threeSegments()
        try disk.remove(WALFixture.segment(1))
        let (batches, report) = try WALFixture.replay(disk)
        WALFixture.expect(batches, are: Array(0..<5) + Array(10..<15))
        #expect(report.damages.map(\.reason) == ["records 6 to 10 are missing before it"])
        #expect(report.damages.first?.before == WALFixture.batch(10).timestamps.min())
    }

    @Test("a frame twice, or out of its turn, ends the segment")
    func repeatedFrame() throws {
        try threeSegments()
        let offsets = try WALFixture.frameOffsets(disk, 2)
        try damage(2) { $0 += Array($0[offsets[1]..<offsets[2]]) }
        let (batches, report) = try WALFixture.replay(disk)
        WALFixture.expect(batches, are: 0..<15)
        #expect(report.damages.map(\.reason) == ["record 12 in place of 16"])
    }

    @Test("without repair nothing on disk changes")
    func readOnly() throws {
        try threeSegments()
        try damage(1) { $0[50] ^= 1 }
        try damage(2) { $0.removeLast(3) }
        let before = try disk.list(WALFixture.directory).map { disk.bytes(FilePath.join(WALFixture.directory, $0)) }
        let (_, report) = try WALFixture.replay(disk, repair: false)
        #expect(report.damages.count == 2)
        let after = try disk.list(WALFixture.directory).map { disk.bytes(FilePath.join(WALFixture.directory, $0)) }
        #expect(before == after)
    }

    @Test("a repair that fails is told, and does not keep the log from being read")
    func failedRepair() throws {
        try threeSegments()
        try damage(2) { $0.removeLast(3) }
        disk.failWrite(0)
        let (batches, report) = try WALFixture.replay(disk)
        WALFixture.expect(batches, are: 0..<14)
        #expect(report.damages.first?.repairFailure?.contains("No space left on device") == true)
        let again = try WALFixture.replay(disk).report.damages
        #expect(again.map(\.repairFailure) == [nil], "the next start repairs it")
    }

    @Test("what was set aside earlier is not overwritten")
    func tornTwice() throws {
        try threeSegments()
        disk.put(WALFixture.segment(2) + ".torn", [42])
        try damage(2) { $0.removeLast(3) }
        _ = try WALFixture.replay(disk)
        #expect(disk.bytes(WALFixture.segment(2) + ".torn") == [42])
        #expect(disk.exists(WALFixture.segment(2) + ".torn.2"))
    }

    @Test("a repaired log is written on, and read back without complaint")
    func goOn() throws {
        try threeSegments()
        try damage(2) { $0.removeLast(3) }
        let first = try WALFixture.replay(disk).report
        #expect(first.lastLSN == 14)
        let log = try LogWriter(
            fileSystem: disk, directory: WALFixture.directory, nextLSN: first.lastLSN + 1)
        try WALFixture.append(14..<20, to: log)
        let (batches, report) = try WALFixture.replay(disk)
        WALFixture.expect(batches, are: 0..<20)
        #expect(report.damages.isEmpty)
    }

    @Test("random bytes in place of a segment never trap (seed 2)")
    func randomBytes() throws {
        var random = SeededRandom(seed: 2)
        let header = LogFileHeader(kind: .segment, number: 0, origin: 1).bytes
        for round in 0..<300 {
            let junk = (0..<Int.random(in: 0...300, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let broken = SimulatedFileSystem()
            broken.put(WALFixture.segment(0), round % 2 == 0 ? junk : header + junk)
            #expect(try WALFixture.replay(broken).batches.isEmpty)
        }
    }

    @Test("an error of the one who applies stops the replay and is passed on")
    func applyError() throws {
        try threeSegments()
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try LogReplay.replay(fileSystem: disk, directory: WALFixture.directory) { lsn, _ in
                if lsn == 3 { throw Stop() }
            }
        }
    }
}
