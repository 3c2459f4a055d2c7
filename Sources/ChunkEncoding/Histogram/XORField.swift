import ByteCoding

/// A column of doubles in a chunk: the last value's bits and the window of significant bits announced last.
struct XORField: Sendable {
    private(set) var bits: UInt64
    private var leading: UInt8
    private var trailing: UInt8

    /// - Parameter bits: of the first value, which stands in the chunk as it is.
    init(writing bits: UInt64) {
        self.bits = bits
        leading = XORFormat.noWindow
        trailing = 0
    }

    /// A reader takes the window before the first announcement to be all bits.
    init(reading bits: UInt64) {
        self.bits = bits
        leading = 0
        trailing = 0
    }

    var value: Double { Double(bitPattern: bits) }

    mutating func write(_ value: Double, to writer: inout BitWriter) {
        var window = ValueWindow(leading: UInt64(leading), trailing: UInt64(trailing))
        window.write(value.bitPattern ^ bits, to: &writer)
        bits = value.bitPattern
        leading = UInt8(truncatingIfNeeded: window.leading)
        trailing = UInt8(truncatingIfNeeded: window.trailing)
    }

    @inline(__always)
    mutating func read(_ reader: inout FieldReader) throws(ChunkError) {
        if try reader.bits(1) == 0 { return }
        if try reader.bits(1) == 1 {
            let window = try reader.bits(11)
            let newLeading = Int(truncatingIfNeeded: window &>> 6)
            let count = Int(truncatingIfNeeded: window & 63)
            let newTrailing = 64 - newLeading - (count == 0 ? 64 : count)
            guard newTrailing >= 0 else { throw .malformed(bit: reader.position) }
            leading = UInt8(truncatingIfNeeded: newLeading)
            trailing = UInt8(truncatingIfNeeded: newTrailing)
        }
        bits ^= try reader.bits(64 - Int(leading) - Int(trailing)) &<< UInt64(trailing)
    }
}
