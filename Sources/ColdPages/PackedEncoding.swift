import ByteCoding
import CBitPacking

/// Frame of reference: each number as its distance from a reference, in as many bits as most of them need. The others
/// are patched in from a list behind (Zukowski et al., "Super-Scalar RAM-CPU Cache Compression", ICDE 2006).
enum PackedEncoding {
    static func encode(
        _ plan: ColumnPlan, _ numbers: UnsafePointer<Int64>, _ count: Int,
        _ scratch: borrowing ValuePageScratch, into bytes: inout [UInt8]
    ) {
        var patches = PatchList(positions: scratch.positions, values: scratch.patches)
        let start = bytes.count
        bytes.append(UInt8(truncatingIfNeeded: plan.width))
        Varint.append(Varint.zigzag(plan.reference), to: &bytes)
        var writer = LowBitWriter()
        for index in 0..<count {
            let distance = UInt64(bitPattern: numbers[index] &- plan.reference)
            if BitPacking.width(distance) > plan.width {
                patches.append(index, Int64(bitPattern: distance))
                writer.append(0, plan.width, to: &bytes)
            } else {
                writer.append(distance, plan.width, to: &bytes)
            }
        }
        writer.finish(&bytes)
        if patches.count > 0 {
            bytes[start] |= 0x80
            patches.write(count, into: &bytes)
        }
    }

    /// Leaves distances, to which the reference that is returned must be added.
    static func decode(
        _ cursor: inout ByteCursor, _ count: Int, into numbers: UnsafeMutablePointer<Int64>
    ) throws(ByteError) -> Int64 {
        let start = cursor.position
        let first = try cursor.byte()
        let width = Int(first & 0x7F)
        guard width <= 64 else { throw .outOfBounds(offset: start, what: "width") }
        let reference = try cursor.zigzag()
        let packed = try cursor.bytes(BitPacking.bytes(count, width))
        numbers.withMemoryRebound(to: UInt64.self, capacity: count) { values in
            // Where nothing is packed the buffer may have no address; the loop does not read it then.
            guard let base = packed.baseAddress, width > 0 else {
                return values.update(repeating: 0, count: count)
            }
            hearth_unpack(
                base.assumingMemoryBound(to: UInt8.self), packed.count, UInt32(truncatingIfNeeded: width), count, values
            )
        }
        if first & 0x80 != 0 { try PatchList.apply(&cursor, numbers, count) }
        return reference
    }
}
