import CChecksum

/// CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected), the checksum of iSCSI, ext4 and of Prometheus' files.
///
/// By the processor's instruction where it has one. Elsewhere slicing by eight: eight look-ups for each eight bytes instead of one for each byte (Kounavis and Berry, 2005).
package enum CRC32C {
    /// Eight tables of 256 entries in one array; table k holds the effect of a byte that k more bytes follow.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for index in 0..<256 {
            var crc = UInt32(index)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
            tables[index] = crc
        }
        for index in 256..<tables.count {
            let shorter = tables[index - 256]
            tables[index] = (shorter >> 8) ^ tables[Int(shorter & 0xFF)]
        }
        return tables
    }()

    private static let hasInstruction = hearth_has_crc32c() != 0

    /// The checksum of the bytes. `extending` is the checksum of what stands before them.
    package static func checksum(_ bytes: UnsafeRawBufferPointer, extending previous: UInt32 = 0) -> UInt32 {
        guard let base = bytes.baseAddress else { return previous }
        return hasInstruction ? ~hearth_crc32c(~previous, base, bytes.count) : sliced(bytes, extending: previous)
    }

    /// By tables alone.
    static func sliced(_ bytes: UnsafeRawBufferPointer, extending previous: UInt32 = 0) -> UInt32 {
        tables.withUnsafeBufferPointer { tables in
            var crc = ~previous
            var offset = 0
            while offset &+ 8 <= bytes.count {
                let word =
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(crc)
                crc =
                    tables[0x700 &+ Int(word & 0xFF)]
                    ^ tables[0x600 &+ Int((word &>> 8) & 0xFF)]
                    ^ tables[0x500 &+ Int((word &>> 16) & 0xFF)]
                    ^ tables[0x400 &+ Int((word &>> 24) & 0xFF)]
                    ^ tables[0x300 &+ Int((word &>> 32) & 0xFF)]
                    ^ tables[0x200 &+ Int((word &>> 40) & 0xFF)]
                    ^ tables[0x100 &+ Int((word &>> 48) & 0xFF)]
                    ^ tables[Int(word &>> 56)]
                offset &+= 8
            }
            while offset < bytes.count {
                crc = (crc &>> 8) ^ tables[Int((crc ^ UInt32(bytes[offset])) & 0xFF)]
                offset &+= 1
            }
            return ~crc
        }
    }

    package static func checksum(_ bytes: [UInt8], extending previous: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { checksum($0, extending: previous) }
    }

    package static func checksum(_ bytes: ArraySlice<UInt8>, extending previous: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { checksum($0, extending: previous) }
    }
}
