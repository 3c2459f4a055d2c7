/// Collects the fields of a record into one array of bytes. Fixed-width fields are little-endian unless the name says
/// otherwise, as everywhere in our own formats.
package struct ByteBuilder: Sendable {
    package private(set) var bytes: [UInt8]

    package init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    package var count: Int { bytes.count }

    /// Forgets the content and keeps the memory.
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    package mutating func append(_ byte: UInt8) { bytes.append(byte) }

    package mutating func append(contentsOf other: some Collection<UInt8>) { bytes.append(contentsOf: other) }

    package mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    package mutating func appendLittleEndian<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func appendBigEndian<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func appendVarint(_ value: UInt64) { Varint.append(value, to: &bytes) }

    /// - Precondition: `value ≥ 0`; counts and lengths of our own making.
    package mutating func appendVarint(_ value: Int) { Varint.append(UInt64(value), to: &bytes) }

    package mutating func appendZigzag(_ value: Int64) { Varint.append(Varint.zigzag(value), to: &bytes) }

    /// The length as a varint, then the bytes.
    package mutating func appendSized(_ other: [UInt8]) {
        appendVarint(other.count)
        bytes.append(contentsOf: other)
    }

    /// Fills in a field whose place was kept free.
    /// - Precondition: the field lies within what was appended.
    package mutating func overwriteLittleEndian<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
    }
}
