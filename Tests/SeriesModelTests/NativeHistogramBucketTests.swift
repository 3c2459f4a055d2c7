import SeriesModel
import Testing

@Suite("Native histograms: buckets")
struct NativeHistogramBucketTests {
    @Test("bounds of exponential schemas")
    func exponentialBounds() {
        let uppers = histogram(schema: 1, offset: -2, [1, 1, 1, 1, 1]).buckets.map(\.upper)
        #expect(uppers == [0.5, 0.7071067811865475, 1, 1.414213562373095, 2])
        let coarse = histogram(schema: -2, offset: -1, [1, 1, 1]).buckets.map { [$0.lower, $0.upper] }
        #expect(coarse == [[0.00390625, 0.0625], [0.0625, 1], [1, 16]])
    }

    @Test("the last finite bucket ends at the largest double, the next holds infinities")
    func extremes() {
        let uppers = histogram(schema: 0, offset: 1023, [1, 1, 1]).buckets.map(\.upper)
        #expect(uppers == [0x1p1023, .greatestFiniteMagnitude, .infinity])
        let fine = histogram(schema: 8, offset: 262_144, [1, 1]).buckets.map(\.upper)
        #expect(fine == [.greatestFiniteMagnitude, .infinity])
        let coarse = histogram(schema: -4, offset: 64, [1, 1]).buckets.map(\.upper)
        #expect(coarse == [.greatestFiniteMagnitude, .infinity])
        #expect(histogram(schema: 0, offset: -1100, [1]).buckets.map(\.upper) == [0])
    }

    @Test("all buckets come in order of value, cut where the zero bucket reaches")
    func order() {
        let h = histogram(zero: 2, threshold: 0.75, [3, 4], negative: [5, 6])
        let rows = h.buckets.map { [$0.lower, $0.upper, $0.count] }
        let expected: [[Double]] = [[-2, -1, 6], [-1, -0.75, 5], [-0.75, 0.75, 2], [0.75, 1, 3], [1, 2, 4]]
        #expect(rows == expected)
        #expect(h.bucketsDescending.map { [$0.lower, $0.upper, $0.count] } == rows.reversed())
        #expect(h.buckets.map(\.boundaryRule) == [1, 1, 3, 0, 0])
    }

    @Test("custom buckets are open below the first and above the last bound")
    func custom() {
        let h = histogram(schema: -53, [1, 2, 3], bounds: [5, 10])
        let bounds: [[Double]] = [[-.infinity, 5], [5, 10], [10, .infinity]]
        #expect(h.buckets.map { [$0.lower, $0.upper] } == bounds)
        #expect(h.buckets.map(\.boundaryRule) == [3, 0, 0])
    }

    @Test("walking spans with gaps and empty spans, in both directions")
    func spans() {
        let h = NativeHistogram(
            positiveSpans: [
                .init(offset: -2, length: 1), .init(offset: 0, length: 0), .init(offset: 3, length: 2),
                .init(offset: 1, length: 0), .init(offset: 1, length: 1),
            ], positiveBuckets: [1, 2, 3, 4])
        let indexes = h.buckets.map(\.index)
        #expect(indexes == [-2, 2, 3, 6])
        #expect(h.bucketsDescending.map(\.index) == indexes.reversed())
    }

    @Test("histograms that do not fit together are walked without harm")
    func inconsistent() {
        let tooFew = NativeHistogram(positiveSpans: [.init(offset: 0, length: .max)], positiveBuckets: [1])
        #expect(tooFew.buckets.map(\.count) == [1])
        let tooMany = NativeHistogram(positiveBuckets: [1, 2])
        #expect(tooMany.buckets.map(\.count) == [])
        let far = NativeHistogram(
            positiveSpans: [.init(offset: .max, length: .max), .init(offset: .max, length: 1)], positiveBuckets: [1, 2])
        #expect(far.buckets.map(\.upper) == [.infinity, .infinity])
        #expect(far.bucketsDescending.map(\.count) == [2, 1])
    }

    @Test("compaction drops empty buckets, joins neighbours and bridges short gaps")
    func compaction() {
        var h = NativeHistogram(
            positiveSpans: [.init(offset: 1, length: 4), .init(offset: 0, length: 1), .init(offset: 2, length: 2)],
            positiveBuckets: [0, 1, 0, 2, 3, 4, 0])
        var bridged = h
        h.compact()
        #expect(h.positiveBuckets == [1, 2, 3, 4])
        #expect(
            h.positiveSpans == [.init(offset: 2, length: 1), .init(offset: 1, length: 2), .init(offset: 2, length: 1)])
        bridged.compact(emptyBucketsMax: 1)
        #expect(bridged.positiveBuckets == [1, 0, 2, 3, 4])
        #expect(bridged.positiveSpans == [.init(offset: 2, length: 4), .init(offset: 2, length: 1)])
        var empty = histogram([0, 0])
        empty.compact()
        #expect(empty.positiveSpans.isEmpty && empty.positiveBuckets.isEmpty)
    }

    @Test("a copy is not changed with its original")
    func copyOnWrite() {
        let original = histogram(count: 1, [1, 2])
        var copy = original
        copy.positive.counts[0] = 9
        copy.count = 5
        #expect(original.positiveBuckets == [1, 2])
        #expect(original.count == 1)
        #expect(copy.positiveBuckets == [9, 2])
    }

    @Test("one histogram is one reference wide")
    func size() {
        #expect(MemoryLayout<NativeHistogram>.size == 8)
    }
}
