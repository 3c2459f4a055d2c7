import ByteCoding
import Testing

@testable import ChunkEncoding

@Suite("Varbit numbers")
struct VarbitTests {
    private func bits(_ write: (inout BitWriter) -> Void) -> (bytes: [UInt8], count: Int) {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 4) { room in
            guard let target = room.baseAddress else { return ([], 0) }
            var writer = BitWriter(target: target)
            write(&writer)
            let count = (writer.target - target) * 64 + Int(writer.used)
            writer.write(0, 64)
            return (Array(UnsafeRawBufferPointer(start: target, count: (count + 7) / 8)), count)
        }
    }

    private func read<R>(_ bytes: [UInt8], _ body: (inout FieldReader) throws -> R) rethrows -> R {
        let padded = bytes + [UInt8](repeating: 0, count: BitReader.padding)
        return try padded.withUnsafeBytes { buffer in
            var reader = FieldReader(buffer.baseAddress.unsafelyUnwrapped, end: bytes.count * 8)
            return try body(&reader)
        }
    }

    @Test(
        "take as many bits as their class, at both of its ends",
        arguments: [
            (0, 1), (1, 5), (4, 5), (5, 9), (-3, 5), (-4, 9), (32, 9), (33, 13), (-31, 9), (-32, 13), (256, 13),
            (257, 17), (-255, 13), (-256, 17), (2048, 17), (2049, 24), (-2047, 17), (-2048, 24), (131_072, 24),
            (131_073, 32), (-131_071, 24), (-131_072, 32), (16_777_216, 32), (16_777_217, 64), (-16_777_215, 32),
            (-16_777_216, 64), (1 << 55, 64), (1 << 55 + 1, 72), (1 - 1 << 55, 64), (-1 << 55, 72), (.max, 72),
            (.min, 72),
        ] as [(Int64, Int)])
    func signed(value: Int64, size: Int) throws {
        let written = bits { $0.writeVarbit(value) }
        #expect(written.count == size)
        #expect(try read(written.bytes) { try $0.varbit() } == value)
        #expect(throws: ChunkError.truncated) { try read(Array(written.bytes.dropLast())) { try $0.varbit() } }
    }

    @Test(
        "without sign have the classes' full widths",
        arguments: [
            (0, 1), (1, 5), (7, 5), (8, 9), (63, 9), (64, 13), (511, 13), (512, 17), (4095, 17), (4096, 24),
            (262_143, 24), (262_144, 32), (33_554_431, 32), (33_554_432, 64), (1 << 56 - 1, 64), (1 << 56, 72),
            (.max, 72),
        ] as [(UInt64, Int)])
    func unsigned(value: UInt64, size: Int) throws {
        let written = bits { $0.writeVarbit(unsigned: value) }
        #expect(written.count == size)
        #expect(try read(written.bytes) { try $0.varbitUnsigned() } == value)
    }
}
