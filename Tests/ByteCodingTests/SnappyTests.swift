import ByteCoding
import Testing

@Suite("Snappy blocks")
struct SnappyTests {
    @Test("come back as they were", arguments: [0, 1, 59, 60, 61, 4096, 70_000])
    func roundTrip(size: Int) throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 / 7 ^ $0) }
        let block = Snappy.compress(bytes)
        #expect(try Snappy.decompress(block, sizeMax: size) == bytes)
    }

    @Test("are read as the format describes them: a size, a literal, a copy")
    func golden() throws {
        // 11 bytes: the literal "abcde", then six bytes from five back.
        let block: [UInt8] = [11, 4 << 2] + Array("abcde".utf8) + [(6 - 4) << 2 | 1, 5]
        #expect(try Snappy.decompress(block, sizeMax: 100) == Array("abcdeabcdea".utf8))
    }

    @Test("repeated bytes take a twentieth at most")
    func ratio() throws {
        let bytes = [UInt8](repeating: 7, count: 100_000)
        let block = Snappy.compress(bytes)
        #expect(block.count < 5000)
        #expect(try Snappy.decompress(block, sizeMax: 100_000) == bytes)
    }

    @Test("that declare more than the limit are refused by that number alone")
    func limit() {
        let block = Snappy.compress([UInt8](repeating: 7, count: 1001))
        #expect(throws: Snappy.DecodeError.tooLarge(size: 1001, sizeMax: 1000)) {
            try Snappy.decompress(block, sizeMax: 1000)
        }
        // The largest size that can be declared, and nothing behind it.
        #expect(throws: Snappy.DecodeError.tooLarge(size: 0xFFFF_FFFF, sizeMax: 32 << 20)) {
            try Snappy.decompress([0xFF, 0xFF, 0xFF, 0xFF, 0x0F], sizeMax: 32 << 20)
        }
    }

    @Test("that declare more than their bytes can stand for are malformed, before memory is taken")
    func impossibleSize() {
        #expect(throws: Snappy.DecodeError.malformed) {
            try Snappy.decompress([0x80, 0x80, 0x80, 0x08, 0x00, 0x41], sizeMax: 32 << 20)
        }
    }

    @Test(
        "that are cut, empty or damaged are malformed",
        arguments: [
            [], [0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [5], [5, 4 << 2, 0x61], [2, 0, 0x61, 1, 9],
            [0, 0, 0x61],
        ] as [[UInt8]])
    func malformed(block: [UInt8]) {
        #expect(throws: Snappy.DecodeError.malformed) { try Snappy.decompress(block, sizeMax: 1000) }
    }

    @Test("with one byte changed never give more than they declare")
    func mutated() {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 / 9) }
        let block = Snappy.compress(bytes)
        for index in block.indices {
            for bit in 0..<8 {
                var damaged = block
                damaged[index] ^= 1 << UInt8(bit)
                if let output = try? Snappy.decompress(damaged, sizeMax: 4096) { #expect(output.count <= 4096) }
            }
        }
    }
}
