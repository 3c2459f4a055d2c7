/// LEB128: seven bits a byte, least significant first, the top bit says "more follows". The form of Go's `Uvarint` and
/// of protobuf. Signed numbers are first folded by zigzag (0, -1, 1, -2 become 0, 1, 2, 3): Go's `Varint`.
@usableFromInline package enum Varint {
    /// The most bytes that a 64-bit number takes.
    package static let bytesMax = 10

    @inlinable
    package static func zigzag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
    }

    @inlinable
    package static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value &>> 1) ^ (0 &- Int64(bitPattern: value & 1))
    }

    @inlinable
    package static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// How many bytes the number takes.
    @inlinable
    package static func size(_ value: UInt64) -> Int {
        max(1, (64 - value.leadingZeroBitCount + 6) / 7)
    }
}
