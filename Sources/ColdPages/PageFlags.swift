/// The first byte of a page. `docs/formats/cold-pages.md` draws it.
struct PageFlags: Hashable {
    var encoding: ValueEncoding
    /// The numbers are differences to those of another page.
    var hasBase = false
    /// Values that the scale cannot express follow behind the numbers.
    var hasOddValues = false
    /// How often the numbers were subtracted from their predecessors: 0, 1 or 2.
    var order = 0
    /// All differences from the first number are multiples of a number that is in the header.
    var hasMultiplier = false

    init(encoding: ValueEncoding) { self.encoding = encoding }

    /// nil for a byte that no encoder writes.
    init?(byte: UInt8) {
        guard let encoding = ValueEncoding(rawValue: byte & 3), byte & 0x80 == 0, byte & 0x30 != 0x30 else {
            return nil
        }
        self.encoding = encoding
        hasBase = byte & 4 != 0
        hasOddValues = byte & 8 != 0
        order = Int(byte >> 4 & 3)
        hasMultiplier = byte & 0x40 != 0
        if encoding == .constant, byte != 0 { return nil }
    }

    var byte: UInt8 {
        encoding.rawValue | (hasBase ? 4 : 0) | (hasOddValues ? 8 : 0) | UInt8(truncatingIfNeeded: order) << 4
            | (hasMultiplier ? 0x40 : 0)
    }
}
