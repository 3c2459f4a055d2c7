import ByteCoding
import ChunkEncoding
import SeriesModel

/// The histograms of a batch, behind its columns: see `docs/formats/wal.md`. Each stands for itself.
enum HistogramRows {
    /// The flags of a histogram: its hint, and whether its counts are whole.
    private static let hintMask: UInt8 = 0b011
    private static let wholeFlag: UInt8 = 0b100

    // MARK: - Writing

    static func encode(_ batch: LogBatch, into payload: inout ByteBuilder) {
        precondition(
            batch.histogramRows.count == batch.histograms.count,
            "\(batch.histogramRows.count) rows for \(batch.histograms.count) histograms")
        payload.appendVarint(batch.histograms.count)
        var next = 0
        for (row, histogram) in zip(batch.histogramRows, batch.histograms) {
            payload.appendVarint(row - next)
            next = row + 1
            encode(histogram, into: &payload)
        }
    }

    private static func encode(_ histogram: NativeHistogram, into payload: inout ByteBuilder) {
        let isWhole = histogram.hasWholeCounts
        payload.append(histogram.counterResetHint.rawValue | (isWhole ? wholeFlag : 0))
        payload.appendZigzag(Int64(histogram.schema))
        payload.appendLittleEndian(histogram.zeroThreshold.bitPattern)
        payload.appendLittleEndian(histogram.sum.bitPattern)
        for count in [histogram.count, histogram.zeroCount] {
            if isWhole {
                payload.appendVarint(UInt64(wholeCount(count)))
            } else {
                payload.appendLittleEndian(count.bitPattern)
            }
        }
        for side in [histogram.positive, histogram.negative] { encode(side, isWhole: isWhole, into: &payload) }
        guard histogram.usesCustomBounds else { return }
        payload.appendVarint(histogram.customBounds.count)
        for bound in histogram.customBounds { payload.appendLittleEndian(bound.bitPattern) }
    }

    private static func encode(_ side: HistogramSide, isWhole: Bool, into payload: inout ByteBuilder) {
        payload.appendVarint(side.spans.count)
        for span in side.spans {
            payload.appendZigzag(Int64(span.offset))
            payload.appendVarint(UInt64(span.length))
        }
        var previous: Int64 = 0
        for count in side.counts {
            if isWhole {
                let count = wholeCount(count)
                payload.appendZigzag(count - previous)
                previous = count
            } else {
                payload.appendLittleEndian(count.bitPattern)
            }
        }
    }

    /// - Precondition: the histogram has whole counts, so this is from 0 to 2^53.
    private static func wholeCount(_ count: Double) -> Int64 { Int64(clamping: count) ?? 0 }

    // MARK: - Reading

    static func decode(_ cursor: inout ByteCursor, into batch: inout LogBatch) throws(ByteError) {
        // Flags, schema, threshold, sum, two counts and two numbers of spans.
        let count = try cursor.varint(atMost: cursor.remaining / 22, "number of histograms")
        guard count > 0 else { throw .outOfBounds(offset: cursor.position, what: "number of histograms") }
        var row = -1
        for _ in 0..<count {
            row += 1 + (try cursor.varint(atMost: batch.count, "histogram row"))
            guard row < batch.count else { throw .outOfBounds(offset: cursor.position, what: "histogram row") }
            batch.histogramRows.append(row)
            batch.histograms.append(try histogram(&cursor))
            batch.values[row] = 0
        }
    }

    private static func histogram(_ cursor: inout ByteCursor) throws(ByteError) -> NativeHistogram {
        let offset = cursor.position
        let flags = try cursor.byte()
        guard flags <= hintMask | wholeFlag,
            let hint = NativeHistogram.CounterResetHint(rawValue: flags & hintMask)
        else { throw .outOfBounds(offset: offset, what: "histogram flags") }
        let isWhole = flags & wholeFlag != 0
        guard let schema = Int32(exactly: try cursor.zigzag()) else {
            throw .outOfBounds(offset: offset, what: "schema")
        }
        var histogram = NativeHistogram(counterResetHint: hint, schema: schema)
        histogram.zeroThreshold = try double(&cursor)
        histogram.sum = try double(&cursor)
        histogram.count = isWhole ? Double(try cursor.varint()) : try double(&cursor)
        histogram.zeroCount = isWhole ? Double(try cursor.varint()) : try double(&cursor)
        histogram.positive = try side(&cursor, isWhole: isWhole)
        histogram.negative = try side(&cursor, isWhole: isWhole)
        if histogram.usesCustomBounds {
            for _ in 0..<(try cursor.varint(atMost: cursor.remaining / 8, "custom bounds")) {
                histogram.customBounds.append(try double(&cursor))
            }
        }
        // What is appended to chunks is taken for granted there.
        guard histogram.isStorable, (try? histogram.validate()) != nil, !histogram.isStale else {
            throw .outOfBounds(offset: offset, what: "histogram")
        }
        return histogram
    }

    private static func side(_ cursor: inout ByteCursor, isWhole: Bool) throws(ByteError) -> HistogramSide {
        var side = HistogramSide()
        var length = 0
        for _ in 0..<(try cursor.varint(atMost: cursor.remaining / 2, "spans")) {
            let offset = cursor.position
            guard let gap = Int32(exactly: try cursor.zigzag()) else {
                throw .outOfBounds(offset: offset, what: "span")
            }
            // A bucket takes a byte at least.
            let buckets = try cursor.varint(atMost: cursor.remaining, "span length")
            side.spans.append(NativeHistogram.Span(offset: gap, length: UInt32(clamping: buckets)))
            length += buckets
        }
        guard length <= cursor.remaining / (isWhole ? 1 : 8) else { throw .truncated(offset: cursor.position) }
        side.counts.reserveCapacity(length)
        var count: Int64 = 0
        for _ in 0..<length {
            if isWhole {
                count = count &+ (try cursor.zigzag())
                side.counts.append(Double(count))
            } else {
                side.counts.append(try double(&cursor))
            }
        }
        return side
    }

    private static func double(_ cursor: inout ByteCursor) throws(ByteError) -> Double {
        Double(bitPattern: try cursor.littleEndian(UInt64.self))
    }
}
