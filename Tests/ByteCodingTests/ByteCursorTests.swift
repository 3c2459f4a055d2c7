import ByteCoding
import Testing

@Suite("A byte cursor")
struct ByteCursorTests {
    @Test("reads back what a builder wrote, field by field")
    func roundTrip() throws {
        var builder = ByteBuilder()
        builder.append(0x2A)
        builder.appendLittleEndian(UInt32(0x0102_0304))
        builder.appendBigEndian(UInt16(0x0A0B))
        builder.appendZigzag(-77)
        builder.appendSized([1, 2, 3])
        builder.appendLittleEndian(Int64.min)
        #expect(Array(builder.bytes[..<7]) == [0x2A, 4, 3, 2, 1, 0x0A, 0x0B])
        try ByteCursor.read(builder.bytes) { (cursor: inout ByteCursor) throws(ByteError) in
            #expect(try cursor.byte() == 0x2A)
            #expect(try cursor.littleEndian(UInt32.self) == 0x0102_0304)
            #expect(try cursor.bigEndian(UInt16.self) == 0x0A0B)
            #expect(try cursor.zigzag() == -77)
            #expect(Array(try cursor.sizedBytes()) == [1, 2, 3])
            #expect(try cursor.littleEndian(Int64.self) == .min)
            #expect(cursor.isAtEnd)
        }
    }

    @Test("refuses each field that the bytes end in")
    func truncation() {
        func fails(_ count: Int, _ body: (inout ByteCursor) throws(ByteError) -> Void) {
            #expect(throws: ByteError.truncated(offset: 0)) {
                try ByteCursor.read([UInt8](repeating: 0, count: count), body)
            }
        }
        fails(0) { (cursor) throws(ByteError) in _ = try cursor.byte() }
        fails(3) { (cursor) throws(ByteError) in _ = try cursor.littleEndian(UInt32.self) }
        fails(7) { (cursor) throws(ByteError) in _ = try cursor.bigEndian(UInt64.self) }
        fails(2) { (cursor) throws(ByteError) in _ = try cursor.bytes(3) }
        fails(2) { (cursor) throws(ByteError) in _ = try cursor.bytes(-1) }
    }

    @Test("refuses a length beyond the rest of the bytes before anything is allocated")
    func sizes() {
        #expect(throws: ByteError.outOfBounds(offset: 0, what: "length")) {
            try ByteCursor.read([0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1]) { (cursor: inout ByteCursor) throws(ByteError) in
                _ = try cursor.sizedBytes()
            }
        }
        #expect(throws: ByteError.outOfBounds(offset: 0, what: "count")) {
            try ByteCursor.read([11]) { (cursor: inout ByteCursor) throws(ByteError) in
                _ = try cursor.varint(atMost: 10, "count")
            }
        }
    }

    @Test("a builder fills in fields that were kept free")
    func overwrite() {
        var builder = ByteBuilder()
        builder.appendLittleEndian(UInt32(0))
        builder.append(9)
        builder.overwriteLittleEndian(UInt32(0x0A0B_0C0D), at: 0)
        #expect(builder.bytes == [0x0D, 0x0C, 0x0B, 0x0A, 9])
    }
}
