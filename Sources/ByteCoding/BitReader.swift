/// Reads bits, the first from the highest bit of the first byte, out of **padded** memory: after the last byte of the
/// data at least `padding` readable bytes must follow. So no read is checked against the end; the user compares
/// `position` with the end after each record, and a record takes less than the padding.
@usableFromInline package struct BitReader {
    /// Readable bytes that must follow the data.
    package static let padding = 40

    @usableFromInline let base: UnsafeRawPointer
    /// In bits, from the start.
    @usableFromInline package var position: Int

    @inlinable
    package init(_ base: UnsafeRawPointer, position: Int = 0) {
        self.base = base
        self.position = position
    }

    /// The next bits at the top of a word: at least 57 of them are valid.
    @inlinable @inline(__always)
    package func peek() -> UInt64 {
        let word = UInt64(bigEndian: base.loadUnaligned(fromByteOffset: position &>> 3, as: UInt64.self))
        return word &<< UInt64(truncatingIfNeeded: position & 7)
    }

    /// 1 to 57 bits.
    @inlinable @inline(__always)
    package mutating func read(_ count: Int) -> UInt64 {
        let bits = peek() &>> UInt64(truncatingIfNeeded: 64 &- count)
        position &+= count
        return bits
    }

    /// 1 to 64 bits.
    @inlinable @inline(__always)
    package mutating func readWide(_ count: Int) -> UInt64 {
        if count <= 57 { return read(count) }
        let high = read(32)
        return high &<< UInt64(truncatingIfNeeded: count &- 32) | read(count &- 32)
    }

    /// A LEB128 varint; nil where it is longer than ten bytes or does not fit.
    @inlinable
    package mutating func readVarint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = read(8)
            if shift == 63, next > 1 { return nil }
            value |= (next & 0x7F) &<< shift
            if next & 0x80 == 0 { return value }
            shift &+= 7
        }
    }
}
