import FileIO
import SeriesModel
import TestSupport
import Testing

@testable import Blocks

/// The example of `docs/formats/block.md`, byte for byte. Such blocks must be readable for ever: a change of the format
/// is a new version and a new golden block beside this one.
@Suite("A block, version 2")
struct BlockGoldenTests {
    private static let path = "/blocks/01ARZ3NDEKTSV4RRFFQ69G5FAV"
    private static let data =
        "48454152544844540200000001563e3ab5d3d6764c61efb99302bd5bbcdc1f395102641900024778180d003ff071d43d34"
    private static let index =
        "48454152544849580200000001563e3ab5d3d6764c61efb99302bd5bb77ebca700085f5f6e616d655f5f000361706900036a6f620004"
        + "6c6f616400027570fd24fadd000604010000020401010205040101718c25be00000202de0b198e010480d4619975010480d46198751c"
        + "0ebe7a000100022000010600020101020a020103ce264ac22000000000000000420000000000000055000000000000005d0000000000"
        + "00006f000000000000008400000000000000a1478dea"
    private static let footer =
        "4845415254484246020000000100000001563e3ab5d3d6764c61efb99302bd5b0033d9cf8b010000001047d08b010000020000000000"
        + "00000200000000000000040000000000000002000000000000003100000000000000b800000000000000000000000500000001000000"
        + "03000000020000000200000003000000020000000400000002000000840000000000000005000000000000000c7f1192"

    private let disk = SimulatedFileSystem()
    private let load = BlockFixture.samples([1_700_000_000_000, 1_700_000_015_001], [0.5, 0.75])
    private let up = BlockFixture.samples([1_700_000_000_000, 1_700_000_015_000], [1, 1])

    @Test("is written as its page says")
    func write() throws {
        let identifier = try #require(BlockIdentifier("01ARZ3NDEKTSV4RRFFQ69G5FAV"))
        var writer = try BlockWriter(
            fileSystem: disk, directory: "/blocks", identifier: identifier,
            range: TimeRange(min: 1_699_999_200_000, max: 1_700_006_400_000), lsn: 2)
        try writer.addSeries(["__name__": "load"], load)
        try writer.addSeries(["__name__": "up", "job": "api"], up)
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
        for (number, expected) in [load, up].enumerated() {
            var samples = SampleBuffer()
            try reader.read(series: UInt32(number), range: .all, into: &samples)
            #expect(samples.timestamps == expected.timestamps)
            #expect(samples.values == expected.values)
        }
    }
}
