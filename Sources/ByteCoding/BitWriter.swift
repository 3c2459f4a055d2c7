/// Writes bits, the first into the highest bit of the first byte. Bits gather in a 64-bit word; a word that is full is
/// stored and never changes again.
///
/// The target is memory of the caller, who guarantees the room: whoever writes knows the most that one record can take.
@usableFromInline package struct BitWriter {
    /// Bits that do not fill a word yet, at the top of the word; the bits below are zero.
    @usableFromInline package var word: UInt64 = 0
    /// How many bits of `word` are in use, 0 to 63.
    @usableFromInline package var used: UInt64 = 0
    /// Where the next full word goes.
    @usableFromInline package var target: UnsafeMutablePointer<UInt64>

    @inlinable
    package init(word: UInt64 = 0, used: UInt64 = 0, target: UnsafeMutablePointer<UInt64>) {
        self.word = word
        self.used = used
        self.target = target
    }

    /// Writes the lowest `count` bits of `bits`, 1 to 64. Higher bits must be zero.
    @inlinable @inline(__always)
    package mutating func write(_ bits: UInt64, _ count: UInt64) {
        let free = 64 &- used
        if count < free {
            word |= bits &<< (free &- count)
            used &+= count
        } else {
            let rest = count &- free
            target.pointee = (word | bits &>> rest).bigEndian
            target += 1
            // `&<<` takes its count modulo 64: a shift by 64 would leave all bits.
            word = rest == 0 ? 0 : bits &<< (64 &- rest)
            used = rest
        }
    }

    /// Writes a LEB128 varint, at most ten bytes.
    @inlinable
    package mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            write((rest & 0x7F) | 0x80, 8)
            rest &>>= 7
        }
        write(rest, 8)
    }
}
