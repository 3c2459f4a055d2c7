import FileIO
import SeriesModel
import TestSupport
import Testing

@testable import Blocks

/// The example of `docs/formats/block.md`, byte for byte. Such blocks must be readable for ever: a change of the format
/// is a new version and a new golden block beside this one.
@Suite("A block, version 1")
struct BlockGoldenTests {
    private static let path = "/blocks/01ARZ3NDEKTSV4RRFFQ69G5FAV"
    private static let data =
        "484541525448445401000000000000001401000280a0abfef9623fe00000000000009975d80c481a9a291301000280a0abfef9623ff0"
        + "00000000000098750093c26f09"
    private static let index =
        "484541525448495801000000000000005f5f6e616d655f5f6170696a6f626c6f6164757000000000080000000b0000000e0000001200"
        + "0000140000000100030180a0abfef962997502201a02000402010180a0abfef96298750254193c000000000000004b00000000000000"
        + "5c0000000000000000010100000000030000007400000000000000010000000100000000000000040000007500000000000000010000"
        + "000100000002000000010000007600000000000000010000000100000000000000000000000200000002000000ffffffff03000000c6"
        + "258d9e"
    private static let footer =
        "4845415254484246010000000100000001563e3ab5d3d6764c61efb99302bd5b0033d9cf8b010000001047d08b010000020000000000"
        + "00000200000000000000040000000000000002000000000000004300000000000000db00000000000000100000000000000024000000"
        + "000000005c000000000000007700000000000000bf00000000000000d70000000000000005000000030000000200000000000000c842"
        + "6738"

    private let disk = SimulatedFileSystem()
    private let load = BlockFixture.chunk([1_700_000_000_000, 1_700_000_015_001], [0.5, 0.75])
    private let up = BlockFixture.chunk([1_700_000_000_000, 1_700_000_015_000], [1, 1])

    @Test("is written as its page says")
    func write() throws {
        let identifier = try #require(BlockIdentifier("01ARZ3NDEKTSV4RRFFQ69G5FAV"))
        var writer = try BlockWriter(
            fileSystem: disk, directory: "/blocks", identifier: identifier,
            range: TimeRange(min: 1_699_999_200_000, max: 1_700_006_400_000), lsn: 2)
        try writer.addSeries(["__name__": "load"], chunks: [load])
        try writer.addSeries(["__name__": "up", "job": "api"], chunks: [up])
        _ = try writer.finish()
        #expect(disk.bytes(BlockGoldenTests.path + "/data").map(Hex.text) == BlockGoldenTests.data)
        #expect(disk.bytes(BlockGoldenTests.path + "/index").map(Hex.text) == BlockGoldenTests.index)
        #expect(disk.bytes(BlockGoldenTests.path + "/footer").map(Hex.text) == BlockGoldenTests.footer)
    }

    @Test("is read as its page says")
    func read() throws {
        disk.put(BlockGoldenTests.path + "/data", Hex.bytes(BlockGoldenTests.data))
        disk.put(BlockGoldenTests.path + "/index", Hex.bytes(BlockGoldenTests.index))
        disk.put(BlockGoldenTests.path + "/footer", Hex.bytes(BlockGoldenTests.footer))
        let reader = try BlockReader(fileSystem: disk, path: BlockGoldenTests.path)
        try reader.verify()
        #expect(try reader.labels(of: 0) == ["__name__": "load"])
        #expect(try reader.labels(of: 1) == ["__name__": "up", "job": "api"])
        #expect(try reader.postings(name: "job", value: "api") == [1])
        #expect(try reader.chunk(try #require(try reader.chunks(of: 0).first)) == load)
        #expect(try reader.chunk(try #require(try reader.chunks(of: 1).first)) == up)
    }
}
