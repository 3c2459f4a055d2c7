import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import Blocks

@Suite("A damaged block")
struct BlockCorruptionTests {
    private let disk = SimulatedFileSystem()

    private func path(_ file: String) -> String { BlockFixture.path + "/" + file }

    private func expectCorruption(_ file: String, _ comment: Comment? = nil, _ body: () throws -> Void) {
        #expect(comment) {
            try body()
        } throws: { error in
            guard case .corruption(let found, _, _)? = error as? StorageError else { return false }
            return found == path(file) || found == BlockFixture.path
        }
    }

    @Test("is not opened by a footer with a changed byte, or one cut short")
    func footer() throws {
        try BlockFixture.write(BlockFixture.series(5), to: disk)
        let bytes = try #require(disk.bytes(path("footer")))
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0x20
            disk.put(path("footer"), changed)
            expectCorruption("footer", "byte \(index)") { _ = try BlockFixture.open(disk) }
            disk.put(path("footer"), Array(bytes[..<index]))
            expectCorruption("footer", "\(index) bytes") { _ = try BlockFixture.open(disk) }
        }
        disk.put(path("footer"), bytes + [0])
        expectCorruption("footer") { _ = try BlockFixture.open(disk) }
    }

    @Test("is not opened when a file is missing, or not as long as the footer says", arguments: ["data", "index"])
    func sizes(file: String) throws {
        try BlockFixture.write(BlockFixture.series(5), to: disk)
        let bytes = try #require(disk.bytes(path(file)))
        disk.put(path(file), bytes + [0])
        expectCorruption(file) { _ = try BlockFixture.open(disk) }
        disk.put(path(file), Array(bytes.dropLast()))
        expectCorruption(file) { _ = try BlockFixture.open(disk) }
        try disk.remove(path(file))
        #expect { try BlockFixture.open(disk) } throws: { error in
            guard case .system(let operation, _, _)? = error as? StorageError else { return false }
            return operation == "open"
        }
    }

    @Test("is found by verifying, whichever byte of data or index was changed", arguments: ["data", "index"])
    func changedByte(file: String) throws {
        try BlockFixture.write(BlockFixture.series(12), to: disk)
        let bytes = try #require(disk.bytes(path(file)))
        // Four bytes of each header are not used.
        for index in bytes.indices where file == "index" || !(12..<16).contains(index) {
            var changed = bytes
            changed[index] ^= 0x08
            disk.put(path(file), changed)
            expectCorruption(file, "byte \(index)") { try BlockFixture.open(disk).verify() }
        }
    }

    @Test("fails the reads that meet the damage, and serves the others")
    func partial() throws {
        let series = BlockFixture.series(12)
        try BlockFixture.write(series, to: disk)
        let chunk = try #require(try BlockFixture.open(disk).chunks(of: 3).first)
        var bytes = try #require(disk.bytes(path("data")))
        bytes[chunk.offset + 5] ^= 1
        disk.put(path("data"), bytes)
        let reader = try BlockFixture.open(disk)
        var samples = SampleBuffer()
        samples.append(1, 2)
        #expect(
            throws: StorageError.corruption(file: path("data"), offset: chunk.offset, reason: "chunk checksum")
        ) { try reader.read(chunk, into: &samples) }
        #expect(samples.count == 1)
        try reader.read(try #require(try reader.chunks(of: 4).first), into: &samples)
        #expect(samples.count > 1)
    }

    /// A footer whose checksum is right leads anywhere: what a program with an error could have written.
    @Test("never traps, wherever the tables point (seed 6)")
    func wildTables() throws {
        var written = try BlockFixture.write(BlockFixture.series(40), to: disk)
        let good = written.tables
        var random = SeededRandom(seed: 6)
        for _ in 0..<400 {
            written.tables = good
            func wild() -> UInt64 {
                Bool.random(using: &random) ? random.next() : UInt64.random(in: 0...5000, using: &random)
            }
            switch Int.random(in: 0..<8, using: &random) {
            case 0: written.tables.symbols = wild()
            case 1: written.tables.symbolRows = wild()
            case 2: written.tables.symbolCount = UInt32(truncatingIfNeeded: wild())
            case 3: written.tables.seriesRows = wild()
            case 4: written.tables.pairRows = wild()
            case 5: written.tables.pairCount = UInt32(truncatingIfNeeded: wild())
            case 6: written.tables.nameRows = wild()
            default: written.tables.nameCount = UInt32(truncatingIfNeeded: wild() % 1000)
            }
            disk.put(path("footer"), written.encoded)
            let reader = try BlockFixture.open(disk)
            do {
                try BlockFixture.readAll(reader)
            } catch is StorageError {
                continue
            }
        }
    }
}
