import SeriesModel
import Testing

@Suite("Native histograms: estimates")
struct NativeHistogramEstimateTests {
    private let plain = histogram(count: 34, sum: 123.75, zero: 1, threshold: 0.001, [2, 4, 8, 16], negative: [1, 2])
    private let custom = histogram(schema: -53, count: 15, sum: 172.5, [1, 6, 4, 3, 1], bounds: [5, 10, 15, 20])

    @Test("quantiles are interpolated exponentially, in custom and zero buckets linearly")
    func quantiles() {
        let h = histogram(count: 12, sum: 100, zero: 2, threshold: 0.001, [2, 3, 0, 1, 4])
        #expect(h.quantile(-0.1) == -.infinity)
        #expect(h.quantile(1.1) == .infinity)
        #expect(h.quantile(.nan).isNaN)
        #expect(histogram().quantile(0.5).isNaN)
        #expect(h.quantile(1) == 16)
        #expect(abs(h.quantile(0.5) - 1.5874010519681996) < 1e-12)
        #expect(abs(h.quantile(0.08) - 0.00048) < 1e-9)
        #expect(custom.quantile(0.5) == 10.625)
        #expect(custom.quantile(0.99) == 20)
        #expect(histogram(schema: -53, count: 2, [2], bounds: [-3]).quantile(0.5) == -3)
    }

    @Test("observations of NaN are above every quantile's bucket")
    func quantileWithNaN() {
        let h = histogram(count: 4, sum: .nan, [2])
        #expect(h.quantile(0.25) > 0.5)
        #expect(h.quantile(0.9) == 1)
    }

    @Test(
        "fractions",
        arguments: [
            (-Double.infinity, 2.0, 10.0), (2, .infinity, 24), (-.infinity, -1, 2), (-.infinity, 0, 3.5),
            (-.infinity, 1.414213562373095, 8), (1, 1, 0), (-.infinity, .infinity, 34),
        ])
    func fractions(lower: Double, upper: Double, count: Double) {
        #expect(abs(plain.fraction(from: lower, to: upper) * 34 - count) < 1e-9)
    }

    @Test("nothing is estimated within buckets of infinite width")
    func infiniteBuckets() {
        let h = histogram(schema: -53, count: 100, [10, 2, 3, 85], bounds: [-3, -2, -1])
        #expect(h.fraction(from: -4, to: -2) == 0.02)
        #expect(h.fraction(from: -.infinity, to: -1.5) == 0.135)
        #expect(h.fraction(from: 0, to: 1) == 0)
        #expect(h.fraction(from: 400, to: .infinity) == 0.85)
        #expect(histogram(schema: -53, count: 9, [9]).fraction(from: 0, to: 1) == 0)
        #expect(custom.fraction(from: 13, to: .infinity) * 15 == 5.6)
    }

    @Test("variance takes each bucket's middle for its observations")
    func variance() {
        let one = histogram(schema: 3, count: 1, sum: 0.9, offset: -1, [1])
        let middle = (0.8408964152537144 * 0.9170040432046711).squareRoot()
        #expect(abs(one.variance - (middle - 0.9) * (middle - 0.9)) < 1e-12)
        let even = histogram(schema: -53, count: 2, sum: 4, offset: 1, [1, 1], bounds: [0, 2, 4])
        #expect(even.variance == 1)
        #expect(even.standardDeviation == 1)
    }

    struct TrimCase: Sendable {
        var trim: NativeHistogram.Trim
        var value: Double
        var result: NativeHistogram
    }

    @Test(
        "trimming exponential buckets",
        arguments: [
            TrimCase(
                trim: .keepingBelow, value: 1.4142135624,
                result: histogram(
                    count: 8, sum: 0.2570938865989847, zero: 1, threshold: 0.001, [2, 2], negative: [1, 2])),
            TrimCase(
                trim: .keepingAbove, value: 0,
                result: histogram(count: 30.5, sum: 120.20840280171308, zero: 0.5, threshold: 0.001, [2, 4, 8, 16])),
            TrimCase(
                trim: .keepingAbove, value: -1,
                result: histogram(
                    count: 32, sum: 119.50104602052653, zero: 1, threshold: 0.001, [2, 4, 8, 16], negative: [1])),
            TrimCase(trim: .keepingAbove, value: .infinity, result: histogram(threshold: 0.001)),
            TrimCase(trim: .keepingBelow, value: -.infinity, result: histogram(threshold: 0.001)),
        ])
    func trimming(test: TrimCase) {
        var h = plain
        h.trim(test.trim, at: test.value)
        #expect(h.isNearlyEqual(to: test.result), "\(h)")
    }

    @Test("a trim that drops nothing leaves count and sum as they were")
    func noTrim() {
        for (trim, value) in [(NativeHistogram.Trim.keepingAbove, -Double.infinity), (.keepingBelow, .infinity)] {
            var h = plain
            h.trim(trim, at: value)
            #expect(h == plain)
            var c = custom
            c.trim(trim, at: value)
            #expect(c == custom)
        }
        var h = custom
        h.trim(.keepingAbove, at: 0)
        #expect(h == custom)
        h.trim(.keepingAbove, at: .nan)
        #expect(h == custom)
    }

    @Test(
        "trimming custom buckets",
        arguments: [
            TrimCase(
                trim: .keepingBelow, value: 13,
                result: histogram(schema: -53, count: 9.4, sum: 75.1, [1, 6, 2.4], bounds: [5, 10, 15, 20])),
            TrimCase(
                trim: .keepingAbove, value: 13,
                result: histogram(schema: -53, count: 5.6, sum: 94.9, offset: 2, [1.6, 3, 1], bounds: [5, 10, 15, 20])),
            TrimCase(
                trim: .keepingBelow, value: 50,
                result: histogram(schema: -53, count: 14, sum: 150, [1, 6, 4, 3], bounds: [5, 10, 15, 20])),
            TrimCase(
                trim: .keepingBelow, value: 0, result: histogram(schema: -53, bounds: [5, 10, 15, 20])),
        ])
    func trimmingCustom(test: TrimCase) {
        var h = custom
        h.trim(test.trim, at: test.value)
        #expect(h.isNearlyEqual(to: test.result), "\(h)")
    }

    @Test("custom buckets of infinite width are kept or dropped whole")
    func trimmingInfinite() {
        let h = histogram(schema: -53, count: 101, sum: 33, [1, 100], bounds: [-5])
        func trimmed(_ trim: NativeHistogram.Trim, _ value: Double) -> [Double] {
            var copy = h
            copy.trim(trim, at: value)
            return [copy.count, copy.sum]
        }
        #expect(trimmed(.keepingBelow, -2) == [1, -5])
        #expect(trimmed(.keepingBelow, -10) == [1, -10])
        #expect(trimmed(.keepingAbove, -2) == [100, -200])
        #expect(trimmed(.keepingAbove, 10) == [100, 1000])
        var single = histogram(schema: -53, count: 100, sum: 100, [100])
        single.trim(.keepingAbove, at: 10)
        #expect(single.isNearlyEqual(to: histogram(schema: -53)))
    }
}
