import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import Blocks

@Suite("Writing a block")
struct BlockWriterTests {
    private let disk = SimulatedFileSystem()

    private func writer(_ disk: SimulatedFileSystem) throws -> BlockWriter {
        try BlockWriter(
            fileSystem: disk, directory: BlockFixture.directory, identifier: BlockFixture.identifier,
            range: BlockFixture.range, lsn: 1)
    }

    @Test("refuses series out of label order, or twice")
    func order() throws {
        let samples = BlockFixture.samples([1], [1])
        for labels in [["a": "1"], ["a": "2"]] as [LabelSet] {
            var writer = try writer(disk)
            try writer.addSeries(["a": "2"], samples)
            do {
                try writer.addSeries(labels, samples)
                Issue.record("\(labels) was taken")
            } catch {
                guard case .invalid = error else { throw error }
            }
            try writer.abandon()
        }
    }

    @Test(
        "refuses samples out of order or outside of the block",
        arguments: [[5, 10, 10, 11], [5, 4], [7_200_000], [-1]] as [[Timestamp]])
    func samples(times: [Timestamp]) throws {
        var writer = try writer(disk)
        do {
            try writer.addSeries(["a": "b"], BlockFixture.samples(times, times.map { Double($0) }))
            Issue.record("\(times) was taken")
        } catch {
            guard case .invalid = error else { throw error }
        }
        try writer.abandon()
    }

    @Test("leaves out series without samples")
    func noSamples() throws {
        var writer = try writer(disk)
        try writer.addSeries(["a": "b"], SampleBuffer())
        try writer.addSeries(["a": "c"], BlockFixture.samples([0, 7_199_999], [1, 2]))
        #expect(try writer.finish().seriesCount == 1)
        try BlockFixture.open(disk).verify()
    }

    @Test("happens beside the block's place until it is whole")
    func aside() throws {
        var writer = try writer(disk)
        try writer.addSeries(["a": "b"], BlockFixture.samples([1], [1]))
        let (blocks, leftovers) = try BlockDirectory.list(fileSystem: disk, directory: BlockFixture.directory)
        #expect(blocks == [])
        #expect(leftovers == [BlockFixture.path + ".tmp"])
        _ = try writer.finish()
        let after = try BlockDirectory.list(fileSystem: disk, directory: BlockFixture.directory)
        #expect(after.blocks == [BlockFixture.path])
        #expect(after.leftovers == [])
    }

    @Test("that fails at any write leaves no block, and can be tried again")
    func failedWrites() throws {
        let series = BlockFixture.series(30)
        for failing in 0..<3 {
            let disk = SimulatedFileSystem()
            disk.failWrite(failing, .half)
            #expect(throws: StorageError.self, "write \(failing)") { try BlockFixture.write(series, to: disk) }
            #expect(try BlockDirectory.list(fileSystem: disk, directory: BlockFixture.directory).blocks == [])
            try BlockFixture.write(series, to: disk)
            try BlockFixture.open(disk).verify()
        }
    }

    @Test("that is finished survives any loss of power", arguments: 0..<20 as Range<UInt64>)
    func power(seed: UInt64) throws {
        try BlockFixture.write(BlockFixture.series(30), to: disk)
        var random = SeededRandom(seed: seed)
        try BlockFixture.open(disk.losePower(using: &random)).verify()
    }

    @Test("is undone by removing the name first")
    func removal() throws {
        try BlockFixture.write(BlockFixture.series(3), to: disk)
        try BlockDirectory.remove(fileSystem: disk, path: BlockFixture.path)
        #expect(try disk.list(BlockFixture.directory) == [])
        try disk.createDirectory(BlockFixture.path + ".tmp")
        try BlockDirectory.remove(fileSystem: disk, path: BlockFixture.path + ".tmp")
        #expect(try disk.list(BlockFixture.directory) == [])
    }

    @Test("a directory that is not there has no blocks")
    func noDirectory() throws {
        #expect(try BlockDirectory.list(fileSystem: disk, directory: "/nowhere").blocks == [])
    }
}

@Suite("A block's identifier")
struct BlockIdentifierTests {
    /// The example of the ULID specification.
    @Test("is written and read as a ULID")
    func text() throws {
        let identifier = try #require(BlockIdentifier("01ARZ3NDEKTSV4RRFFQ69G5FAV"))
        #expect(identifier.timestamp == 1_469_922_850_259)
        #expect(identifier.description == "01ARZ3NDEKTSV4RRFFQ69G5FAV")
        for text in ["", "01ARZ3NDEKTSV4RRFFQ69G5FA", "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAI"] {
            #expect(BlockIdentifier(text) == nil)
        }
    }

    @Test("sorts by its time, in text too")
    func order() {
        var random = SeededRandom(seed: 1)
        let times: [Timestamp] = [-5, 0, 1, 1_700_000_000_000, 1_700_000_000_001, .max]
        let identifiers = times.map { BlockIdentifier(timestamp: $0, using: &random) }
        #expect(identifiers.map(\.timestamp) == [0, 0, 1, 1_700_000_000_000, 1_700_000_000_001, (1 << 48) - 1])
        let byTime = Array(identifiers[1...])
        #expect(byTime.sorted() == byTime)
        #expect(byTime.map(\.description).sorted() == byTime.map(\.description))
    }
}
