import SeriesModel
import Testing

@Suite("Times")
struct TimestampTests {
    @Test("arithmetic on times is pinned to the ends")
    func clamped() {
        #expect(Int64.max.addingClamped(1) == .max)
        #expect(Int64.min.addingClamped(-1) == .min)
        #expect(Int64.min.subtractingClamped(1) == .min)
        #expect((0 as Int64).subtractingClamped(.min) == .max)
        #expect((5 as Int64).addingClamped(-7) == -2)
    }

    @Test("doubles become integers without a trap")
    func fromDouble() {
        #expect(Int64(clamping: .nan) == nil)
        #expect(Int64(clamping: 1e300) == .max)
        #expect(Int64(clamping: -.infinity) == .min)
        #expect(Int64(clamping: -1.9) == -1)
        #expect(Int64(clamping: 9_223_372_036_854_774_784) == 9_223_372_036_854_774_784)
    }
}
