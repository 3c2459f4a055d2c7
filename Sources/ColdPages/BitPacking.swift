import ByteCoding

/// Writes bits, the first into the lowest bits of the first byte.
struct LowBitWriter {
    private var word: UInt64 = 0
    private var filled: UInt64 = 0

    /// - Parameter width: 0 to 64; `value` has no bit above.
    mutating func append(_ value: UInt64, _ width: Int, to bytes: inout [UInt8]) {
        word |= value &<< filled
        let total = filled + UInt64(truncatingIfNeeded: width)
        guard total >= 64 else {
            filled = total
            return
        }
        withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
        word = filled == 0 ? 0 : value &>> (64 &- filled)
        filled = total &- 64
    }

    /// Fills the last byte with zeros.
    mutating func finish(_ bytes: inout [UInt8]) {
        let count = Int(truncatingIfNeeded: (filled + 7) / 8)
        withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0.prefix(count)) }
        word = 0
        filled = 0
    }
}

/// Sizes in bits and bytes.
enum BitPacking {
    /// The bits that a number needs.
    static func width(_ value: UInt64) -> Int { 64 &- value.leadingZeroBitCount }

    /// The bits of a position in a page.
    static func positionWidth(_ count: Int) -> Int { width(UInt64(max(1, count) - 1)) }

    /// The whole bytes of `count` numbers. Both are small: a page's.
    static func bytes(_ count: Int, _ width: Int) -> Int { (count * width + 7) / 8 }
}
