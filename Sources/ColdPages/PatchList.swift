import ByteCoding
import CBitPacking

/// The numbers of a page that its width does not hold: their positions, then they themselves, both bit-packed.
struct PatchList {
    let positions: UnsafeMutablePointer<Int64>
    let values: UnsafeMutablePointer<Int64>
    private(set) var count = 0

    /// - Parameters: memory for as many as a page has samples.
    init(positions: UnsafeMutablePointer<Int64>, values: UnsafeMutablePointer<Int64>) {
        self.positions = positions
        self.values = values
    }

    mutating func append(_ position: Int, _ value: Int64) {
        positions[count] = Int64(position)
        values[count] = value
        count += 1
    }

    func write(_ samples: Int, into bytes: inout [UInt8]) {
        Varint.append(UInt64(count), to: &bytes)
        var width = 0
        for index in 0..<count { width = max(width, BitPacking.width(Varint.zigzag(values[index]))) }
        bytes.append(UInt8(truncatingIfNeeded: width))
        var writer = LowBitWriter()
        let positionWidth = BitPacking.positionWidth(samples)
        for index in 0..<count {
            writer.append(UInt64(bitPattern: positions[index]), positionWidth, to: &bytes)
        }
        writer.finish(&bytes)
        for index in 0..<count { writer.append(Varint.zigzag(values[index]), width, to: &bytes) }
        writer.finish(&bytes)
    }

    static func apply(
        _ cursor: inout ByteCursor, _ numbers: UnsafeMutablePointer<Int64>, _ samples: Int
    ) throws(ByteError) {
        let start = cursor.position
        let count = try cursor.varint(atMost: samples, "exceptions")
        let width = Int(try cursor.byte())
        guard width <= 64 else { throw .outOfBounds(offset: start, what: "width of the exceptions") }
        let positionWidth = BitPacking.positionWidth(samples)
        let lists = try cursor.bytes(BitPacking.bytes(count, positionWidth) + BitPacking.bytes(count, width))
        guard count > 0 else { return }
        guard let base = lists.baseAddress else {
            // A page of one sample, patched with zero.
            numbers[0] = 0
            return
        }
        let done = hearth_patch(
            base.assumingMemoryBound(to: UInt8.self), lists.count, count, UInt32(truncatingIfNeeded: positionWidth),
            UInt32(truncatingIfNeeded: width), numbers, samples)
        guard done != 0 else { throw .outOfBounds(offset: start, what: "position of an exception") }
    }
}
