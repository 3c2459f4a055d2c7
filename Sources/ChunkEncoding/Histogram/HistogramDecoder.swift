import ByteCoding
package import SeriesModel

/// Decodes whole histogram chunks. Never traps, whatever the bytes.
///
/// It is first copied in front of a padding, so that a field is read without looking where the bytes end; that is
/// compared with after it.
package enum HistogramDecoder {
    /// Appends the chunk's samples within `range` to the buffer; stale markers go into the column of floats. Nothing is
    /// appended when it throws.
    /// - Parameter encoding: `.histogram` or `.floatHistogram`.
    package static func decode(
        _ chunk: UnsafeRawBufferPointer, _ encoding: ChunkEncoding, into buffer: inout SampleBuffer,
        range: TimeRange = .all
    ) throws(ChunkError) {
        guard chunk.count >= HistogramFormat.headerBytes else { throw .truncated }
        try decode(
            chunk, encoding, count: Int(chunk[0]) << 8 | Int(chunk[1]),
            CounterResetHeader(flags: chunk[HistogramFormat.flagsOffset]), .none, into: &buffer, range: range)
    }

    /// As `decode(_:_:into:range:)`, of a chunk whose samples have start timestamps: the flags share the two bytes of
    /// the count, and their byte says which samples have one.
    static func decodeWithStarts(
        _ chunk: UnsafeRawBufferPointer, _ encoding: ChunkEncoding, into buffer: inout SampleBuffer, range: TimeRange
    ) throws(ChunkError) {
        guard chunk.count >= HistogramFormat.headerBytes else { throw .truncated }
        try decode(
            chunk, encoding, count: Int(chunk[0] & ~CounterResetHeader.mask) << 8 | Int(chunk[1]),
            CounterResetHeader(flags: chunk[0]), StartTimes(header: chunk[HistogramFormat.flagsOffset]),
            into: &buffer, range: range)
    }

    /// - Parameter chunk: its header has been read.
    private static func decode(
        _ chunk: UnsafeRawBufferPointer, _ encoding: ChunkEncoding, count: Int, _ header: CounterResetHeader,
        _ starts: StartTimes, into buffer: inout SampleBuffer, range: TimeRange
    ) throws(ChunkError) {
        if count == 0 { return }
        let payload = UnsafeRawBufferPointer(rebasing: chunk[HistogramFormat.headerBytes...])
        var samples = DecodedHistograms(starts: starts)
        let failure = withUnsafeTemporaryAllocation(
            byteCount: payload.count + BitReader.padding, alignment: 8
        ) { padded -> ChunkError? in
            padded.copyMemory(from: payload)
            for index in payload.count..<padded.count { padded[index] = 0 }
            guard let base = padded.baseAddress else { return .truncated }
            var reader = FieldReader(UnsafeRawPointer(base), end: payload.count * 8)
            do throws(ChunkError) {
                let layout = try HistogramLayout(&reader)
                samples.range = range
                if encoding == .histogram {
                    var columns = try WholeColumns(layout, &reader)
                    try samples.read(count, header, layout, &columns, &reader)
                } else {
                    var columns = try DoubleColumns(layout, &reader)
                    try samples.read(count, header, layout, &columns, &reader)
                }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        for (timestamp, histogram, start) in samples.rows { buffer.append(timestamp, histogram, start: start) }
    }
}

/// The samples of a chunk, as far as they are wanted.
private struct DecodedHistograms {
    var starts: StartTimes
    var rows: [(timestamp: Timestamp, histogram: NativeHistogram, start: Timestamp)] = []
    var range = TimeRange.all

    mutating func read(
        _ count: Int, _ header: CounterResetHeader, _ layout: HistogramLayout, _ columns: inout some HistogramColumns,
        _ reader: inout FieldReader
    ) throws(ChunkError) {
        var timestamp = columns.firstTimestamp
        var delta: Int64 = 0
        for index in 0..<count {
            let previous = timestamp
            if index > 0 {
                delta = delta &+ (try reader.varbit())
                let (next, overflow) = timestamp.addingReportingOverflow(delta)
                guard delta > 0, !overflow else { throw .notAscending(sample: index) }
                timestamp = next
                try columns.readNext(&reader)
            }
            try starts.read(&reader, sample: index, at: timestamp, behind: previous)
            if timestamp > range.max { return }
            if timestamp < range.min { continue }
            rows.append((timestamp, columns.histogram(layout, header.hint(isFirst: index == 0)), starts.value))
        }
    }
}

/// The last values of a chunk that is being read.
private protocol HistogramColumns {
    var firstTimestamp: Timestamp { get }

    /// Reads the chunk's first sample.
    init(_ layout: HistogramLayout, _ reader: inout FieldReader) throws(ChunkError)

    /// Reads a further sample, behind its timestamp.
    mutating func readNext(_ reader: inout FieldReader) throws(ChunkError)

    /// The sample read last.
    func histogram(_ layout: HistogramLayout, _ hint: NativeHistogram.CounterResetHint) -> NativeHistogram
}

/// Whole counts, as `WholeFields` writes them.
private struct WholeColumns: HistogramColumns {
    private struct Field {
        var value: Int64
        var delta: Int64 = 0

        @inline(__always)
        mutating func read(_ reader: inout FieldReader) throws(ChunkError) {
            delta = delta &+ (try reader.varbit())
            value = value &+ delta
        }
    }

    let firstTimestamp: Timestamp
    private var count: Field
    private var zeroCount: Field
    private var sum: XORField
    private var positive: [Field]
    private var negative: [Field]

    init(_ layout: HistogramLayout, _ reader: inout FieldReader) throws(ChunkError) {
        firstTimestamp = try reader.varbit()
        count = Field(value: Int64(bitPattern: try reader.varbitUnsigned()))
        zeroCount = Field(value: Int64(bitPattern: try reader.varbitUnsigned()))
        sum = XORField(reading: try reader.bits(64))
        positive = try WholeColumns.first(layout.positiveSpans, &reader)
        negative = try WholeColumns.first(layout.negativeSpans, &reader)
    }

    private static func first(
        _ spans: [NativeHistogram.Span], _ reader: inout FieldReader
    ) throws(ChunkError) -> [Field] {
        let count = try HistogramLayout.bucketCount(spans, reader, bitsEach: 1)
        var fields: [Field] = []
        fields.reserveCapacity(count)
        for _ in 0..<count { fields.append(Field(value: try reader.varbit())) }
        return fields
    }

    mutating func readNext(_ reader: inout FieldReader) throws(ChunkError) {
        try count.read(&reader)
        try zeroCount.read(&reader)
        try sum.read(&reader)
        if StaleMarker.isStale(sum.value) { return }
        for index in positive.indices { try positive[index].read(&reader) }
        for index in negative.indices { try negative[index].read(&reader) }
    }

    func histogram(_ layout: HistogramLayout, _ hint: NativeHistogram.CounterResetHint) -> NativeHistogram {
        if StaleMarker.isStale(sum.value) { return NativeHistogram(sum: sum.value) }
        return NativeHistogram(
            counterResetHint: hint, schema: layout.schema, zeroThreshold: layout.zeroThreshold,
            zeroCount: Double(UInt64(bitPattern: zeroCount.value)), count: Double(UInt64(bitPattern: count.value)),
            sum: sum.value, positiveSpans: layout.positiveSpans, positiveBuckets: WholeColumns.counts(positive),
            negativeSpans: layout.negativeSpans, negativeBuckets: WholeColumns.counts(negative),
            customBounds: layout.customBounds)
    }

    /// Each bucket is stored as the difference to the one before.
    private static func counts(_ fields: [Field]) -> [Double] {
        var count: Int64 = 0
        return fields.map { field in
            count = count &+ field.value
            return Double(count)
        }
    }
}

/// Counts of any kind, as `DoubleFields` writes them.
private struct DoubleColumns: HistogramColumns {
    let firstTimestamp: Timestamp
    private var count: XORField
    private var zeroCount: XORField
    private var sum: XORField
    private var positive: [XORField]
    private var negative: [XORField]

    init(_ layout: HistogramLayout, _ reader: inout FieldReader) throws(ChunkError) {
        firstTimestamp = try reader.varbit()
        count = XORField(reading: try reader.bits(64))
        zeroCount = XORField(reading: try reader.bits(64))
        sum = XORField(reading: try reader.bits(64))
        positive = try DoubleColumns.first(layout.positiveSpans, &reader)
        negative = try DoubleColumns.first(layout.negativeSpans, &reader)
    }

    private static func first(
        _ spans: [NativeHistogram.Span], _ reader: inout FieldReader
    ) throws(ChunkError) -> [XORField] {
        let count = try HistogramLayout.bucketCount(spans, reader, bitsEach: 64)
        var fields: [XORField] = []
        fields.reserveCapacity(count)
        for _ in 0..<count { fields.append(XORField(reading: try reader.bits(64))) }
        return fields
    }

    mutating func readNext(_ reader: inout FieldReader) throws(ChunkError) {
        try count.read(&reader)
        try zeroCount.read(&reader)
        try sum.read(&reader)
        if StaleMarker.isStale(sum.value) { return }
        for index in positive.indices { try positive[index].read(&reader) }
        for index in negative.indices { try negative[index].read(&reader) }
    }

    func histogram(_ layout: HistogramLayout, _ hint: NativeHistogram.CounterResetHint) -> NativeHistogram {
        if StaleMarker.isStale(sum.value) { return NativeHistogram(sum: sum.value) }
        return NativeHistogram(
            counterResetHint: hint, schema: layout.schema, zeroThreshold: layout.zeroThreshold,
            zeroCount: zeroCount.value, count: count.value, sum: sum.value, positiveSpans: layout.positiveSpans,
            positiveBuckets: positive.map(\.value), negativeSpans: layout.negativeSpans,
            negativeBuckets: negative.map(\.value), customBounds: layout.customBounds)
    }
}
