import CDeflate

/// Unpacks whole bodies in gzip with libdeflate: several times as fast as zlib, and it can do nothing else. What it does
/// not take zlib looks at, which has more words for what is wrong.
enum GzipBody {
    enum Outcome {
        case complete
        /// The text is longer than the room.
        case roomIsShort
        case isNone
    }

    /// - Parameter count: how much of the room is filled at the end.
    static func inflate(
        _ body: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer, _ count: inout Int
    ) -> Outcome {
        count = 0
        guard let decompressor = libdeflate_alloc_decompressor() else { return .isNone }
        defer { libdeflate_free_decompressor(decompressor) }
        var rest = body
        // Several members in a row are one text (RFC 1952, 2.2).
        while let start = rest.baseAddress, rest.count > 0 {
            let free = UnsafeMutableRawBufferPointer(rebasing: room[count...])
            var (taken, made) = (0, 0)
            let result = libdeflate_gzip_decompress_ex(
                decompressor, start, rest.count, free.baseAddress, free.count, &taken, &made)
            switch result {
            case LIBDEFLATE_SUCCESS: break
            case LIBDEFLATE_INSUFFICIENT_SPACE: return .roomIsShort
            default: return .isNone
            }
            guard taken > 0, taken <= rest.count, made <= free.count else { return .isNone }
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
            count += made
        }
        return .complete
    }
}
