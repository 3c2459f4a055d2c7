import ByteCoding
import SeriesModel

/// Decodes chunks in the format of Prometheus' `tsdb/chunkenc/xor2.go`. Never traps, whatever the bytes.
///
/// A header of two bytes with the number of samples and one about start timestamps. The first two samples as in an XOR
/// chunk; from the third on one code says of timestamp and value together:
///
///     0       the step of before, the value of before
///     10      the step of before; 0 and significant bits, or 1 and a new window
///     110     13 bits of delta of delta, then the value
///     1110    20 bits
///     11110   64 bits
///     11111   the step of before, a stale marker
///
/// A value behind a delta of delta, and that of the second sample: `0` the value of before, `10` significant bits,
/// `110` a new window, `111` a stale marker. "Before" is the last value that is no stale marker.
enum XOR2Decoder {
    static let headerBytes = 3

    static func decode(
        _ chunk: UnsafeRawBufferPointer, into buffer: inout SampleBuffer, range: TimeRange
    ) throws(ChunkError) {
        guard chunk.count >= headerBytes else { throw .truncated }
        let count = Int(chunk[0]) << 8 | Int(chunk[1])
        let starts = StartTimes(header: chunk[2])
        if count == 0 { return }
        let payload = UnsafeRawBufferPointer(rebasing: chunk[headerBytes...])
        // A sample takes a bit at least: bounds what is kept by what the bytes can hold.
        guard count <= payload.count * 8 else { throw .truncated }
        var rows = DecodedFloats(starts: starts)
        let failure = withUnsafeTemporaryAllocation(
            byteCount: payload.count + BitReader.padding, alignment: 8
        ) { padded -> ChunkError? in
            padded.copyMemory(from: payload)
            for index in payload.count..<padded.count { padded[index] = 0 }
            guard let base = padded.baseAddress else { return .truncated }
            var reader = FieldReader(UnsafeRawPointer(base), end: payload.count * 8)
            do throws(ChunkError) {
                try rows.read(count, range, &reader)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        for (timestamp, value, start) in rows.rows { buffer.append(timestamp, value, start: start) }
    }
}

/// The samples of a chunk, as far as they are wanted.
private struct DecodedFloats {
    var rows: [(timestamp: Timestamp, value: Double, start: Timestamp)] = []
    private var starts: StartTimes
    private var timestamp: Timestamp = 0
    private var delta: Int64 = 0
    private var value = 0.0
    /// Of the last value that was no stale marker.
    private var baseline: UInt64 = 0
    private var leading = 0
    private var trailing = 0

    init(starts: StartTimes) { self.starts = starts }

    mutating func read(_ count: Int, _ range: TimeRange, _ reader: inout FieldReader) throws(ChunkError) {
        for index in 0..<count {
            let previous = timestamp
            if index == 0 {
                timestamp = try reader.varint()
                value = try reader.double()
                if !StaleMarker.isStale(value) { baseline = value.bitPattern }
            } else {
                try readNext(&reader, sample: index)
            }
            try starts.read(&reader, sample: index, at: timestamp, behind: previous)
            if timestamp > range.max { return }
            if timestamp >= range.min { rows.append((timestamp, value, starts.value)) }
        }
    }

    private mutating func readNext(_ reader: inout FieldReader, sample: Int) throws(ChunkError) {
        if sample == 1 {
            delta = try reader.unsignedVarint()
            try advance(sample)
            try readValue(&reader)
            return
        }
        switch try reader.ones(atMost: 5) {
        case 0:
            try advance(sample)
            value = Double(bitPattern: baseline)
        case 1:
            try advance(sample)
            try readSignificant(&reader, isNewWindow: try reader.bits(1) == 1)
        case 5:
            try advance(sample)
            value = StaleMarker.value
        case let ones:
            let size = ones == 2 ? 13 : ones == 3 ? 20 : 64
            let bits = (Int64(bitPattern: try reader.bits(size)) << Int64(64 - size)) >> Int64(64 - size)
            delta = delta &+ bits
            try advance(sample)
            try readValue(&reader)
        }
    }

    private mutating func advance(_ sample: Int) throws(ChunkError) {
        let (next, overflow) = timestamp.addingReportingOverflow(delta)
        guard delta > 0, !overflow else { throw .notAscending(sample: sample) }
        timestamp = next
    }

    private mutating func readValue(_ reader: inout FieldReader) throws(ChunkError) {
        switch try reader.ones(atMost: 3) {
        case 0: value = Double(bitPattern: baseline)
        case 1: try readSignificant(&reader, isNewWindow: false)
        case 2: try readSignificant(&reader, isNewWindow: true)
        default: value = StaleMarker.value
        }
    }

    private mutating func readSignificant(
        _ reader: inout FieldReader, isNewWindow: Bool
    ) throws(ChunkError) {
        if isNewWindow {
            let window = try reader.bits(11)
            let newLeading = Int(truncatingIfNeeded: window >> 6)
            let count = Int(truncatingIfNeeded: window & 63)
            let newTrailing = 64 - newLeading - (count == 0 ? 64 : count)
            guard newTrailing >= 0 else { throw .malformed(bit: reader.position) }
            leading = newLeading
            trailing = newTrailing
        }
        baseline ^= try reader.bits(64 - leading - trailing) << UInt64(trailing)
        value = Double(bitPattern: baseline)
    }
}
