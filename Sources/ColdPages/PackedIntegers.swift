import ByteCoding

/// Lists of strictly ascending 32-bit numbers as bytes and back: the postings of an index.
///
/// Short lists are varints of the differences; longer ones are cut into blocks of 1,024 that are written as the columns
/// of pages are.
package enum PackedIntegers {
    /// The longest list of varints.
    private static let plainMax = 12

    /// Appends a list.
    /// - Precondition: `list` ascends strictly.
    package static func encode(
        _ list: UnsafeBufferPointer<UInt32>, scratch: inout ValuePageScratch, into bytes: inout [UInt8]
    ) {
        Varint.append(UInt64(list.count), to: &bytes)
        guard list.count > plainMax else {
            var before: UInt32 = 0
            for (index, number) in list.enumerated() {
                precondition(index == 0 || number > before, "\(number) behind \(before)")
                Varint.append(UInt64(number - before), to: &bytes)
                before = number
            }
            return
        }
        var done = 0
        while done < list.count {
            let count = min(ValuePage.samplesMax, list.count - done)
            for index in 0..<count { scratch.integers[index] = Int64(list[done + index]) }
            for index in max(1, done)..<done + count { precondition(list[index] > list[index - 1], "not ascending") }
            let start = bytes.count
            bytes.append(0)
            bytes[start] = IntegerColumn.encode(scratch.integers, count, scratch, into: &bytes).byte
            done += count
        }
    }

    /// Appends the numbers of a list to `list`.
    /// - Parameters:
    ///   - bytes: one list and nothing else; any bytes are safe.
    ///   - limit: the most numbers; a list that claims more is refused before memory is taken for it.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, atMost limit: Int, into list: inout [UInt32]
    ) throws(ColdPageError) {
        var cursor = ByteCursor(bytes)
        do throws(ByteError) {
            try decode(&cursor, limit, &list)
        } catch {
            throw .malformed(error)
        }
        guard cursor.isAtEnd else { throw .trailing(offset: cursor.position) }
    }

    private static func decode(
        _ cursor: inout ByteCursor, _ limit: Int, _ list: inout [UInt32]
    ) throws(ByteError) {
        let count = try cursor.varint(atMost: limit, "postings")
        // Before the first number: anything ascends from here.
        var before: Int64 = -1
        if count <= plainMax {
            for index in 0..<count {
                let start = cursor.position
                let difference = try cursor.varint()
                let from = UInt64(clamping: before)
                guard difference <= UInt64(UInt32.max) - from, index == 0 || difference > 0 else {
                    throw .outOfBounds(offset: start, what: "posting")
                }
                before = Int64(from + difference)
                list.append(UInt32(truncatingIfNeeded: before))
            }
            return
        }
        list.reserveCapacity(list.count + min(count, 1 << 20))
        var left = count
        try withBlock { (block: UnsafeMutablePointer<Int64>) throws(ByteError) in
            while left > 0 {
                let start = cursor.position
                let samples = min(left, ValuePage.samplesMax)
                guard let flags = PageFlags(byte: try cursor.byte()), !flags.hasBase, !flags.hasOddValues else {
                    throw ByteError.outOfBounds(offset: start, what: "flags")
                }
                try IntegerColumn.decode(&cursor, flags, samples, into: block)
                for index in 0..<samples {
                    guard block[index] > before, block[index] <= Int64(UInt32.max) else {
                        throw ByteError.outOfBounds(offset: start, what: "posting")
                    }
                    before = block[index]
                    list.append(UInt32(truncatingIfNeeded: before))
                }
                left -= samples
            }
        }
    }

    /// Memory for the numbers of one block.
    private static func withBlock(
        _ body: (UnsafeMutablePointer<Int64>) throws(ByteError) -> Void
    ) throws(ByteError) {
        let block = UnsafeMutablePointer<Int64>.allocate(capacity: ValuePage.samplesMax)
        defer { block.deallocate() }
        try body(block)
    }
}
