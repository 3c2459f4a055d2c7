import ByteCoding

/// Writes the fields of a protobuf message. Fields are left out by whoever calls: zero is what a field that is left out
/// means, but for the members of a `oneof`.
struct WireWriter: Sendable {
    private(set) var bytes: [UInt8] = []

    /// The wire types, as they stand in the low bits of a tag.
    private enum Kind {
        static let varint: UInt64 = 0
        static let fixed64: UInt64 = 1
        static let sized: UInt64 = 2
    }

    /// Forgets the content and keeps the memory.
    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    var count: Int { bytes.count }

    mutating func varint(_ field: UInt64, _ value: UInt64) {
        Varint.append(field << 3 | Kind.varint, to: &bytes)
        Varint.append(value, to: &bytes)
    }

    mutating func zigzag(_ field: UInt64, _ value: Int64) { varint(field, Varint.zigzag(value)) }

    mutating func double(_ field: UInt64, _ value: Double) {
        Varint.append(field << 3 | Kind.fixed64, to: &bytes)
        append(value)
    }

    mutating func sized(_ field: UInt64, _ content: UnsafeRawBufferPointer) {
        beginSized(field, content.count)
        bytes.append(contentsOf: content)
    }

    mutating func sized(_ field: UInt64, _ content: [UInt8]) {
        content.withUnsafeBytes { sized(field, $0) }
    }

    mutating func text(_ field: UInt64, _ text: String) {
        var text = text
        text.withUTF8 { sized(field, UnsafeRawBufferPointer($0)) }
    }

    /// The head of a field whose content of so many bytes follows.
    mutating func beginSized(_ field: UInt64, _ count: Int) {
        Varint.append(field << 3 | Kind.sized, to: &bytes)
        Varint.append(UInt64(count), to: &bytes)
    }

    mutating func append(_ content: UnsafeRawBufferPointer) { bytes.append(contentsOf: content) }

    mutating func append(_ content: [UInt8]) { bytes.append(contentsOf: content) }

    mutating func append(varint value: UInt64) { Varint.append(value, to: &bytes) }

    mutating func append(_ value: Double) {
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// How many bytes `beginSized` takes for a field below 16.
    static func headSize(_ count: Int) -> Int { 1 + Varint.size(UInt64(count)) }
}
