import ByteCoding
import CBitPacking

/// A page's numbers, whatever they stand for: first number, order, multiplier, and the packed or entropy-coded rest.
/// All arithmetic is modulo 2^64, so every column of numbers can be written.
enum IntegerColumn {
    /// An entropy-coded page must be at most so large a part of a packed one, as it is decoded at less than half the
    /// speed. Measured on backend-like series: taken wherever it saves a sixteenth, coding saves 6 % of a block and costs
    /// 43 % of the reading speed; so, 2 % and 16 %.
    private static let entropyShare = 0.7
    /// Bits below which a packed page is good enough.
    private static let packedEnough = 160.0

    /// Appends the fields behind the first byte of a page.
    /// - Parameters:
    ///   - numbers: `scratch.integers` or memory outside of the scratch.
    ///   - count: 1 to `ValuePage.samplesMax`.
    /// - Returns: the flags for the first byte.
    static func encode(
        _ numbers: UnsafePointer<Int64>, _ count: Int, _ scratch: borrowing ValuePageScratch, into bytes: inout [UInt8]
    ) -> PageFlags {
        let multiplier = reduce(numbers, count, scratch.reduced)
        difference(scratch.reduced, count, into: scratch.differences)
        difference(scratch.differences, count, into: scratch.seconds)
        if count > 2 { scratch.seconds[1] = scratch.seconds[2] }
        scratch.seconds[0] = scratch.seconds[count > 1 ? 1 : 0]
        let plan = plan(count, scratch)
        let start = bytes.count
        if write(plan, numbers[0], multiplier, count, scratch, into: &bytes) {
            return flags(plan, multiplier)
        }
        bytes.removeSubrange(start...)
        var plain = FrameSearch(column(plan.order, scratch), count).best
        plain.order = plan.order
        _ = write(plain, numbers[0], multiplier, count, scratch, into: &bytes)
        return flags(plain, multiplier)
    }

    private static func flags(_ plan: ColumnPlan, _ multiplier: UInt64) -> PageFlags {
        var flags = PageFlags(encoding: plan.encoding)
        flags.order = plan.order
        flags.hasMultiplier = multiplier > 1
        return flags
    }

    private static func column(_ order: Int, _ scratch: borrowing ValuePageScratch) -> UnsafeMutablePointer<Int64> {
        switch order {
        case 0: scratch.reduced
        case 1: scratch.differences
        default: scratch.seconds
        }
    }

    private static func plan(_ count: Int, _ scratch: borrowing ValuePageScratch) -> ColumnPlan {
        var best = ColumnPlan(encoding: .packed)
        var least = Double.infinity
        // What coding tokens could save is not seen in the packed sizes alone: all orders near the best are tried.
        var frames: [FrameSearch] = []
        for order in 0...(count > 2 ? 2 : count - 1) {
            let frame = FrameSearch(column(order, scratch), count)
            let overhead = order == 2 ? Double(8 * Varint.size(Varint.zigzag(scratch.reduced[1]))) : 0
            if frame.best.cost + overhead < least {
                least = frame.best.cost + overhead
                best = frame.best
                best.order = order
                best.cost = least
            }
            frames.append(frame)
        }
        guard least > packedEnough else { return best }
        var coded = ColumnPlan(encoding: .entropy)
        for (order, frame) in frames.enumerated() where frame.best.cost < 1.4 * least {
            var plan = EntropyEncoding.plan(column(order, scratch), count, frame, scratch.informations)
            plan.order = order
            if plan.cost < coded.cost { coded = plan }
        }
        return coded.cost < best.cost * entropyShare ? coded : best
    }

    private static func write(
        _ plan: ColumnPlan, _ first: Int64, _ multiplier: UInt64, _ count: Int, _ scratch: borrowing ValuePageScratch,
        into bytes: inout [UInt8]
    ) -> Bool {
        Varint.append(Varint.zigzag(first), to: &bytes)
        if multiplier > 1 { Varint.append(multiplier, to: &bytes) }
        if plan.order == 2 { Varint.append(Varint.zigzag(scratch.reduced[1]), to: &bytes) }
        let numbers = column(plan.order, scratch)
        if plan.encoding == .entropy { return EntropyEncoding.encode(plan, numbers, count, scratch, into: &bytes) }
        PackedEncoding.encode(plan, numbers, count, scratch, into: &bytes)
        return true
    }

    /// The distances from the first number, divided by their greatest common divisor.
    private static func reduce(
        _ numbers: UnsafePointer<Int64>, _ count: Int, _ reduced: UnsafeMutablePointer<Int64>
    ) -> UInt64 {
        let first = numbers[0]
        var divisor: UInt64 = 0
        for index in 0..<count {
            let (distance, overflow) = numbers[index].subtractingReportingOverflow(first)
            reduced[index] = distance
            if overflow || distance == .min { divisor = 1 }
            if divisor != 1 { divisor = greatestCommonDivisor(divisor, distance.magnitude) }
        }
        guard divisor > 1, let by = Int64(exactly: divisor) else { return 1 }
        for index in 0..<count { reduced[index] /= by }
        return divisor
    }

    private static func greatestCommonDivisor(_ one: UInt64, _ other: UInt64) -> UInt64 {
        var (one, other) = (one, other)
        while other != 0 { (one, other) = (other, one % other) }
        return one
    }

    /// The difference of the first number is taken to be that of the second: a decoder knows the first one.
    private static func difference(
        _ numbers: UnsafePointer<Int64>, _ count: Int, into differences: UnsafeMutablePointer<Int64>
    ) {
        differences[0] = 0
        guard count > 1 else { return }
        for index in 1..<count { differences[index] = numbers[index] &- numbers[index - 1] }
        differences[0] = differences[1]
    }

    /// Reads what `encode` wrote; `numbers` has room for `count`.
    static func decode(
        _ cursor: inout ByteCursor, _ flags: PageFlags, _ count: Int, into numbers: UnsafeMutablePointer<Int64>
    ) throws(ByteError) {
        let first = try cursor.zigzag()
        let multiplier = flags.hasMultiplier ? Int64(bitPattern: try cursor.varint()) : 1
        let slope = flags.order == 2 ? try cursor.zigzag() : 0
        var reference: Int64 = 0
        switch flags.encoding {
        case .packed: reference = try PackedEncoding.decode(&cursor, count, into: numbers)
        case .entropy: try EntropyEncoding.decode(&cursor, count, into: numbers)
        case .constant: throw .outOfBounds(offset: cursor.position, what: "encoding")
        }
        hearth_integrate(
            numbers, count, UInt32(truncatingIfNeeded: flags.order), reference, slope, first, multiplier)
    }
}
