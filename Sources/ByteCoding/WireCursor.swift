/// Walks the fields of one protobuf message that lies somewhere within a larger buffer. Every read is checked against
/// the message's end; offsets in errors count from the start of the buffer.
///
/// The cursor borrows the memory and must not outlive it.
@usableFromInline
package struct WireCursor {
    /// Protobuf's wire types that carry anything.
    @usableFromInline
    package enum WireType {
        @inlinable package static var varint: UInt8 { 0 }
        @inlinable package static var fixed64: UInt8 { 1 }
        @inlinable package static var sized: UInt8 { 2 }
        @inlinable package static var groupStart: UInt8 { 3 }
        @inlinable package static var groupEnd: UInt8 { 4 }
        @inlinable package static var fixed32: UInt8 { 5 }
    }

    @usableFromInline
    package struct Tag {
        @usableFromInline package let field: Int
        @usableFromInline package let wireType: UInt8

        @inlinable
        init(field: Int, wireType: UInt8) {
            self.field = field
            self.wireType = wireType
        }
    }

    @usableFromInline package let buffer: UnsafeRawBufferPointer
    @usableFromInline package internal(set) var position: Int
    @usableFromInline package let end: Int
    @inlinable static var fieldNumberMax: UInt64 { 1 << 29 - 1 }

    @inlinable
    package init(_ buffer: UnsafeRawBufferPointer) {
        self.init(buffer, 0..<buffer.count)
    }

    /// - Precondition: `range` lies within the buffer.
    @inlinable
    package init(_ buffer: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.buffer = buffer
        position = range.lowerBound
        end = range.upperBound
    }

    @inlinable
    package var isAtEnd: Bool { position >= end }

    /// The next field's tag; nil at the message's end.
    @inlinable
    package mutating func tag() throws(WireError) -> Tag? {
        guard position < end else { return nil }
        let start = position
        let value = try varint()
        let number = value >> 3
        guard number > 0, number <= WireCursor.fieldNumberMax else {
            throw WireError(.fieldNumber(number), offset: start)
        }
        return Tag(field: Int(number), wireType: UInt8(truncatingIfNeeded: value & 7))
    }

    @inlinable
    package mutating func varint() throws(WireError) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard position < end else { throw WireError(.truncated, offset: position) }
            let byte = buffer[position]
            position += 1
            // The tenth byte holds the last bit of 64.
            if shift == 63, byte > 1 { throw WireError(.overlongVarint, offset: start) }
            value |= UInt64(byte & 0x7F) &<< shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
    }

    @inlinable
    package mutating func fixed64() throws(WireError) -> UInt64 {
        guard end - position >= 8 else { throw WireError(.truncated, offset: position) }
        defer { position += 8 }
        return UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }

    /// The bytes behind a length, as a range of the buffer.
    @inlinable
    package mutating func sized() throws(WireError) -> Range<Int> {
        let start = position
        guard let count = Int(exactly: try varint()), count <= end - position else {
            throw WireError(.truncated, offset: start)
        }
        defer { position += count }
        return position..<position + count
    }

    /// - Throws: where the tag just read is of another wire type.
    @inlinable
    package func expect(_ wireType: UInt8, _ tag: Tag) throws(WireError) {
        guard tag.wireType == wireType else {
            throw WireError(.wireType(field: tag.field, found: tag.wireType), offset: position)
        }
    }

    /// Steps over the content of a field that nobody asks for.
    @inlinable
    package mutating func skip(_ tag: Tag) throws(WireError) {
        var tag = tag
        // Groups nest; a count instead of recursion, since the message says how deep.
        var depth = 0
        while true {
            switch tag.wireType {
            case WireType.varint: _ = try varint()
            case WireType.fixed64: try advance(8)
            case WireType.sized: _ = try sized()
            case WireType.fixed32: try advance(4)
            case WireType.groupStart: depth += 1
            case WireType.groupEnd where depth > 0: depth -= 1
            default: throw WireError(.unknownWireType(tag.wireType), offset: position)
            }
            if depth == 0 { return }
            guard let next = try self.tag() else { throw WireError(.truncated, offset: position) }
            tag = next
        }
    }

    @inlinable
    mutating func advance(_ count: Int) throws(WireError) {
        guard end - position >= count else { throw WireError(.truncated, offset: position) }
        position += count
    }
}
