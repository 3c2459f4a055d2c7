/// Reads fields one after the other out of bytes from outside. Every read is checked against the end; nothing traps.
///
/// The cursor borrows the memory: it must not outlive the buffer it was made over. `ByteCursor.read(_:)` gives a
/// closure that scope for an array.
@usableFromInline package struct ByteCursor {
    @usableFromInline let buffer: UnsafeRawBufferPointer
    /// Bytes read so far, from the start of the buffer.
    @usableFromInline package internal(set) var position = 0

    @inlinable
    package init(_ buffer: UnsafeRawBufferPointer) { self.buffer = buffer }

    /// Runs `body` with a cursor over the array's bytes.
    @inlinable
    package static func read<R, E: Error>(
        _ bytes: [UInt8], _ body: (inout ByteCursor) throws(E) -> R
    ) throws(E) -> R {
        let result = bytes.withUnsafeBytes { buffer -> Result<R, E> in
            var cursor = ByteCursor(buffer)
            do throws(E) {
                return .success(try body(&cursor))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    @inlinable
    package var count: Int { buffer.count }
    @inlinable
    package var remaining: Int { buffer.count - position }
    @inlinable
    package var isAtEnd: Bool { position == buffer.count }

    @inlinable
    package mutating func byte() throws(ByteError) -> UInt8 {
        guard position < buffer.count else { throw .truncated(offset: position) }
        let value = buffer[position]
        position += 1
        return value
    }

    package mutating func littleEndian<T: FixedWidthInteger>(_ type: T.Type) throws(ByteError) -> T {
        T(littleEndian: try load(type))
    }

    package mutating func bigEndian<T: FixedWidthInteger>(_ type: T.Type) throws(ByteError) -> T {
        T(bigEndian: try load(type))
    }

    private mutating func load<T: FixedWidthInteger>(_ type: T.Type) throws(ByteError) -> T {
        let size = MemoryLayout<T>.size
        guard remaining >= size else { throw .truncated(offset: position) }
        let value = buffer.loadUnaligned(fromByteOffset: position, as: type)
        position += size
        return value
    }

    @inlinable
    package mutating func varint() throws(ByteError) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            // The tenth byte holds the last bit of 64.
            if shift == 63, next > 1 { throw .overlongVarint(offset: start) }
            value |= UInt64(next & 0x7F) &<< shift
            if next & 0x80 == 0 { return value }
            shift += 7
        }
    }

    @inlinable
    package mutating func zigzag() throws(ByteError) -> Int64 { Varint.unzigzag(try varint()) }

    /// A count or length that must not be above `limit`. Nothing may be allocated by a number that was not checked so.
    @inlinable
    package mutating func varint(atMost limit: Int, _ what: String) throws(ByteError) -> Int {
        let start = position
        let value = try varint()
        guard let number = Int(exactly: value), number <= limit else {
            throw .outOfBounds(offset: start, what: what)
        }
        return number
    }

    /// The next bytes, still in the buffer.
    @inlinable
    package mutating func bytes(_ count: Int) throws(ByteError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else { throw .truncated(offset: position) }
        let slice = UnsafeRawBufferPointer(rebasing: buffer[position..<position + count])
        position += count
        return slice
    }

    /// Bytes that stand behind their length (a varint).
    package mutating func sizedBytes() throws(ByteError) -> UnsafeRawBufferPointer {
        try bytes(try varint(atMost: remaining, "length"))
    }
}
