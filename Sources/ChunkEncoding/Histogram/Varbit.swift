import ByteCoding

/// Numbers in 1 to 72 bits: a prefix of ones says how many bits follow, so that small numbers are short. A class of n
/// bits holds the signed numbers -(2^(n-1))+1 ... 2^(n-1), or the unsigned ones below 2^n.
enum Varbit {
    /// The bits that follow a prefix of so many ones; eight ones have no zero behind them.
    static let classBits = [0, 3, 6, 9, 12, 18, 25, 56, 64]
}

extension BitWriter {
    mutating func writeVarbit(_ value: Int64) {
        let bits = UInt64(bitPattern: value)
        // Of 2^(n-1) the class of n bits is the smallest, though it takes one bit more than a two's complement number.
        switch value {
        case 0: write(0, 1)
        case -3...4: write(0b10 << 3 | bits & 0x7, 5)
        case -31...32: write(0b110 << 6 | bits & 0x3F, 9)
        case -255...256: write(0b1110 << 9 | bits & 0x1FF, 13)
        case -2047...2048: write(0b11110 << 12 | bits & 0xFFF, 17)
        case -131_071...131_072: write(0b111110 << 18 | bits & 0x3FFFF, 24)
        case -16_777_215...16_777_216: write(0b111_1110 << 25 | bits & 0x1FF_FFFF, 32)
        case -36_028_797_018_963_967...36_028_797_018_963_968:
            write(0b1111_1110 << 56 | bits & 0xFF_FFFF_FFFF_FFFF, 64)
        default:
            write(0b1111_1111, 8)
            write(bits, 64)
        }
    }

    mutating func writeVarbit(unsigned value: UInt64) {
        switch 64 - value.leadingZeroBitCount {
        case 0: write(0, 1)
        case ...3: write(0b10 << 3 | value, 5)
        case ...6: write(0b110 << 6 | value, 9)
        case ...9: write(0b1110 << 9 | value, 13)
        case ...12: write(0b11110 << 12 | value, 17)
        case ...18: write(0b111110 << 18 | value, 24)
        case ...25: write(0b111_1110 << 25 | value, 32)
        case ...56: write(0b1111_1110 << 56 | value, 64)
        default:
            write(0b1111_1111, 8)
            write(value, 64)
        }
    }
}

/// Reads fields out of padded memory and compares with the end after each.
struct FieldReader {
    private var reader: BitReader
    /// Where the data ends. Bits.
    private let end: Int

    init(_ base: UnsafeRawPointer, end: Int) {
        reader = BitReader(base)
        self.end = end
    }

    var position: Int { reader.position }
    /// Bits.
    var remaining: Int { end - reader.position }

    /// 1 to 64 bits.
    @inline(__always)
    mutating func bits(_ count: Int) throws(ChunkError) -> UInt64 {
        let value = reader.readWide(count)
        guard reader.position <= end else { throw .truncated }
        return value
    }

    mutating func double() throws(ChunkError) -> Double { Double(bitPattern: try bits(64)) }

    /// A folded LEB128 varint, which need not begin with a byte.
    mutating func varint() throws(ChunkError) -> Int64 {
        Varint.unzigzag(UInt64(bitPattern: try unsignedVarint()))
    }

    /// A LEB128 varint, which need not begin with a byte; the bits of the number.
    mutating func unsignedVarint() throws(ChunkError) -> Int64 {
        let start = reader.position
        guard let value = reader.readVarint() else { throw .malformed(bit: start) }
        guard reader.position <= end else { throw .truncated }
        return Int64(bitPattern: value)
    }

    /// How many ones stand before a zero, which is read with them, or before the `limit`-th one.
    mutating func ones(atMost limit: Int) throws(ChunkError) -> Int {
        let ones = min((~reader.peek()).leadingZeroBitCount, limit)
        reader.position &+= ones < limit ? ones &+ 1 : limit
        guard reader.position <= end else { throw .truncated }
        return ones
    }

    @inline(__always)
    mutating func varbitUnsigned() throws(ChunkError) -> UInt64 {
        let size = readPrefix()
        return size == 0 ? 0 : try bits(size)
    }

    @inline(__always)
    mutating func varbit() throws(ChunkError) -> Int64 {
        let size = readPrefix()
        if size == 0 {
            guard reader.position <= end else { throw .truncated }
            return 0
        }
        let value = Int64(bitPattern: try bits(size))
        // The pattern 100…0 is the positive end of its class.
        return size < 64 && value > 1 &<< Int64(size &- 1) ? value &- (1 &<< Int64(size)) : value
    }

    /// - Returns: how many bits of value follow.
    @inline(__always)
    private mutating func readPrefix() -> Int {
        let ones = min((~reader.peek()).leadingZeroBitCount, 8)
        reader.position &+= ones < 8 ? ones &+ 1 : 8
        return Varbit.classBits[ones]
    }
}
