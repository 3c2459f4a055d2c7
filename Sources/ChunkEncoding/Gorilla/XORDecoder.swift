import ByteCoding
package import SeriesModel

/// Decodes whole XOR chunks. Never traps, whatever the bytes.
///
/// The chunk lies in front of a padding, so that the loop reads 64 bits at a time without looking where the bytes end,
/// and compares once per sample instead.
package enum XORDecoder {
    /// The number of samples a chunk declares; nil where not even that is there.
    package static func sampleCount(_ chunk: UnsafeRawBufferPointer) -> Int? {
        guard chunk.count >= XORFormat.headerBytes else { return nil }
        return Int(chunk[0]) << 8 | Int(chunk[1])
    }

    /// Appends the chunk's samples within `range` to the buffer. Nothing is appended when it throws.
    package static func decode(
        _ chunk: [UInt8], into buffer: inout SampleBuffer, range: TimeRange = .all
    ) throws(ChunkError) {
        let failure = chunk.withUnsafeBytes { bytes -> ChunkError? in
            do throws(ChunkError) {
                try decode(bytes, into: &buffer, range: range)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    package static func decode(
        _ chunk: UnsafeRawBufferPointer, into buffer: inout SampleBuffer, range: TimeRange = .all
    ) throws(ChunkError) {
        let failure = withUnsafeTemporaryAllocation(
            byteCount: chunk.count + BitReader.padding, alignment: 8
        ) { padded -> ChunkError? in
            padded.copyMemory(from: chunk)
            for index in chunk.count..<padded.count { padded[index] = 0 }
            do throws(ChunkError) {
                try decode(
                    padded: UnsafeRawBufferPointer(rebasing: padded[..<chunk.count]), into: &buffer, range: range)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    /// As `decode(_:into:range:)`, without a copy.
    /// - Parameter chunk: `padding` more bytes behind its end can be read, whatever they are.
    package static func decode(
        padded chunk: UnsafeRawBufferPointer, into buffer: inout SampleBuffer, range: TimeRange = .all
    ) throws(ChunkError) {
        guard let count = sampleCount(chunk), let base = chunk.baseAddress else { throw .truncated }
        let bits = (chunk.count - XORFormat.headerBytes) * 8
        // Bounds what is allocated below by what the bytes can hold.
        guard count * XORFormat.bitsPerSampleMin <= bits + 1 else { throw .truncated }
        if count == 0 { return }
        let failure = withUnsafeTemporaryAllocation(of: Int64.self, capacity: count) { times -> ChunkError? in
            withUnsafeTemporaryAllocation(of: UInt64.self, capacity: count) { values in
                guard let times = times.baseAddress, let values = values.baseAddress else { return .truncated }
                var decoder = Columns(
                    reader: BitReader(base + XORFormat.headerBytes), end: bits, times: times, values: values)
                do throws(ChunkError) {
                    let decoded = try decoder.decode(count, until: range.max)
                    append(times, values, decoded, range, to: &buffer)
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure { throw failure }
    }

    /// Readable bytes that `decode(padded:into:range:)` wants behind a chunk.
    package static var padding: Int { BitReader.padding }

    /// Copies the rows whose time lies in the range.
    private static func append(
        _ times: UnsafePointer<Int64>, _ values: UnsafePointer<UInt64>, _ count: Int, _ range: TimeRange,
        to buffer: inout SampleBuffer
    ) {
        var start = 0
        while start < count, times[start] < range.min { start += 1 }
        var end = count
        while end > start, times[end - 1] > range.max { end -= 1 }
        guard start < end else { return }
        buffer.timestamps.append(contentsOf: UnsafeBufferPointer(start: times + start, count: end - start))
        UnsafeRawPointer(values + start).withMemoryRebound(to: Double.self, capacity: end - start) { doubles in
            buffer.values.append(contentsOf: UnsafeBufferPointer(start: doubles, count: end - start))
        }
    }
}

/// The loop: bits in, two columns out.
private struct Columns {
    var reader: BitReader
    /// Where the data ends, in bits.
    let end: Int
    let times: UnsafeMutablePointer<Int64>
    let values: UnsafeMutablePointer<UInt64>

    /// - Returns: the rows written: `count`, or fewer once a time is beyond `limit`.
    mutating func decode(_ count: Int, until limit: Int64) throws(ChunkError) -> Int {
        guard let first = reader.readVarint() else { throw .malformed(bit: reader.position) }
        let time = Varint.unzigzag(first)
        let value = reader.readWide(64)
        guard reader.position <= end else { throw .truncated }
        times[0] = time
        values[0] = value
        if count == 1 { return 1 }

        guard let second = reader.readVarint() else { throw .malformed(bit: reader.position) }
        let delta = Int64(bitPattern: second)
        return try decode(from: 1, to: count, time, delta, value, until: limit)
    }

    /// The samples behind the first two timestamps: `reader` stands before the value of sample `start`.
    private mutating func decode(
        from start: Int, to count: Int, _ firstTime: Int64, _ firstDelta: Int64, _ firstValue: UInt64,
        until limit: Int64
    ) throws(ChunkError) -> Int {
        var reader = self.reader
        var window = ValueBits(bits: firstValue)
        var time = firstTime
        var delta = firstDelta
        var index = start
        var ahead = reader.peek()
        while true {
            guard window.read(&reader, ahead) else { throw .malformed(bit: reader.position) }
            let (next, overflow) = time.addingReportingOverflow(delta)
            guard reader.position <= end else { throw .truncated }
            guard delta > 0, !overflow else { throw .notAscending(sample: index) }
            time = next
            times[index] = time
            values[index] = window.bits
            index &+= 1
            if index == count || time > limit { return index }
            ahead = reader.peek()
            if ahead &>> 63 == 0 {
                // Regular scrapes: the look-ahead serves for the value too.
                reader.position &+= 1
                ahead &<<= 1
            } else {
                delta = delta &+ Columns.readDeltaOfDelta(&reader, ahead)
                ahead = reader.peek()
            }
        }
    }

    /// - Parameter ahead: what `reader` sees: the prefix begins with a 1.
    @inline(__always)
    private static func readDeltaOfDelta(_ reader: inout BitReader, _ ahead: UInt64) -> Int64 {
        let size: Int
        let prefix: Int
        switch (~ahead).leadingZeroBitCount {
        case 1: (prefix, size) = (2, 14)
        case 2: (prefix, size) = (3, 17)
        case 3: (prefix, size) = (4, 20)
        default:
            reader.position &+= 4
            return Int64(bitPattern: reader.readWide(64))
        }
        reader.position &+= prefix &+ size
        let bits = Int64(bitPattern: (ahead &<< UInt64(truncatingIfNeeded: prefix)) &>> UInt64(64 &- size))
        // The class holds -(2^(n-1))+1 ... 2^(n-1): the one with only the top bit set is positive.
        return bits > 1 &<< Int64(size &- 1) ? bits &- (1 &<< Int64(size)) : bits
    }
}

/// A value and the window of significant bits that its successors may refer to.
private struct ValueBits {
    var bits: UInt64
    private var significant = 64
    /// Of the window's lowest bit.
    private var shift: UInt64 = 0

    init(bits: UInt64) { self.bits = bits }

    /// - Parameter ahead: what `reader` sees; 56 bits of it are valid.
    /// - Returns: false for a window of more than 64 bits.
    @inline(__always)
    mutating func read(_ reader: inout BitReader, _ ahead: UInt64) -> Bool {
        if ahead &>> 63 == 0 {
            reader.position &+= 1
            return true
        }
        let header: Int
        if ahead &>> 62 == 0b10 {
            header = 2
        } else {
            let leading = Int(truncatingIfNeeded: (ahead &>> 57) & 31)
            let count = Int(truncatingIfNeeded: (ahead &>> 51) & 63)
            significant = count == 0 ? 64 : count
            let trailing = 64 &- leading &- significant
            if trailing < 0 { return false }
            shift = UInt64(truncatingIfNeeded: trailing)
            header = 13
        }
        if header &+ significant <= 56 {
            let xor = (ahead &<< UInt64(truncatingIfNeeded: header)) &>> UInt64(truncatingIfNeeded: 64 &- significant)
            bits ^= xor &<< shift
            reader.position &+= header &+ significant
        } else {
            reader.position &+= header
            bits ^= reader.readWide(significant) &<< shift
        }
        return true
    }
}
