import SeriesModel
import Testing

@Suite("Native histograms: resets, validation, text")
struct NativeHistogramPropertyTests {
    @Test("a counter that only grows was not reset, whatever its layout")
    func noReset() {
        let before = histogram(schema: 1, count: 6, zero: 1, threshold: 0.001, [1, 0, 2, 2])
        #expect(!before.isReset(after: before))
        let grown = histogram(schema: 1, count: 9, zero: 1, threshold: 0.001, [1, 3, 2, 2])
        #expect(!grown.isReset(after: before))
        let coarser = histogram(schema: 0, count: 6, zero: 1, threshold: 0.001, [1, 2, 2])
        #expect(!coarser.isReset(after: before))
        let wider = histogram(schema: 1, count: 6, zero: 2, threshold: 1, offset: 2, [2, 2])
        #expect(!wider.isReset(after: before))
    }

    @Test("a fall of any count, a lost bucket, a finer schema and a smaller zero bucket are resets")
    func resets() {
        let before = histogram(schema: 0, count: 6, zero: 1, threshold: 0.5, offset: 1, [1, 2, 2], negative: [1])
        #expect(
            histogram(schema: 0, count: 5, zero: 1, threshold: 0.5, offset: 1, [1, 2, 2], negative: [1]).isReset(
                after: before))
        #expect(
            histogram(schema: 0, count: 9, zero: 0, threshold: 0.5, offset: 1, [1, 2, 2], negative: [1]).isReset(
                after: before))
        #expect(
            histogram(schema: 0, count: 9, zero: 1, threshold: 0.5, offset: 1, [1, 1, 9], negative: [1]).isReset(
                after: before))
        #expect(histogram(schema: 0, count: 9, zero: 1, threshold: 0.5, offset: 1, [1, 2, 2]).isReset(after: before))
        #expect(
            histogram(schema: 1, count: 9, zero: 1, threshold: 0.5, offset: 1, [9, 9, 9, 9, 9, 9, 9], negative: [9])
                .isReset(after: before))
        #expect(
            histogram(schema: 0, count: 9, zero: 1, threshold: 0.1, offset: 1, [1, 2, 2], negative: [1]).isReset(
                after: before))
        // A threshold within a populated bucket of before cannot come without a reset.
        #expect(histogram(schema: 0, count: 9, zero: 9, threshold: 1.5, offset: 2, [2, 2]).isReset(after: before))
    }

    @Test("hints decide at once, gauges are looked at")
    func hints() {
        let before = histogram(count: 6, [6])
        #expect(histogram(count: 9, [9], hint: .reset).isReset(after: before))
        #expect(!histogram(count: 1, [1], hint: .notReset).isReset(after: before))
        #expect(histogram(count: 1, [1], hint: .gauge).isReset(after: before))
    }

    @Test("custom buckets of different bounds are compared in those shared")
    func customResets() {
        let before = histogram(schema: -53, count: 15, [1, 2, 5, 7], bounds: [2, 4, 6])
        #expect(!histogram(schema: -53, count: 15, [1, 0, 2, 5, 7], bounds: [2, 3, 4, 6]).isReset(after: before))
        #expect(histogram(schema: -53, count: 15, [1, 0, 1, 6, 7], bounds: [2, 3, 4, 6]).isReset(after: before))
        #expect(histogram(schema: -53, count: 99, [9], bounds: []).isReset(after: histogram(count: 1, [1])))
        #expect(histogram(count: 99, [99]).isReset(after: before))
    }

    @Test(
        "what cannot be a histogram is refused",
        arguments: [
            (histogram(schema: 9), "histogram has an invalid schema"),
            (histogram(schema: -53, zero: 1), "custom buckets: must have zero count of 0"),
            (histogram(schema: -53, threshold: 1), "custom buckets: must have zero threshold of 0"),
            (histogram(schema: -53, negative: [1]), "custom buckets: must not have negative spans"),
            (histogram(schema: -53, [1, 1], bounds: []), "custom buckets: only 0 custom bounds defined"),
            (
                histogram(schema: -53, bounds: [2, 1]),
                "custom buckets: previous bound is 2.000000 and current is 1.000000"
            ),
            (histogram(schema: -53, bounds: [.nan]), "custom buckets: histogram custom bounds must not be NaN"),
            (histogram(schema: -53, bounds: [.infinity]), "custom buckets: last +Inf bound must not"),
            (histogram(schema: -53, offset: -1, [1]), "custom buckets: span number 1 with offset -1"),
            (histogram(bounds: [1]), "histogram with exponential schema must not have custom bounds"),
            (histogram(count: -1), "observation count is -1"),
            (histogram(zero: -1), "zero bucket has observation count of -1"),
            (histogram([1, -2]), "positive side: bucket number 2 has observation count of -2"),
            (NativeHistogram(positiveBuckets: [1]), "positive side: spans need 0 buckets, have 1 buckets"),
            (
                NativeHistogram(
                    negativeSpans: [.init(offset: 0, length: 1), .init(offset: -1, length: 0)], negativeBuckets: [1]),
                "negative side: span number 2 with offset -1"
            ),
        ])
    func refused(histogram: NativeHistogram, beginning: String) {
        let error = #expect(throws: HistogramError.self) { try histogram.validate() }
        #expect(error?.description.hasPrefix(beginning) == true, "\(error?.description ?? "")")
    }

    @Test("sound histograms pass")
    func valid() throws {
        try histogram(schema: 8, count: 1, zero: 1, threshold: 1, offset: -5, [1, 0], negative: [2]).validate()
        try histogram(schema: -53, count: 1, [1, 0, 3], bounds: [-1, 1]).validate()
    }

    @Test("upstream's text form")
    func text() {
        let h = histogram(count: 12.5, sum: 1e6, zero: 2, threshold: 0.001, [0, 3.5], negative: [1, 2])
        #expect(h.description == "{count:12.5, sum:1e+06, [-2,-1):2, [-1,-0.5):1, [-0.001,0.001]:2, (1,2]:3.5}")
        let custom = histogram(schema: -53, count: 3, sum: 4, [1, 2], bounds: [0.5])
        #expect(custom.description == "{count:3, sum:4, [-Inf,0.5]:1, (0.5,+Inf]:2}")
    }

    @Test("equality goes by bits and layout, not by spans or hints")
    func equality() {
        let a = NativeHistogram(
            sum: .nan, positiveSpans: [.init(offset: 1, length: 1), .init(offset: 0, length: 1)],
            positiveBuckets: [1, 2])
        let b = NativeHistogram(
            counterResetHint: .reset, sum: .nan, positiveSpans: [.init(offset: 1, length: 2)], positiveBuckets: [1, 2])
        #expect(a == b)
        #expect(a != histogram(sum: .nan, offset: 2, [1, 2]))
        #expect(histogram(sum: 0) != histogram(sum: -0.0))
        #expect(histogram(sum: 0).isNearlyEqual(to: histogram(sum: -0.0)))
        #expect(histogram([0, 1]).isNearlyEqual(to: histogram(offset: 1, [1.0000001])))
        #expect(!histogram([1]).isNearlyEqual(to: histogram([1.00001])))
    }
}
