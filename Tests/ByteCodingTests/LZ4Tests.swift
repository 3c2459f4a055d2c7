import ByteCoding
import Testing

@Suite("LZ4 blocks")
struct LZ4Tests {
    private func compress(_ bytes: [UInt8], smallerThan limit: Int) -> [UInt8]? {
        var output: [UInt8] = [1, 2, 3]
        let isCompressed = bytes.withUnsafeBytes { LZ4.compress($0, into: &output, smallerThan: limit) }
        #expect(isCompressed || output.isEmpty)
        return isCompressed ? output : nil
    }

    @Test("come back as they were")
    func roundTrip() throws {
        let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 / 50) }
        let block = try #require(compress(bytes, smallerThan: bytes.count))
        #expect(block.count < 600)
        #expect(try LZ4.decompress(block, size: bytes.count) == bytes)
    }

    @Test("are not made where they would not be smaller than the limit")
    func incompressible() {
        var state: UInt64 = 1
        let bytes = (0..<1000).map { _ -> UInt8 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
        #expect(compress(bytes, smallerThan: bytes.count) == nil)
        #expect(compress([], smallerThan: 100) == nil)
    }

    @Test("of another size than declared, or damaged, are refused")
    func malformed() throws {
        let bytes = [UInt8](repeating: 7, count: 1000)
        let block = try #require(compress(bytes, smallerThan: bytes.count))
        #expect(throws: LZ4.Malformed()) { try LZ4.decompress(block, size: 999) }
        #expect(throws: LZ4.Malformed()) { try LZ4.decompress(block, size: 1001) }
        #expect(throws: LZ4.Malformed()) { try LZ4.decompress(Array(block.dropLast()), size: 1000) }
        #expect(throws: LZ4.Malformed()) { try LZ4.decompress([], size: 10) }
    }

    @Test("of random bytes never trap")
    func fuzz() {
        var state: UInt64 = 42
        for _ in 0..<2000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let count = Int(state >> 58)
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: (state >> 20) &* UInt64($0 + 1)) }
            _ = try? LZ4.decompress(bytes, size: Int(state >> 50 & 0xFFF))
        }
    }
}
