import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import PrometheusBlocks

@Suite("Tombstones of Prometheus' blocks")
struct TombstoneTests {
    private let disk = SimulatedFileSystem()

    @Test("hide what was deleted of a series, and of no other")
    func hide() throws {
        let series = PrometheusBlockFixture.series(10)
        try PrometheusBlockFixture.write(series, to: disk)
        let references = try PrometheusBlockFixture.references(disk)
        let ranges = [
            TimeRange(min: 60_000, max: 90_000), TimeRange(min: 80_000, max: 100_000), TimeRange(min: 9, max: 1),
            TimeRange(min: .min, max: 20_000),
        ]
        disk.put(
            PrometheusBlockFixture.path + "/tombstones",
            Tombstones.encode(ranges.map { (series: UInt64(references[4]), range: $0) }))
        let block = try PrometheusBlockFixture.open(disk)
        #expect(
            try block.tombstones(of: 4) == [TimeRange(min: .min, max: 20_000), TimeRange(min: 60_000, max: 100_000)])
        #expect(try block.tombstones(of: 5).isEmpty)
        for (index, one) in series.enumerated() {
            var buffer = SampleBuffer()
            try block.read(series: UInt32(index), into: &buffer)
            let expected = one.samples.mixed.filter { sample in
                index != 4 || !ranges.contains { $0.contains(sample.timestamp) }
            }
            #expect(buffer.mixed == expected)
        }
    }

    @Test("leave nothing where they cover all of time")
    func all() {
        #expect(TimeRange.all.without([.all]).isEmpty)
        #expect(
            TimeRange(min: 1, max: 5).without([TimeRange(min: 3, max: 3)]) == [
                TimeRange(min: 1, max: 2), TimeRange(min: 4, max: 5),
            ])
        #expect(TimeRange.all.without([TimeRange(min: .min, max: 0)]) == [TimeRange(min: 1, max: .max)])
    }
}
