import ByteCoding
import CBitPacking

/// Values that a page's scale cannot express (stale markers, NaNs, infinities, -0, stray doubles): positions, then bits.
enum OddValues {
    private static let staleMarker: UInt64 = 0x7ff0_0000_0000_0002
    private enum Form: UInt8 {
        /// All are stale markers.
        case stale = 0
        /// All have the bits that follow.
        case shared = 1
        /// The bits of each follow.
        case each = 2
    }

    static func write(_ odd: [UInt16], of values: UnsafeBufferPointer<Double>, into bytes: inout [UInt8]) {
        guard let first = odd.first.map({ values[Int($0)].bitPattern }) else { return }
        let shared = odd.allSatisfy { values[Int($0)].bitPattern == first }
        let form: Form = shared ? (first == staleMarker ? .stale : .shared) : .each
        Varint.append(UInt64(odd.count), to: &bytes)
        bytes.append(form.rawValue)
        let width = BitPacking.positionWidth(values.count)
        var writer = LowBitWriter()
        for place in odd { writer.append(UInt64(place), width, to: &bytes) }
        writer.finish(&bytes)
        guard form != .stale else { return }
        for place in odd.prefix(shared ? 1 : odd.count) {
            writer.append(values[Int(place)].bitPattern, 64, to: &bytes)
        }
        writer.finish(&bytes)
    }

    static func apply(
        _ cursor: inout ByteCursor, _ values: UnsafeMutablePointer<Double>, _ samples: Int
    ) throws(ByteError) {
        let start = cursor.position
        let count = try cursor.varint(atMost: samples, "odd values")
        guard count > 0, let form = Form(rawValue: try cursor.byte()) else {
            throw .outOfBounds(offset: start, what: "odd values")
        }
        let width = BitPacking.positionWidth(samples)
        let positions = try cursor.bytes(BitPacking.bytes(count, width))
        let patterns = try cursor.bytes(form == .stale ? 0 : form == .shared ? 8 : 8 * count)
        // A page of one sample has positions of no bits: any address will do.
        let done = withUnsafeBytes(of: staleMarker.littleEndian) { stale in
            let bits = form == .stale ? stale : patterns
            guard let bits = bits.baseAddress else { return Int32(0) }
            return hearth_patch_doubles(
                (positions.baseAddress ?? bits).assumingMemoryBound(to: UInt8.self), count,
                UInt32(truncatingIfNeeded: width), bits.assumingMemoryBound(to: UInt8.self), form == .each ? 0 : 1,
                values, samples)
        }
        guard done != 0 else { throw .outOfBounds(offset: start, what: "position of an odd value") }
    }
}
