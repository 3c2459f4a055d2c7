import SeriesModel
import TestSupport
import Testing

@Suite("Native histograms: arithmetic")
struct NativeHistogramArithmeticTests {
    @Test("buckets are added where both have them and put in where not")
    func addition() throws {
        var a = histogram(count: 10, sum: 1, zero: 1, offset: 1, [1, 2], negative: [1])
        try a.add(histogram(count: 20, sum: 2, zero: 2, offset: 0, [5, 5, 0, 7], negativeOffset: 3, negative: [2]))
        #expect(
            a
                == NativeHistogram(
                    zeroCount: 3, count: 30, sum: 3, positiveSpans: [.init(offset: 0, length: 4)],
                    positiveBuckets: [5, 6, 2, 7],
                    negativeSpans: [.init(offset: 0, length: 1), .init(offset: 2, length: 1)], negativeBuckets: [1, 2]))
    }

    @Test("the higher resolution is brought to the lower, on either side")
    func schemas() throws {
        let fine = histogram(schema: 1, count: 10, offset: -1, [1, 2, 3, 4])
        let coarse = histogram(schema: 0, count: 5, offset: 0, [2, 3])
        var a = fine
        try a.add(coarse)
        var b = coarse
        try b.add(fine)
        #expect(a == b)
        // Indexes -1 and 0 of schema 1 lie in 0 of schema 0, 1 and 2 in 1.
        #expect(a == histogram(schema: 0, count: 15, offset: 0, [5, 10]))
    }

    @Test("zero thresholds grow to the larger one, and beyond it to the end of a populated bucket")
    func zeroThresholds() throws {
        var a = histogram(count: 6, zero: 1, threshold: 0.001, offset: 0, [2, 3])
        try a.add(histogram(count: 5, zero: 5, threshold: 0.75))
        #expect(a == histogram(count: 11, zero: 8, threshold: 1, offset: 1, [3]))
        var b = histogram(count: 5, zero: 5, threshold: 0.75)
        try b.add(histogram(count: 6, zero: 1, threshold: 0.001, offset: 0, [2, 3]))
        #expect(b == a)
    }

    @Test("a zero threshold that is no number ends all the same")
    func nanThreshold() throws {
        var a = histogram(count: 1, zero: 1, threshold: .nan)
        try a.add(histogram(count: 1, zero: 1, threshold: 1))
        #expect(a.count == 2)
    }

    @Test("subtraction leaves negative counts")
    func subtraction() throws {
        var a = histogram(count: 3, sum: 5, zero: 1, [1, 2])
        try a.subtract(histogram(count: 5, sum: 1, zero: 2, offset: 1, [3, 4]))
        #expect(a == histogram(count: -2, sum: 4, zero: -1, [1, -1, -4]))
    }

    @Test("custom bounds that differ come to those shared")
    func customBounds() throws {
        var a = histogram(schema: -53, count: 15, sum: 55, [1, 2, 5, 7], bounds: [2, 4, 6])
        let outcome = try a.add(histogram(schema: -53, count: 14, sum: 56, [1, 0, 1, 5, 7], bounds: [2, 3, 4, 5]))
        #expect(outcome.hasReconciledBounds)
        #expect(a == histogram(schema: -53, count: 29, sum: 111, [2, 3, 24], bounds: [2, 4]))
        var same = histogram(schema: -53, count: 3, [1, 2], bounds: [1])
        #expect(try !same.add(same).hasReconciledBounds)
        #expect(same == histogram(schema: -53, count: 6, [2, 4], bounds: [1]))
    }

    @Test("exponential and custom buckets do not mix")
    func incompatible() {
        var a = histogram(schema: 0, [1])
        #expect(throws: HistogramError.incompatibleSchemas) { try a.add(histogram(schema: -53, [1], bounds: [1])) }
        #expect(throws: HistogramError.incompatibleSchemas) {
            try a.subtract(histogram(schema: -53, [1], bounds: [1]))
        }
    }

    @Test("hints of a sum: equal ones stay, a gauge wins, anything else is unknown")
    func hints() throws {
        typealias Hint = NativeHistogram.CounterResetHint
        for a in Hint.allCases {
            for b in Hint.allCases {
                var sum = histogram(hint: a)
                let outcome = try sum.add(histogram(hint: b))
                let expected: Hint = a == b ? a : a == .gauge || b == .gauge ? .gauge : .unknown
                #expect(sum.counterResetHint == expected)
                #expect(outcome.hasCounterResetCollision == (Set([a, b]) == [.reset, .notReset]))
            }
        }
    }

    @Test("scaling, and division by zero")
    func scaling() {
        var a = histogram(count: 4, sum: 6, zero: 2, [2], negative: [4], hint: .reset)
        a.multiply(by: 0.5)
        #expect(a == histogram(count: 2, sum: 3, zero: 1, [1], negative: [2]))
        #expect(a.counterResetHint == .reset)
        a.divide(by: -0.5)
        #expect(a == histogram(count: -4, sum: -6, zero: -2, [-2], negative: [-4]))
        #expect(a.counterResetHint == .gauge)
        a.divide(by: 0)
        #expect(a.count == -.infinity)
        #expect(a.positiveSpans.isEmpty && a.negativeBuckets.isEmpty)
    }

    @Test("resolution is reduced step by step or at once to the same", arguments: [-4, -1, 0, 3] as [Int32])
    func reduction(target: Int32) {
        let h = histogram(schema: 5, count: 55, offset: -7, (1...20).map(Double.init), negative: [1, 2, 3, 4])
        var atOnce = h
        atOnce.reduceResolution(to: target)
        var steps = h
        for schema in stride(from: 4, through: target, by: -1) { steps.reduceResolution(to: schema) }
        #expect(atOnce == steps)
        #expect(atOnce.schema == target)
        #expect(atOnce.positiveBuckets.reduce(0, +) == 210)
        var unchanged = h
        unchanged.reduceResolution(to: 8)
        #expect(unchanged == h)
    }

    @Test("the compensated sum keeps what plain addition loses")
    func compensation() throws {
        var plain = histogram(count: 1e16, sum: 1e16, zero: 1e16, [1e16])
        var sum = plain
        var compensation: NativeHistogram?
        let one = histogram(count: 1, sum: 1, zero: 1, [1, 1])
        for _ in 0..<10 {
            try plain.add(one)
            try sum.add(one, compensation: &compensation)
        }
        #expect(plain.sum == 1e16)
        try sum.add(#require(compensation))
        #expect(sum == histogram(count: 1e16 + 10, sum: 1e16 + 10, zero: 1e16 + 10, [1e16 + 10, 10]))
    }

    @Test("the compensated sum goes through all reconciliations as the plain one", arguments: 0..<20)
    func compensatedLikePlain(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var plain = randomHistogram(&random)
        var sum = plain
        var compensation: NativeHistogram?
        for _ in 0..<6 {
            var next = randomHistogram(&random)
            while next.usesCustomBounds != plain.usesCustomBounds { next = randomHistogram(&random) }
            let a = try plain.add(next)
            let b = try sum.add(next, compensation: &compensation)
            #expect(a == b)
        }
        let rest = try #require(compensation)
        #expect(rest.positiveBuckets.count == sum.positiveBuckets.count)
        #expect(rest.negativeBuckets.count == sum.negativeBuckets.count)
        try sum.add(rest)
        #expect(sum.isNearlyEqual(to: plain), "\(sum) \(plain)")
    }

    @Test("adding in any order gives the same buckets", arguments: 100..<120)
    func commutative(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let a = randomHistogram(&random)
        var b = randomHistogram(&random)
        while b.usesCustomBounds != a.usesCustomBounds { b = randomHistogram(&random) }
        var ab = a
        try ab.add(b)
        var ba = b
        try ba.add(a)
        #expect(ab.isNearlyEqual(to: ba))
        try ab.subtract(b)
        #expect(abs(ab.count - a.count) < 1e-9)
    }

    /// Small integers, so that sums are exact whatever their order.
    private func randomHistogram(_ random: inout SeededRandom) -> NativeHistogram {
        func counts(_ limit: UInt64) -> [Double] {
            (0..<Int(random.next() % limit)).map { _ in Double(random.next() % 4) }
        }
        if random.next() % 4 == 0 {
            let bounds = [1.0, 2, 3, 4, 5, 6].filter { _ in random.next() % 3 > 0 }
            let buckets = (0...bounds.count).map { _ in Double(random.next() % 4) }
            return histogram(schema: -53, count: buckets.reduce(0, +), sum: 3, buckets, bounds: bounds)
        }
        // Coarser schemas than 0 need not have 2 for a bound, and then addition depends on the order, as upstream's.
        let schema = Int32(random.next() % 4)
        let threshold = [0, 0.001, 1, 2][Int(random.next() % 4)]
        // Buckets lie outside the zero bucket, as a client puts them.
        let first: Int32 = threshold < 2 ? 1 : (1 << schema) + 1
        let positive = counts(12)
        let negative = counts(6)
        let zero = Double(random.next() % 3)
        return histogram(
            schema: schema, count: positive.reduce(zero, +) + negative.reduce(0, +), sum: 1, zero: zero,
            threshold: threshold, offset: first + Int32(random.next() % 6), positive, negativeOffset: first,
            negative: negative)
    }
}
