import ByteCoding
import Testing

@Suite("Varints")
struct VarintTests {
    /// The examples of the protobuf and Go documentation, and the ends.
    @Test(
        "take the bytes that LEB128 says",
        arguments: [
            (0, [0x00]), (1, [0x01]), (127, [0x7F]), (128, [0x80, 0x01]), (300, [0xAC, 0x02]),
            (16383, [0xFF, 0x7F]), (16384, [0x80, 0x80, 0x01]),
            (UInt64.max, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
        ] as [(UInt64, [UInt8])])
    func encoding(value: UInt64, bytes: [UInt8]) throws {
        var encoded: [UInt8] = []
        Varint.append(value, to: &encoded)
        #expect(encoded == bytes)
        #expect(Varint.size(value) == bytes.count)
        let decoded = try ByteCursor.read(bytes) { (cursor: inout ByteCursor) throws(ByteError) in try cursor.varint() }
        #expect(decoded == value)
    }

    @Test(
        "fold the sign into the lowest bit",
        arguments: [(0, 0), (-1, 1), (1, 2), (-2, 3), (Int64.max, UInt64.max - 1), (Int64.min, UInt64.max)]
            as [(Int64, UInt64)])
    func zigzag(value: Int64, folded: UInt64) {
        #expect(Varint.zigzag(value) == folded)
        #expect(Varint.unzigzag(folded) == value)
    }

    @Test("of more than 64 bits are refused with their offset")
    func overlong() {
        let bytes: [UInt8] = [0x05] + [UInt8](repeating: 0xFF, count: 9) + [0x02]
        #expect(throws: ByteError.overlongVarint(offset: 1)) {
            try ByteCursor.read(bytes) { (cursor: inout ByteCursor) throws(ByteError) in
                _ = try cursor.varint()
                return try cursor.varint()
            }
        }
    }

    @Test("that end early are refused where the bytes end")
    func truncated() {
        #expect(throws: ByteError.truncated(offset: 2)) {
            try ByteCursor.read([0x80, 0x80]) { (cursor: inout ByteCursor) throws(ByteError) in try cursor.varint() }
        }
    }
}
