import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import Blocks

@Suite("A block's tombstones")
struct BlockTombstonesTests {
    private static let path = "/blocks/x"
    private static let file = "/blocks/x/tombstones"
    /// The example of `docs/formats/tombstones.md`.
    private static let golden =
        "48454152544854530100000002000000020280a0abfef9629875c0a907000101ffffffffffffffffff01ffffffffffffffff"
        + "ff016a9b40f7"

    private var example: BlockTombstones {
        var tombstones = BlockTombstones()
        tombstones.add(2, TimeRange(min: 1_700_000_000_000, max: 1_700_000_015_000))
        tombstones.add(2, TimeRange(min: 1_700_000_060_000, max: 1_700_000_060_000))
        tombstones.add(4, .all)
        return tombstones
    }

    private func disk() throws -> SimulatedFileSystem {
        let disk = SimulatedFileSystem()
        try disk.createDirectory(BlockTombstonesTests.path)
        return disk
    }

    private func read(_ disk: SimulatedFileSystem) throws -> BlockTombstones {
        try BlockTombstones.read(fileSystem: disk, path: BlockTombstonesTests.path, seriesCount: 5)
    }

    @Test("are none where there is no file, and come back as they were written")
    func roundTrip() throws {
        let disk = try disk()
        #expect(try read(disk).isEmpty)
        try example.write(fileSystem: disk, path: BlockTombstonesTests.path)
        #expect(try read(disk) == example)
        #expect(example.series == [2, 4])
        for seed in UInt64(1)...50 {
            var random = SeededRandom(seed: seed)
            var tombstones = example
            for _ in 0..<20 {
                let start = Timestamp.random(in: -1000...1000, using: &random)
                tombstones.add(
                    UInt32.random(in: 0..<5, using: &random),
                    TimeRange(min: start, max: start + Timestamp.random(in: -1...99, using: &random)))
            }
            try tombstones.write(fileSystem: disk, path: BlockTombstonesTests.path)
            #expect(try read(disk) == tombstones)
        }
    }

    @Test("are written and read as their page says")
    func golden() throws {
        #expect(Hex.text(example.encoded) == BlockTombstonesTests.golden)
        #expect(try BlockTombstones(Hex.bytes(BlockTombstonesTests.golden), seriesCount: 5) == example)
    }

    @Test("of which any byte is changed, or missing, are refused with the file's name")
    func corruption() throws {
        let good = example.encoded
        let disk = try disk()
        func expectRefusal(_ bytes: [UInt8], _ what: Comment) {
            disk.put(BlockTombstonesTests.file, bytes)
            #expect(what) {
                try read(disk)
            } throws: { error in
                guard case .corruption(let file, _, _) = error as? StorageError else { return false }
                return file == BlockTombstonesTests.file
            }
        }
        for index in good.indices {
            for flip in [UInt8(1), 0x80, 0xFF] {
                var bad = good
                bad[index] ^= flip
                expectRefusal(bad, "byte \(index)")
            }
            expectRefusal(Array(good[..<index]), "\(index) bytes")
        }
        expectRefusal(good + [0], "a byte more")
        #expect(throws: (any Error).self, "a series that the block does not have") {
            try BlockTombstones(good, seriesCount: 4)
        }
    }

    @Test("add up")
    func union() {
        var some = example
        var more = BlockTombstones()
        more.add(2, TimeRange(min: 1_700_000_015_001, max: 1_700_000_059_999))
        more.add(0, TimeRange(min: 5, max: 4))
        some.formUnion(more)
        #expect(some.ranges(of: 2)?.ranges == [TimeRange(min: 1_700_000_000_000, max: 1_700_000_060_000)])
        #expect(some.ranges(of: 0) == nil)
    }
}
