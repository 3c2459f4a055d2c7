/// Writes protobuf messages for tests.
package struct ProtobufMessage {
    package private(set) var bytes: [UInt8] = []

    package init(_ build: (inout ProtobufMessage) -> Void = { _ in }) { build(&self) }

    package mutating func varint(_ value: UInt64) {
        var value = value
        while value > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    package mutating func integer(_ field: Int, _ value: Int64) {
        varint(UInt64(field) << 3)
        varint(UInt64(bitPattern: value))
    }

    package mutating func zigzag(_ field: Int, _ value: Int64) { integer(field, value << 1 ^ value >> 63) }

    package mutating func double(_ field: Int, _ value: Double) {
        varint(UInt64(field) << 3 | 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func text(_ field: Int, _ value: String) { sized(field, Array(value.utf8)) }

    package mutating func message(_ field: Int, _ build: (inout ProtobufMessage) -> Void) {
        sized(field, ProtobufMessage(build).bytes)
    }

    package mutating func sized(_ field: Int, _ content: [UInt8]) {
        varint(UInt64(field) << 3 | 2)
        varint(UInt64(content.count))
        bytes.append(contentsOf: content)
    }

    /// The message behind its length.
    package var delimited: [UInt8] {
        var out = ProtobufMessage()
        out.varint(UInt64(bytes.count))
        return out.bytes + bytes
    }
}

extension ProtobufMessage {
    /// A metric family of one or more metrics.
    package static func family(
        _ name: String, type: Int64, help: String = "", unit: String = "",
        _ metrics: (inout ProtobufMessage) -> Void...
    ) -> [UInt8] {
        ProtobufMessage {
            $0.text(1, name)
            if !help.isEmpty { $0.text(2, help) }
            $0.integer(3, type)
            for metric in metrics { $0.message(4, metric) }
            if !unit.isEmpty { $0.text(5, unit) }
        }.delimited
    }

    package mutating func label(_ name: String, _ value: String) {
        message(1) {
            $0.text(1, name)
            $0.text(2, value)
        }
    }

    package mutating func span(_ field: Int, _ offset: Int64, _ length: Int64) {
        message(field) {
            $0.zigzag(1, offset)
            $0.integer(2, length)
        }
    }

    package mutating func bucket(_ bound: Double, _ count: Int64, exemplar: ((inout ProtobufMessage) -> Void)? = nil) {
        message(3) {
            $0.integer(1, count)
            $0.double(2, bound)
            if let exemplar { $0.message(3, exemplar) }
        }
    }
}
