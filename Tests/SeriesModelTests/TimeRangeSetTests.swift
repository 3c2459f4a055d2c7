import SeriesModel
import TestSupport
import Testing

@Suite("A set of time ranges")
struct TimeRangeSetTests {
    @Test("agrees with a set of single milliseconds, whatever is inserted")
    func model() {
        for seed in UInt64(1)...200 {
            var random = SeededRandom(seed: seed)
            var set = TimeRangeSet()
            var model: Set<Timestamp> = []
            for _ in 0..<12 {
                let start = Timestamp.random(in: -30...30, using: &random)
                let range = TimeRange(min: start, max: start + Timestamp.random(in: -1...8, using: &random))
                set.insert(range)
                if range.min <= range.max { model.formUnion(range.min...range.max) }
            }
            for time in Timestamp(-40)...45 { #expect(set.contains(time) == model.contains(time), "seed \(seed)") }
            for (range, next) in zip(set.ranges, set.ranges.dropFirst()) { #expect(range.max + 1 < next.min) }
            for start in stride(from: Timestamp(-40), to: 40, by: 7) {
                let range = TimeRange(min: start, max: start + 5)
                #expect(set.overlaps(range) == (range.min...range.max).contains(where: model.contains))
                #expect(set.covers(range) == (range.min...range.max).allSatisfy(model.contains))
            }
            #expect(TimeRangeSet(set.ranges.shuffled(using: &random)) == set)
        }
    }

    @Test("takes the ends of the scale")
    func ends() {
        var set = TimeRangeSet([TimeRange(min: .max, max: .max), TimeRange(min: .min, max: .min)])
        #expect(set.ranges.count == 2)
        #expect(set.contains(.min) && set.contains(.max) && !set.contains(0))
        set.insert(.all)
        #expect(set.ranges == [.all])
        set.removeAll(endingBefore: .max)
        #expect(set.ranges == [.all])
    }

    @Test("forgets what ends before a time, and nothing else")
    func forgetting() {
        var set = TimeRangeSet([TimeRange(min: 1, max: 2), TimeRange(min: 4, max: 6), TimeRange(min: 9, max: 9)])
        set.removeAll(endingBefore: 6)
        #expect(set.ranges == [TimeRange(min: 4, max: 6), TimeRange(min: 9, max: 9)])
        #expect(set.span == TimeRange(min: 4, max: 9))
    }

    @Test("takes its samples out of a buffer, of both kinds, and leaves what was there before")
    func buffer() {
        var buffer = SampleBuffer()
        buffer.append(5, 1)
        buffer.append(6, NativeHistogram(sum: 1))
        let mark = BufferMark(buffer)
        for time in Timestamp(5)...9 { buffer.append(time, Double(time), start: time == 8 ? 3 : 0) }
        for time in Timestamp(11)...14 { buffer.append(time, NativeHistogram(sum: Double(time)), start: 2) }
        buffer.removeAll(in: TimeRangeSet([TimeRange(min: 5, max: 6), TimeRange(min: 9, max: 12)]), since: mark)
        #expect(buffer.timestamps == [5, 7, 8])
        #expect(buffer.values == [1, 7, 8])
        #expect(buffer.startTimestamps == [0, 0, 3])
        #expect(buffer.histogramTimestamps == [6, 13, 14])
        #expect(buffer.histograms.map(\.sum) == [1, 13, 14])
        #expect(buffer.histogramStartTimestamps == [0, 2, 2])
    }
}
