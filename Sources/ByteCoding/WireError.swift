/// Why bytes are not the protobuf message they should be.
@usableFromInline
package struct WireError: Error, Sendable, Hashable {
    @usableFromInline
    package enum Reason: Sendable, Hashable {
        /// The message ends before the field does.
        case truncated
        /// A varint of more than ten bytes, or of more than 64 bits.
        case overlongVarint
        /// A field number of 0, or one above 2^29 - 1.
        case fieldNumber(UInt64)
        /// The field is known, and is never written in this form.
        case wireType(field: Int, found: UInt8)
        /// 6 and 7 are no wire types; the end of a group that did not begin.
        case unknownWireType(UInt8)
    }

    @usableFromInline package let reason: Reason
    /// In bytes, from the start of the whole message.
    @usableFromInline package let offset: Int

    @inlinable
    package init(_ reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

extension WireError: CustomStringConvertible {
    @usableFromInline package var description: String {
        let what =
            switch reason {
            case .truncated: "the message ends within a field"
            case .overlongVarint: "overlong varint"
            case .fieldNumber(let number): "illegal field number \(number)"
            case .wireType(let field, let found): "wrong wire type \(found) for field \(field)"
            case .unknownWireType(let found): "illegal wire type \(found)"
            }
        return "protobuf: \(what) at byte \(offset)"
    }
}
