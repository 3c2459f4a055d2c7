import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import HeadMemory

@Suite("Zeros where counters began")
struct StartTests {
    private let labels = HeadFixture.labels(1)
    private let now: Timestamp = 1_700_000_000_000

    /// Appends samples in a batch each: time and start relative to `now`, ms.
    private func floats(
        _ rows: [(time: Int64, value: Double, start: Int64)], window: Int64 = 0
    ) throws -> (times: [Int64], values: [Double]) {
        let fixture = try HeadFixture()
        fixture.head.outOfOrderWindow = window
        for row in rows {
            var batch = SampleBatch()
            batch.append(labels, now + row.time, row.value)
            batch.append(startOfLast: now + row.start)
            let result = try fixture.append(batch)
            #expect(result.rejected.isEmpty)
        }
        let samples = try fixture.contents()[labels] ?? []
        return (samples.map { $0.timestamp - now }, samples.map { Double(bitPattern: $0.bits) })
    }

    @Test("A new series begins with a zero at its start")
    func newSeries() throws {
        let (times, values) = try floats([(1000, 5, 400), (2000, 7, 400)])
        #expect(times == [400, 1000, 2000])
        #expect(values == [0, 5, 7])
    }

    @Test("A start since the last sample is a reset; one before it is known")
    func reset() throws {
        let (times, values) = try floats([(1000, 5, 400), (2000, 1, 1500), (3000, 2, 1500)])
        #expect(times == [400, 1000, 1500, 2000, 3000])
        #expect(values == [0, 5, 0, 1, 2])
    }

    @Test("A start at the sample's time or behind it says nothing")
    func late() throws {
        #expect(try floats([(1000, 5, 1000), (2000, 6, 9000)]).times == [1000, 2000])
    }

    @Test("A start is never taken out of order, whatever the window takes")
    func outOfOrder() throws {
        #expect(try floats([(1000, 5, 0), (2000, 6, 500)], window: 3_600_000).times == [0, 1000, 2000])
    }

    @Test("A start before the head's bounds is left out")
    func tooEarly() throws {
        #expect(try floats([(1000, 5, 0), (2000, 5, -999_999_999_999)]).times == [0, 1000, 2000])
    }

    @Test("A start more than half a block before the sample is left out, also in an empty head")
    func longAgo() throws {
        let half = HeadFixture.blockRange / 2
        #expect(try floats([(0, 5, -half)]).times == [-half, 0])
        #expect(try floats([(0, 5, -half - 1)]).times == [0])
    }

    @Test("A histogram begins with an empty one of its layout, so that it counts anew")
    func histograms() throws {
        let fixture = try HeadFixture()
        var batch = SampleBatch()
        batch.append(labels, now + 1000, Histograms.simple(3))
        batch.append(startOfLast: now)
        #expect(try fixture.append(batch).rejected.isEmpty)
        let samples = try #require(try fixture.contents()[labels])
        #expect(samples.map(\.timestamp) == [now, now + 1000])
        let zero = try #require(samples.first?.histogram)
        #expect(zero.count == 0 && zero.schema == Histograms.simple(3).schema)
    }

    @Test("A sample that is refused leaves no zero, and no series")
    func refused() throws {
        let fixture = try HeadFixture()
        var batch = SampleBatch()
        batch.append(labels, now + 3_600_000, 5)
        batch.append(startOfLast: now)
        #expect(try fixture.append(batch, now: now).rejected.count == 1)
        #expect(try fixture.contents().isEmpty)
        #expect(fixture.head.seriesCount == 0)
    }
}
