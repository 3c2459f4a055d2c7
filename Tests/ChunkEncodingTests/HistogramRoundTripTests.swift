import ChunkEncoding
import SeriesModel
import TestSupport
import Testing

@Suite("Histogram chunks")
struct HistogramRoundTripTests {
    typealias Row = (timestamp: Timestamp, histogram: NativeHistogram)

    /// The chunks that a store would make of a series, and how many samples each has.
    private func chunks(_ rows: [Row]) -> [(encoding: ChunkEncoding, bytes: [UInt8], count: Int)] {
        var chunks: [(ChunkEncoding, [UInt8], Int)] = []
        var open: HistogramAppender?
        for (timestamp, histogram) in rows {
            let header = open == nil ? .unknown : open?.append(timestamp, histogram)
            guard let header else { continue }
            if let open { chunks.append((open.encoding, open.bytes, open.count)) }
            open = HistogramAppender(HistogramAppender.encoding(for: histogram), header, timestamp, histogram)
        }
        if let open { chunks.append((open.encoding, open.bytes, open.count)) }
        return chunks
    }

    private func decode(
        _ chunks: [(encoding: ChunkEncoding, bytes: [UInt8], count: Int)], range: TimeRange = .all
    ) throws -> SampleBuffer {
        var buffer = SampleBuffer()
        for chunk in chunks { try chunk.encoding.decode(chunk.bytes, into: &buffer, range: range) }
        return buffer
    }

    private func compacted(_ histogram: NativeHistogram) -> NativeHistogram {
        var out = histogram
        out.compact()
        return out
    }

