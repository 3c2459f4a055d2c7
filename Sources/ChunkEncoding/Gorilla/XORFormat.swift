/// Constants of the XOR chunk: see `docs/formats/chunk.md`.
@usableFromInline package enum XORFormat {
    /// The number of samples, big-endian, before the bits.
    package static let headerBytes = 2
    /// What the header can count. The head closes its chunks long before.
    @inlinable package static var samplesMax: Int { Int(UInt16.max) }
    /// A sample completes at most this many 64-bit words: 68 bits of timestamp, 77 of value, 63 waiting.
    @inlinable package static var wordsPerSampleMax: Int { 3 }
    /// Leading zeros are written in five bits.
    @usableFromInline static let leadingZerosMax: UInt64 = 31
    /// Marks "no window of significant bits yet".
    @usableFromInline static let noWindow: UInt8 = 0xFF
    /// The significant bits that are left out of the dod classes: `10`, `110`, `1110`.
    @usableFromInline static let dodBits = (14, 17, 20)
    /// The fewest bits that a sample after the second takes: one for the timestamp, one for the value.
    static let bitsPerSampleMin = 2
}
