import ByteCoding

/// All samples have the same bits: those of the value, from the highest byte on, without its zero bytes at the end.
enum ConstantEncoding {
    static func encode(_ value: Double, into bytes: inout [UInt8]) {
        bytes.append(PageFlags(encoding: .constant).byte)
        var rest = value.bitPattern
        while rest != 0 {
            bytes.append(UInt8(truncatingIfNeeded: rest &>> 56))
            rest &<<= 8
        }
    }

    static func decode(
        _ cursor: inout ByteCursor, _ count: Int, into values: UnsafeMutablePointer<Double>
    ) throws(ByteError) {
        let start = cursor.position
        guard cursor.remaining <= 8 else { throw .outOfBounds(offset: start, what: "constant") }
        var bits: UInt64 = 0
        var shift: UInt64 = 56
        while !cursor.isAtEnd {
            bits |= UInt64(try cursor.byte()) &<< shift
            shift &-= 8
        }
        values.update(repeating: Double(bitPattern: bits), count: count)
    }
}