    @Test("give back what went in, whatever the order of schemas, resets, gauges, stale markers", arguments: 1...30)
    func random(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let rows = HistogramSource.rows(count: 200, using: &random)
        let chunks = chunks(rows)
        let buffer = try decode(chunks)
        let stale = rows.filter { $0.histogram.isStale }
        let live = rows.filter { !$0.histogram.isStale }
        #expect(buffer.timestamps == stale.map(\.timestamp), "seed \(seed)")
        #expect(buffer.histogramTimestamps == live.map(\.timestamp), "seed \(seed)")
        for (index, (found, row)) in zip(buffer.histograms, live).enumerated() {
            try #require(compacted(found) == compacted(row.histogram), "seed \(seed) sample \(index)")
            // What a hint promises is true.
            if found.counterResetHint == .notReset {
                var (now, before) = (row.histogram, live[index - 1].histogram)
                now.counterResetHint = .unknown
                before.counterResetHint = .unknown
                #expect(!now.isReset(after: before), "seed \(seed) sample \(index)")
            }
            #expect((found.counterResetHint == .gauge) == (row.histogram.counterResetHint == .gauge))
            if row.histogram.counterResetHint == .reset { #expect(found.counterResetHint == .unknown) }
        }
        let range = TimeRange(min: rows[40].timestamp, max: rows[150].timestamp - 1)
        let part = try decode(chunks, range: range)
        #expect(part.histogramTimestamps == live.map(\.timestamp).filter(range.contains))
        #expect(part.timestamps == stale.map(\.timestamp).filter(range.contains))
    }

    @Test("are open chunks' snapshots: a copy does not see what is appended later")
    func snapshots() throws {
        var random = SeededRandom(seed: 3)
        let first = HistogramSource.histogram(schema: 1, using: &random)
        var open = HistogramAppender(.floatHistogram, .unknown, 1000, first)
        let copy = open
        var second = first
        second.count += 1
        #expect(open.append(2000, second) == nil)
        #expect(copy.count == 1)
        #expect(open.count == 2)
        #expect(copy.bytes != open.bytes)
        #expect(copy.bytes.count == copy.byteCount)
        #expect(open.bytes.count == open.byteCount)
        #expect(compacted(open.newest) == compacted(second))
        #expect(open.newest.counterResetHint == .notReset)
    }

    private func simple(_ counts: [Double], bounds: [Double] = [], schema: Int32 = 0) -> NativeHistogram {
        NativeHistogram(
            schema: schema, count: counts.reduce(0, +), sum: 1,
            positiveSpans: [.init(offset: 0, length: UInt32(counts.count))], positiveBuckets: counts,
            customBounds: bounds)
    }

    @Test("go on only while nothing they say once changes, and say why the next one begins")
    func boundaries() {
        func header(_ first: NativeHistogram, _ next: NativeHistogram) -> CounterResetHeader? {
            var open = HistogramAppender(HistogramAppender.encoding(for: first), .unknown, 1, first)
            return open.append(2, next)
        }
        let base = simple([3, 4])
        #expect(header(base, simple([3, 5])) == nil)
        #expect(header(base, simple([3, 5, 1])) == nil, "a new bucket")
        #expect(header(base, simple([2, 9])) == .reset, "a bucket fell")
        #expect(header(base, simple([9])) == .reset, "a bucket vanished")
        #expect(header(simple([3, 0]), simple([3])) == nil, "an empty bucket vanished")
        #expect(header(base, simple([1, 1])) == .reset, "the count fell")
        #expect(header(base, simple([8, 9], schema: 1)) == .unknown)
        #expect(header(base, simple([3.5, 9])) == .unknown, "whole counts become fractions")
        var other = simple([8, 9])
        other.zeroThreshold = 0.5
        #expect(header(base, other) == .unknown)
        other = simple([8, 9])
        other.counterResetHint = .gauge
        #expect(header(base, other) == .gauge)
        #expect(header(other, simple([20, 20])) == .unknown)
        other = simple([8, 9])
        other.counterResetHint = .reset
        #expect(header(base, other) == .reset)
        let custom = simple([3, 4], bounds: [1, 2], schema: -53)
        #expect(header(custom, simple([3, 4], bounds: [1, 2], schema: -53)) == nil)
        #expect(header(custom, simple([3, 4], bounds: [1, 3], schema: -53)) == .reset)
        let stale = NativeHistogram(sum: StaleMarker.value)
        #expect(header(base, stale) == nil)
        #expect(header(stale, stale) == nil)
        #expect(header(stale, base) == .unknown)
    }

    @Test("of custom bounds say them in short where they are thousandths")
    func customBounds() throws {
        let bounds = [-1.5, 0, 0.001, 0.25, 33_554.43, 33_554.431, 1e9]
        let histogram = simple([1, 0, 2, 5, 1, 1, 1, 4], bounds: bounds, schema: -53)
        try histogram.validate()
        let open = HistogramAppender(.histogram, .reset, 0, histogram)
        // Header; zero threshold 0; schema -53; one positive span of 8 at 0; no negative span; 7 bounds: three of them
        // as they are.
        let expected: [(bits: UInt64, count: Int)] = [
            (0, 8), (0b1110_1_1100_1011, 13), (0b10_001, 5), (0b110_001000, 9), (0, 1), (0, 1), (0b10_111, 5),
            (0, 1), ((-1.5).bitPattern, 64), (0b10_001, 5), (0b10_010, 5), (0b1110_0_1111_1011, 13),
            (0b1111110 << 25 | 33_554_431, 32), (0, 1), (33_554.431.bitPattern, 64), (0, 1), (1e9.bitPattern, 64),
        ]
        var text = ""
        for (bits, count) in expected {
            let digits = String(bits, radix: 2)
            text += String(repeating: "0", count: count - digits.count) + digits
        }
        let written = open.bytes.dropFirst(3).map { byte in
            let digits = String(byte, radix: 2)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
        #expect(open.bytes[..<3] == [0, 1, 0x80])
        #expect(written.hasPrefix(text))
        var buffer = SampleBuffer()
        try ChunkEncoding.histogram.decode(open.bytes, into: &buffer)
        #expect(buffer.histograms == [histogram])
        #expect(buffer.histograms.first?.customBounds == bounds)
        #expect(buffer.histograms.first?.counterResetHint == .unknown)
    }

    @Test("stay below half a megabyte, however many buckets their samples have")
    func size() throws {
        let wide = NativeHistogram(
            schema: 8, count: 5000, sum: 1, positiveSpans: [.init(offset: 0, length: 5000)],
            positiveBuckets: (0..<5000).map { Double($0) + 0.1 })
        #expect(wide.isStorable)
        var rows: [Row] = []
        for step in 0..<40 {
            var histogram = wide
            histogram.count += Double(step)
            histogram.positive.counts = wide.positiveBuckets.map { $0 + Double(step) / 7 }
            rows.append((Timestamp(step), histogram))
        }
        let chunks = chunks(rows)
        #expect(chunks.count > 2)
        #expect(chunks.allSatisfy { $0.bytes.count <= 512 << 10 })
        #expect(chunks.dropFirst().allSatisfy { $0.bytes[2] == CounterResetHeader.notReset.rawValue })
        #expect(try decode(chunks).histograms == rows.map(\.histogram))
    }

    @Test("without samples give none")
    func empty() throws {
        for encoding in [ChunkEncoding.histogram, .floatHistogram] {
            var buffer = SampleBuffer()
            try encoding.decode([0, 0, 0], into: &buffer)
            #expect(buffer.isEmpty)
        }
    }
}
