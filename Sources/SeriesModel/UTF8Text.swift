/// Well-formedness of UTF-8 in place, as Unicode's table 3-7 defines it: no overlong forms, no surrogates, nothing
/// above U+10FFFF.
package enum UTF8Text {
    /// Whether all bytes are well-formed UTF-8. Does not allocate.
    package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            // Nearly all text is ASCII: eight bytes a step.
            if index &+ 8 <= bytes.count,
                bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                index &+= 8
            } else if bytes[index] < 0x80 {
                index += 1
            } else {
                let length = scalarLength(in: bytes, at: index)
                if length == 0 { return false }
                index += length
            }
        }
        return true
    }

    package static func isValid(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { isValid($0) }
    }

    /// The bytes of the scalar that begins at an index: 1 to 4, or 0 where none does.
    /// - Precondition: `index` is within the bytes.
    static func scalarLength(in bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
        let lead = bytes[index]
        let length: Int
        // The range of the second byte; the others are always 80...BF.
        var low: UInt8 = 0x80
        var high: UInt8 = 0xBF
        switch lead {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if lead == 0xE0 { low = 0xA0 }
            if lead == 0xED { high = 0x9F }
        case 0xF0...0xF4:
            length = 4
            if lead == 0xF0 { low = 0x90 }
            if lead == 0xF4 { high = 0x8F }
        default: return 0
        }
        guard bytes.count - index >= length else { return 0 }
        guard bytes[index + 1] >= low, bytes[index + 1] <= high else { return 0 }
        for offset in 2..<max(length, 2) where bytes[index + offset] & 0xC0 != 0x80 { return 0 }
        return length
    }
}
