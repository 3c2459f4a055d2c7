/// Why bytes could not be decoded, and where: `offset` counts from the start of the buffer that was being read.
@usableFromInline package enum ByteError: Error, Sendable, Hashable {
    /// The buffer ends before the field does.
    case truncated(offset: Int)
    /// A varint of more than ten bytes, or one that does not fit its type.
    case overlongVarint(offset: Int)
    /// A length, count or number beyond what the format allows there.
    case outOfBounds(offset: Int, what: String)

    package var offset: Int {
        switch self {
        case .truncated(let offset), .overlongVarint(let offset), .outOfBounds(let offset, _): offset
        }
    }
}

extension ByteError: CustomStringConvertible {
    @usableFromInline package var description: String {
        switch self {
        case .truncated(let offset): "ends early at byte \(offset)"
        case .overlongVarint(let offset): "overlong varint at byte \(offset)"
        case .outOfBounds(let offset, let what): "\(what) out of bounds at byte \(offset)"
        }
    }
}
