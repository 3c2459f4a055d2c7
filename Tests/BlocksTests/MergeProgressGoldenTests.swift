import FileIO
import SeriesModel
import TestSupport
import Testing

@testable import Blocks

/// The example of `docs/formats/merge-progress.md`, byte for byte.
@Suite("The progress of a merge, version 1")
struct MergeProgressGoldenTests {
    private static let path = "/blocks/01BX5ZZKBKACTAV9WEVGEMMVRZ.tmp/progress"
    private static let bytes =
        "4845415254484d5001000000c0000000ac0148454152544842460200000001000000015f4bffcd735334ada78edc1d4a6f1f"
        + "0033d9cf8b010000001047d08b01000000000000000000000000000000000000000000000000000002000000000000000000"
        + "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        + "000000000000000000000000000000000100000001563e3ab5d3d6764c61efb99302bd5bf6f4bc2b30296f719b15af7f0000"
        + "0000000000000107c26395063b0000002a000000000000005d8cd1dd010000000000000002000000000000000107010480d4"
        + "61997501000e085f5f6e616d655f5f046c6f6164200002010602c02e57"

    @Test("is written and read as its page says")
    func golden() throws {
        let disk = SimulatedFileSystem()
        let identifier = try #require(BlockIdentifier("01ARZ3NDEKTSV4RRFFQ69G5FAV"))
        var writer = try BlockWriter(
            fileSystem: disk, directory: "/blocks", identifier: identifier,
            range: TimeRange(min: 1_699_999_200_000, max: 1_700_006_400_000), lsn: 2)
        let times: [Timestamp] = [1_700_000_000_000, 1_700_000_015_001]
        try writer.addSeries(["__name__": "load"], BlockFixture.samples(times, [0.5, 0.75]))
        try writer.addSeries(
            ["__name__": "up", "job": "api"],
            BlockFixture.samples([1_700_000_000_000, 1_700_000_015_000], [1, 1]))
        _ = try writer.finish()
        let source = try BlockReader(fileSystem: disk, path: "/blocks/" + identifier.description)
        var merge = BlockMerge([source])
        merge.marks = MergeMarks(intervalBytes: 1, context: [7])
        var asked = 0
        merge.mayGoOn = {
            asked += 1
            return asked == 1
        }
        merge.isInterrupted = { true }
        #expect(throws: BlockMerge.Stop.interrupted) {
            try merge.run(
                fileSystem: disk, directory: "/blocks",
                identifier: try #require(BlockIdentifier("01BX5ZZKBKACTAV9WEVGEMMVRZ")), level: 1)
        }
        let written = try #require(disk.bytes(MergeProgressGoldenTests.path))
        #expect(Hex.text(written) == MergeProgressGoldenTests.bytes)
        disk.put(MergeProgressGoldenTests.path, Hex.bytes(MergeProgressGoldenTests.bytes))
        var reader = try MergeProgressReader(
            fileSystem: disk, directory: FilePath.directory(of: MergeProgressGoldenTests.path))
        #expect(reader.conditions.draft.parents == [identifier])
        #expect(reader.conditions.context == [7])
        let addition = try #require(try reader.next())
        #expect(addition.mark.dataBytes == 42)
        #expect(addition.mark.chunkCount == 1)
        #expect(addition.mark.sampleCount == 2)
        #expect(addition.layoutRows.map(Hex.text) == ["010480d4619975"])
        #expect(addition.series.map(\.labels) == [["__name__": "load"]])
        #expect(addition.series.map(\.offset) == [32])
        #expect(addition.series.map(\.layout) == [0])
        #expect(addition.series.map { Hex.text($0.row) } == ["0106"])
        #expect(try reader.next().map { $0.series.count } == nil)
    }
}
