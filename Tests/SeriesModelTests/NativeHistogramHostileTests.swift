import SeriesModel
import TestSupport
import Testing

/// Histograms that no sound program writes: damaged chunks, hostile pushes. Nothing sensible can come of them, but
/// nothing may trap or run without end either.
@Suite("Native histograms: hostile values")
struct NativeHistogramHostileTests {
    private struct Source {
        var random: SeededRandom

        mutating func pick<Value>(_ values: [Value]) -> Value { values.randomElement(using: &random) ?? values[0] }

        mutating func number() -> Double {
            pick([
                0, -0.0, 1, 2.5, -3, .nan, .infinity, -.infinity, 1e308, .leastNonzeroMagnitude,
                .greatestFiniteMagnitude, 1e-3,
            ])
        }

        mutating func histogram() -> NativeHistogram {
            let schemas: [Int32] = [-53, -53, 0, 8, -4, 1, 3, 9, 52, -5, .min, .max]
            return NativeHistogram(
                counterResetHint: pick(NativeHistogram.CounterResetHint.allCases), schema: pick(schemas),
                zeroThreshold: number(), zeroCount: number(), count: number(), sum: number(), positiveSpans: spans(),
                positiveBuckets: counts(), negativeSpans: spans(), negativeBuckets: counts(), customBounds: counts())
        }

        private mutating func counts() -> [Double] {
            (0..<Int.random(in: 0...6, using: &random)).map { _ in number() }
        }

        private mutating func spans() -> [NativeHistogram.Span] {
            (0..<Int.random(in: 0...4, using: &random)).map { _ in
                NativeHistogram.Span(
                    offset: pick([0, 1, -1, -7, 5, 1000, -1000, .min, .max]), length: pick([0, 0, 1, 2, 3, 40, .max]))
            }
        }
    }

    @Test("no operation traps, whatever the fields are", arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func anything(seed: UInt64) {
        var source = Source(random: SeededRandom(seed: seed))
        for _ in 0..<400 {
            let (a, b) = (source.histogram(), source.histogram())
            try? a.validate()
            change(a, with: b, &source)
            ask(a, of: b, &source)
        }
    }

    private func change(_ a: NativeHistogram, with b: NativeHistogram, _ source: inout Source) {
        var sum = a
        _ = try? sum.add(b)
        sum.compact()
        var difference = a
        _ = try? difference.subtract(b)
        var compensation: NativeHistogram?
        var total = a
        for next in [b, a, b] { _ = try? total.add(next, compensation: &compensation) }
        if let compensation { _ = try? total.add(compensation) }
        var scaled = a
        scaled.multiply(by: source.number())
        scaled.divide(by: source.number())
        scaled.compact(emptyBucketsMax: 3)
        var coarse = a
        coarse.reduceResolution(to: source.pick([-4, 0, 2, -53, .min]))
        for direction in [NativeHistogram.Trim.keepingBelow, .keepingAbove] {
            var trimmed = a
            trimmed.trim(direction, at: source.number())
        }
    }

    private func ask(_ a: NativeHistogram, of b: NativeHistogram, _ source: inout Source) {
        _ = a.quantile(source.pick([0, 0.25, 0.5, 0.99, 1, -1, 2, .nan]))
        _ = a.fraction(from: source.number(), to: source.number())
        _ = (a.variance, a.standardDeviation, a.average)
        _ = (a.isReset(after: b), a == b, a == a, a.isNearlyEqual(to: b))
        _ = a.description
        let up = a.buckets.reduce(0) { count, _ in count + 1 }
        let down = a.bucketsDescending.reduce(0) { count, _ in count + 1 }
        #expect(up <= a.positiveBuckets.count + a.negativeBuckets.count + 1)
        #expect(down <= a.positiveBuckets.count + a.negativeBuckets.count + 1)
    }

    @Test("spans that lead backwards are compacted without a trap")
    func backwards() {
        var histogram = NativeHistogram(
            positiveSpans: [.init(offset: 0, length: 1), .init(offset: -5, length: 2)], positiveBuckets: [1, 1, 0])
        histogram.compact()
        #expect(histogram.positiveBuckets == [1, 1])
        #expect(throws: HistogramError.self) { try histogram.validate() }
    }

    @Test("bounds exist for every schema and index")
    func bounds() {
        for schema in [Int32.min, -53, -5, 9, .max] {
            let histogram = NativeHistogram(
                schema: schema, count: 1, positiveSpans: [.init(offset: .max, length: 1)], positiveBuckets: [1])
            #expect(histogram.buckets.first(where: { _ in true })?.count == 1)
        }
    }
}
