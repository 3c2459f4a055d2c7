import ByteCoding
import CBitPacking

/// Skewed numbers: a token for each through a table-driven asymmetric numeral system (Duda, arXiv:1311.2540; four
/// states take turns, so that a processor decodes four tokens at a time), the bits below the token packed as they are.
/// Token 0 is the number 0 and has no such bits: samples that do not change cost a fraction of a bit.
enum EntropyEncoding {
    /// The smallest of the tokens and low bits that cover `window` bits above the reference.
    /// - Parameter numbers: the column in the order of `frame`.
    static func plan(
        _ numbers: UnsafePointer<Int64>, _ count: Int, _ frame: FrameSearch, _ informations: UnsafePointer<Double>
    ) -> ColumnPlan {
        var best = ColumnPlan(encoding: .entropy)
        for window in frame.windows {
            let reference = frame.reference(window)
            let low = max(0, window - 6)
            var tally = TokenTally()
            for index in 0..<count { tally.add(numbers[index], reference, window, low) }
            for width in low...max(low, min(window, low + 5)) {
                let cost = tally.cost(count, width, informations)
                if cost < best.cost {
                    best.cost = cost
                    best.width = width
                    best.window = window
                    best.reference = reference
                }
                tally.fold()
            }
        }
        return best
    }

    /// False where the numbers cannot be written so; then nothing of what was written may be kept.
    static func encode(
        _ plan: ColumnPlan, _ numbers: UnsafePointer<Int64>, _ count: Int, _ scratch: borrowing ValuePageScratch,
        into bytes: inout [UInt8]
    ) -> Bool {
        // Begin with the least number in the window: empty tokens cost something.
        var least = UInt64.max
        for index in 0..<count where isToken(numbers[index], plan) {
            least = min(least, UInt64(bitPattern: numbers[index] &- plan.reference))
        }
        if least == .max { least = 0 }
        let reference = plan.reference &+ Int64(bitPattern: least)
        var patches = PatchList(positions: scratch.positions, values: scratch.patches)
        var counts = InlineArray<65, Int32>(repeating: 0)
        for index in 0..<count {
            let number = numbers[index]
            var token = 0
            if isToken(number, plan) {
                token = 1 + Int(truncatingIfNeeded: UInt64(bitPattern: number &- reference) >> UInt64(plan.width))
            } else if number != 0 {
                patches.append(index, number)
            }
            scratch.tokens[index] = UInt8(truncatingIfNeeded: token)
            counts[token] += 1
        }
        guard let table = EntropyTable(counts, count) else { return false }
        bytes.append(UInt8(truncatingIfNeeded: plan.width) | (patches.count > 0 ? 0x80 : 0))
        Varint.append(Varint.zigzag(reference), to: &bytes)
        table.write(into: &bytes)
        writeStream(table, count, scratch, into: &bytes)
        if plan.width > 0 { writeLowBits(numbers, count, reference, plan.width, scratch, into: &bytes) }
        if patches.count > 0 { patches.write(count, into: &bytes) }
        return true
    }

    @inline(__always)
    private static func isToken(_ number: Int64, _ plan: ColumnPlan) -> Bool {
        number != 0 && BitPacking.width(UInt64(bitPattern: number &- plan.reference)) <= plan.window
    }

    /// The coder works from the last token to the first, so that the decoder meets them in order.
    private static func writeStream(
        _ table: EntropyTable, _ count: Int, _ scratch: borrowing ValuePageScratch, into bytes: inout [UInt8]
    ) {
        var places = InlineArray<512, UInt16>(repeating: 0)
        var starts = InlineArray<65, Int>(repeating: 0)
        var place = 0
        var start = 0
        for token in 0..<table.alphabet {
            let frequency = Int(table.frequencies[token])
            starts[token] = start - frequency
            for index in 0..<frequency {
                places[start + index] = UInt16(truncatingIfNeeded: place)
                place = (place + EntropyTable.states * 5 / 8 + 3) & (EntropyTable.states - 1)
            }
            start += frequency
        }
        var lanes = InlineArray<4, Int>(repeating: EntropyTable.states)
        for index in stride(from: count - 1, through: 0, by: -1) {
            let token = Int(scratch.tokens[index])
            let frequency = Int(table.frequencies[token])
            let state = lanes[index & 3]
            var width = 10 - BitPacking.width(UInt64(frequency))
            if state >> width < frequency { width -= 1 }
            scratch.stepBits[index] = UInt16(truncatingIfNeeded: state & ((1 << width) - 1))
            scratch.stepWidths[index] = UInt8(truncatingIfNeeded: width)
            lanes[index & 3] = EntropyTable.states + Int(places[starts[token] + state >> width])
        }
        var writer = LowBitWriter()
        for lane in 0..<4 { writer.append(UInt64(lanes[lane] - EntropyTable.states), 9, to: &bytes) }
        for index in 0..<count {
            writer.append(UInt64(scratch.stepBits[index]), Int(scratch.stepWidths[index]), to: &bytes)
        }
        writer.finish(&bytes)
    }

