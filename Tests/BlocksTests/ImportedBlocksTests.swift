import Blocks
import FileIO
import StorageAPI
import TestSupport
import Testing

@Suite("The list of imported blocks")
struct ImportedBlocksTests {
    private let disk = SimulatedFileSystem()
    private let path = "/data/" + ImportedBlocks.fileName

    private func write(_ count: Int) throws -> ImportedBlocks {
        try disk.createDirectory("/data")
        var list = ImportedBlocks()
        for index in 0..<count { list.insert(BlockIdentifier(high: UInt64(index) << 16, low: 7)) }
        try list.write(fileSystem: disk, dataDirectory: "/data")
        return list
    }

    @Test("is read as it was written, and is empty where there is no file", arguments: [0, 1, 9])
    func roundTrip(count: Int) throws {
        #expect(try ImportedBlocks(fileSystem: disk, dataDirectory: "/data").identifiers.isEmpty)
        let list = try write(count)
        #expect(try ImportedBlocks(fileSystem: disk, dataDirectory: "/data") == list)
        #expect(list.identifiers.count == count)
    }

    @Test("has the bytes of the format page")
    func bytes() throws {
        try disk.createDirectory("/data")
        var list = ImportedBlocks()
        list.insert(try #require(BlockIdentifier("01HV0000000000000000000001")))
        try list.write(fileSystem: disk, dataDirectory: "/data")
        let text = "hearth-imported-blocks 1\n01HV0000000000000000000001\ncrc32c 0e16f4eb\n"
        #expect(disk.bytes(path) == Array(text.utf8))
    }

    @Test("with a changed byte, or cut short, is an error, never another list")
    func damaged() throws {
        let list = try write(3)
        let bytes = try #require(disk.bytes(path))
        for index in bytes.indices {
            for flip: UInt8 in [1, 0x80, 0xFF] {
                var damaged = bytes
                damaged[index] ^= flip
                disk.put(path, damaged)
                #expect(throws: StorageError.self) { try ImportedBlocks(fileSystem: disk, dataDirectory: "/data") }
            }
            disk.put(path, Array(bytes[..<index]))
            #expect(throws: StorageError.self) { try ImportedBlocks(fileSystem: disk, dataDirectory: "/data") }
        }
        disk.put(path, bytes)
        #expect(try ImportedBlocks(fileSystem: disk, dataDirectory: "/data") == list)
    }
}
