import ByteCoding

/// Checks bytes from disk before they become a `LabelSet`, which trusts its bytes.
enum PackedLabels {
    /// Whether the bytes are pairs of non-empty texts with ascending names.
    static func isWellFormed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var cursor = ByteCursor(bytes)
        var previous: UnsafeRawBufferPointer?
        do throws(ByteError) {
            while !cursor.isAtEnd {
                let name = try cursor.sizedBytes()
                let value = try cursor.sizedBytes()
                if name.isEmpty || value.isEmpty { return false }
                if let previous, !previous.lexicographicallyPrecedes(name) { return false }
                previous = name
            }
            return true
        } catch {
            return false
        }
    }
}
