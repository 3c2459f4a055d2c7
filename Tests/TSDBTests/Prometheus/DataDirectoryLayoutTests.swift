import FileIO
import SeriesModel
import TestSupport
import Testing

@testable import TSDB

@Suite("Where our log lies in a data directory")
struct DataDirectoryLayoutTests {
    private let disk = SimulatedFileSystem()

    private func isBeside(_ files: [String: [UInt8]]) throws -> Bool {
        try disk.createDirectory("/data")
        for (name, bytes) in files {
            let path = "/data/" + name
            try disk.createDirectory(FilePath.directory(of: path))
            disk.put(path, bytes)
        }
        return DataDirectoryLayout(fileSystem: disk, directory: "/data").isBesidePrometheus
    }

    private static let ours = Array("HEARTHWL".utf8) + [UInt8](repeating: 0, count: 32)
    private static let block = PrometheusFixture.older + "/meta.json"

    @Test(
        "is a place of its own where Prometheus has the usual one, or may have had it",
        arguments: [
            ["wal/00000000": PrometheusFixture.segment([[200, 1, 2, 3]])],
            ["wal/00000000": PrometheusFixture.segment([[200, 1, 2, 3]]), "FORMAT": [1]],
            ["wal/00000000": []],
            ["wal/00000007": [1, 2, 3]],
            ["wal/checkpoint.00000004/00000000": [], "FORMAT": [1]],
            ["chunks_head/000001": [1]],
            [block: [1]],
            ["wal-hearth/00000000": ours, "wal/00000000": ours],
        ] as [[String: [UInt8]]])
    func beside(files: [String: [UInt8]]) throws {
        #expect(try isBeside(files))
    }

    @Test(
        "is the usual one where the directory is ours, also where something of it is damaged or Prometheus' is beside",
        arguments: [
            [:],
            ["FORMAT": [1]],
            ["wal/00000000": ours],
            ["wal/00000000": ours, block: [1]],
            ["wal/checkpoint-00000000000000000007": [], block: [1]],
            ["wal/00000000": [1, 2, 3], "FORMAT": [1]],
            ["wal/00000000": [], "chunks_head/00000000": [1], "FORMAT": [1]],
        ] as [[String: [UInt8]]])
    func usual(files: [String: [UInt8]]) throws {
        #expect(try !isBeside(files))
    }

    @Test("is ours whichever byte of the only segment is damaged")
    func damagedSegment() async throws {
        let test = try TestStore()
        try await test.append([(["__name__": "m"], test.clock.now(), 1)])
        test.store.close()
        let path = test.directory.path + "/wal/00000000"
        let bytes = try #require(test.disk.bytes(path))
        for index in 0..<min(bytes.count, 64) {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << UInt8(bit)
                test.disk.put(path, damaged)
                let layout = DataDirectoryLayout(fileSystem: test.disk, directory: test.directory.path)
                #expect(!layout.isBesidePrometheus, "byte \(index), bit \(bit)")
            }
        }
        test.disk.put(path, bytes)
        try test.reopen()
    }
}