    private static func writeLowBits(
        _ numbers: UnsafePointer<Int64>, _ count: Int, _ reference: Int64, _ width: Int,
        _ scratch: borrowing ValuePageScratch, into bytes: inout [UInt8]
    ) {
        let mask = width == 64 ? UInt64.max : (1 << UInt64(width)) - 1
        var writer = LowBitWriter()
        for index in 0..<count where scratch.tokens[index] != 0 {
            writer.append(UInt64(bitPattern: numbers[index] &- reference) & mask, width, to: &bytes)
        }
        writer.finish(&bytes)
    }

    static func decode(
        _ cursor: inout ByteCursor, _ count: Int, into numbers: UnsafeMutablePointer<Int64>
    ) throws(ByteError) {
        let start = cursor.position
        let first = try cursor.byte()
        let width = Int(first & 0x7F)
        guard width <= 64 else { throw .outOfBounds(offset: start, what: "width") }
        let reference = try cursor.zigzag()
        let table = try EntropyTable(&cursor)
        var ahead = cursor
        let rest = try ahead.bytes(ahead.remaining)
        guard let base = rest.baseAddress else { throw .truncated(offset: cursor.position) }
        let frequencies = table.frequencies
        let taken = frequencies.span.withUnsafeBufferPointer { frequencies in
            hearth_ans_column(
                base.assumingMemoryBound(to: UInt8.self), rest.count, frequencies.baseAddress,
                UInt32(truncatingIfNeeded: table.alphabet), count, reference, UInt32(truncatingIfNeeded: width), numbers
            )
        }
        guard taken >= 0 else { throw .outOfBounds(offset: cursor.position, what: "stream") }
        _ = try cursor.bytes(taken)
        if first & 0x80 != 0 { try PatchList.apply(&cursor, numbers, count) }
    }
}

/// How often each token occurs, for several splits of a number into token and low bits at once.
private struct TokenTally {
    private var counts = InlineArray<64, Int32>(repeating: 0)
    private var zeros = 0
    private var exceptions = 0
    private var patchWidth = 0

    @inline(__always)
    mutating func add(_ number: Int64, _ reference: Int64, _ window: Int, _ low: Int) {
        let distance = UInt64(bitPattern: number &- reference)
        if number == 0 {
            zeros += 1
        } else if BitPacking.width(distance) > window {
            exceptions += 1
            patchWidth = max(patchWidth, BitPacking.width(Varint.zigzag(number)))
        } else {
            counts[Int(truncatingIfNeeded: distance >> UInt64(low))] += 1
        }
    }

    /// One bit more below the token.
    mutating func fold() {
        for index in 0..<32 { counts[index] = counts[2 * index] + counts[2 * index + 1] }
        for index in 32..<64 { counts[index] = 0 }
    }

    /// Bits; the coder loses some hundredths, the table takes some bytes.
    func cost(_ count: Int, _ width: Int, _ informations: UnsafePointer<Double>) -> Double {
        var cost = informations[count] - informations[zeros + exceptions]
        var first = 64
        var last = 0
        var used = 0
        for index in 0..<64 where counts[index] > 0 {
            cost -= informations[Int(counts[index])]
            first = min(first, index)
            last = index
            used += 1
        }
        cost = cost * 1.01 + Double(width * (count - zeros - exceptions)) + 36 + 48
        cost += Double(4 * max(0, last - first + 1) + 2 * used)
        if exceptions > 0 { cost += 28 + Double(exceptions * (BitPacking.positionWidth(count) + patchWidth)) }
        return cost
    }
}
