import ByteCoding

/// The timestamps of a page (ms) as bytes and back. Any 64-bit numbers are kept, ascending or not.
package enum TimestampColumn {
    /// The step of a column with a start and a step alone (0 for one timestamp); nil for any other, and for none.
    package static func regularStep(_ timestamps: UnsafeBufferPointer<Int64>) -> Int64? {
        guard timestamps.count > 1 else { return timestamps.isEmpty ? nil : 0 }
        let (step, overflow) = timestamps[1].subtractingReportingOverflow(timestamps[0])
        guard !overflow else { return nil }
        for index in 1..<timestamps.count where timestamps[index] &- timestamps[index - 1] != step { return nil }
        return step
    }

    /// Appends a column of 1 to `ValuePage.samplesMax` timestamps.
    package static func encode(
        _ timestamps: UnsafeBufferPointer<Int64>, scratch: inout ValuePageScratch, into bytes: inout [UInt8]
    ) {
        precondition(timestamps.count <= ValuePage.samplesMax, "\(timestamps.count) timestamps in a page")
        guard let numbers = timestamps.baseAddress, timestamps.count > 0 else {
            preconditionFailure("a column of no timestamps")
        }
        let start = bytes.count
        bytes.append(0)
        bytes[start] = IntegerColumn.encode(numbers, timestamps.count, scratch, into: &bytes).byte
    }

    /// Decodes a column of `count` timestamps into memory for as many; any bytes are safe.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, count: Int, into timestamps: UnsafeMutablePointer<Int64>
    ) throws(ColdPageError) {
        guard count >= 1, count <= ValuePage.samplesMax else { throw .count(count) }
        var cursor = ByteCursor(bytes)
        do throws(ByteError) {
            guard let flags = PageFlags(byte: try cursor.byte()), !flags.hasBase, !flags.hasOddValues else {
                throw .outOfBounds(offset: 0, what: "flags")
            }
            try IntegerColumn.decode(&cursor, flags, count, into: timestamps)
        } catch {
            throw .malformed(error)
        }
        guard cursor.isAtEnd else { throw .trailing(offset: cursor.position) }
    }
}
