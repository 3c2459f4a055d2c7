extension LabelSet {
    /// Takes packed bytes from outside; nil where they do not hold the invariant: whole fields, shortest lengths, names
    /// and values that are UTF-8 and not empty, names ascending.
    package init?(validating packed: [UInt8]) {
        let isValid = packed.withUnsafeBytes { bytes in
            var position = 0
            var previous: UnsafeRawBufferPointer?
            while position < bytes.count {
                guard let name = LabelSet.field(bytes, &position), let value = LabelSet.field(bytes, &position) else {
                    return false
                }
                guard UTF8Text.isValid(name), UTF8Text.isValid(value) else { return false }
                if let previous, !previous.lexicographicallyPrecedes(name) { return false }
                previous = name
            }
            return true
        }
        guard isValid else { return nil }
        self.init(trusted: packed)
    }

    /// One non-empty field behind its length.
    private static func field(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> UnsafeRawBufferPointer? {
        var length = 0
        // Four bytes of length are 256 MB, more than any label may have.
        for shift in stride(from: 0, to: 28, by: 7) {
            guard position < bytes.count else { return nil }
            let byte = bytes[position]
            position += 1
            length |= Int(byte & 0x7F) << shift
            guard byte & 0x80 == 0 else { continue }
            // A last byte of zero could have been left out.
            guard length > 0, shift == 0 || byte != 0, bytes.count - position >= length else { return nil }
            defer { position += length }
            return UnsafeRawBufferPointer(rebasing: bytes[position..<position + length])
        }
        return nil
    }
}
