import ByteCoding
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
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0x08
            disk.put(path(file), changed)
            expectCorruption(file, "byte \(index)") { try BlockFixture.open(disk).verify() }
        }
    }

    @Test("fails the reads that meet the damage and leaves the buffer alone, and serves the others")
    func partial() throws {
        let series = BlockFixture.series(12)
        try BlockFixture.write(series, to: disk)
        let extent = try BlockFixture.open(disk).extent(of: 3)
        var bytes = try #require(disk.bytes(path("data")))
        bytes[extent.lowerBound + 5] ^= 1
        disk.put(path("data"), bytes)
        let reader = try BlockFixture.open(disk)
        var samples = SampleBuffer()
        samples.append(1, 2)
        expectCorruption("data") { try reader.read(series: 3, range: .all, into: &samples) }
        #expect(samples.count == 1)
        try reader.read(series: 4, range: .all, into: &samples)
        #expect(samples.count > 1)
    }

    @Test("gives no wrong sample, whichever byte was changed", arguments: ["data", "index"])
    func neverWrong(file: String) throws {
        let series = BlockFixture.series(12)
        try BlockFixture.write(series, to: disk)
        let bytes = try #require(disk.bytes(path(file)))
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0x40
            disk.put(path(file), changed)
            guard let reader = try? BlockFixture.open(disk) else { continue }
            for (number, expected) in series.enumerated() {
                var samples = SampleBuffer()
                guard (try? reader.read(series: UInt32(number), range: .all, into: &samples)) != nil else { continue }
                #expect(samples.timestamps == expected.samples.timestamps, "byte \(index)")
                #expect(samples.values == expected.samples.values, "byte \(index)")
                if let labels = try? reader.labels(of: UInt32(number)) { #expect(labels == expected.labels) }
            }
        }
    }

    /// A footer whose checksum is right leads anywhere: what a program with an error could have written.
    @Test("never traps, wherever the footer points (seed 6)")
    func wildFooter() throws {
        _ = try BlockFixture.write(BlockFixture.series(40), to: disk)
        let good = try #require(disk.bytes(path("footer")))
        var random = SeededRandom(seed: 6)
        for _ in 0..<600 {
            var changed = good
            // Behind magic, version, level and identifier.
            let place = Int.random(in: 32..<(good.count - 4), using: &random)
            changed[place] = UInt8.random(in: 0...255, using: &random)
            let checksum = CRC32C.checksum(changed[..<(changed.count - 4)])
            for byte in 0..<4 {
                changed[changed.count - 4 + byte] = UInt8(truncatingIfNeeded: checksum >> UInt32(byte * 8))
            }
            disk.put(path("footer"), changed)
            do {
                try BlockFixture.readAll(try BlockFixture.open(disk))
            } catch is StorageError {
                continue
            }
        }
    }
}
