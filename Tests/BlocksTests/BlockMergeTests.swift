import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import Blocks

@Suite("Merging blocks")
struct BlockMergeTests {
    private let disk = SimulatedFileSystem()
    private static let target = BlockIdentifier(high: 9, low: 9)

    private func block(_ number: UInt64, _ range: TimeRange, _ series: [(LabelSet, SampleBuffer)]) throws
        -> BlockReader
    {
        let identifier = BlockIdentifier(high: 1, low: number)
        var writer = try BlockWriter(
            fileSystem: disk, directory: BlockFixture.directory, identifier: identifier, range: range, lsn: number)
        for (labels, samples) in series.sorted(by: { $0.0 < $1.0 }) { try writer.addSeries(labels, samples) }
        _ = try writer.finish()
        return try BlockReader(fileSystem: disk, path: BlockFixture.directory + "/" + identifier.description)
    }

    private func run(_ merge: BlockMerge) throws -> BlockReader? {
        guard
            try merge.run(
                fileSystem: disk, directory: BlockFixture.directory, identifier: BlockMergeTests.target) != nil
        else { return nil }
        let reader = try BlockReader(
            fileSystem: disk, path: BlockFixture.directory + "/" + BlockMergeTests.target.description)
        try reader.verify()
        return reader
    }

    /// Samples with their start timestamps, as dictionaries: what a later source has wins nothing.
    private typealias Model = [LabelSet: [Timestamp: (sample: MixedSample, start: Timestamp)]]

    private func add(_ labels: LabelSet, _ samples: SampleBuffer, to model: inout Model) {
        var known = model[labels] ?? [:]
        for (index, time) in samples.timestamps.enumerated() where known[time] == nil {
            let start = index < samples.startTimestamps.count ? samples.startTimestamps[index] : 0
            known[time] = (MixedSample(time, samples.values[index]), start)
        }
        for (index, time) in samples.histogramTimestamps.enumerated() where known[time] == nil {
            let starts = samples.histogramStartTimestamps
            known[time] = (MixedSample(time, samples.histograms[index]), index < starts.count ? starts[index] : 0)
        }
        model[labels] = known
    }

    private func random(_ range: TimeRange, _ random: inout SeededRandom) -> SampleBuffer {
        var samples = SampleBuffer()
        let hasStarts = random.chance(40)
        var time = range.min + Int64(random.below(20))
        var histogram: NativeHistogram?
        while time < range.max {
            let start: Timestamp = hasStarts ? range.min - Int64(random.below(3)) : 0
            if random.chance(30) {
                let next = Histograms.next(after: histogram, using: &random)
                samples.append(time, next, start: start)
                histogram = next.isStale ? nil : next
            } else {
                samples.append(time, Double(random.below(1000)), start: start)
            }
            time += 1 + Int64(random.below(12))
        }
        return samples
    }

    @Test(
        "of sources that overlap gives what a naive merge gives: the older source wins",
        arguments: 0..<40 as Range<UInt64>)
    func naive(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var sources: [BlockReader] = []
        var model = Model()
        let names = (0..<6).map { LabelSet([Label("__name__", "m\($0)")]) }
        for number in 0..<UInt64(2 + random.below(3)) {
            let start = seed % 4 == 0 ? Int64(number) * 200 : Int64(number) * 60
            let range = TimeRange(min: start, max: start + 200)
            let series = random.some(names, percent: 70).map { ($0, self.random(range, &random)) }
            for (labels, samples) in series { add(labels, samples, to: &model) }
            sources.append(try block(number + 1, range, series))
        }
        let keepFrom: Timestamp? = seed % 3 == 0 ? 150 : nil
        var merge = BlockMerge(sources.reversed())
        merge.keepFrom = { _ in keepFrom }
        let reader = try #require(try run(merge))
        #expect(reader.footer.level == 2)
        #expect(reader.footer.parents == sources.map(\.identifier))
        #expect(reader.footer.lsn == 1)
        var found = Model()
        for series in reader.allPostings() {
            var samples = SampleBuffer()
            try reader.read(series: series, into: &samples)
            add(try reader.labels(of: series), samples, to: &found)
        }
        for (labels, samples) in model {
            let expected = samples.filter { $0.key >= keepFrom ?? .min }
            let got = found.removeValue(forKey: labels) ?? [:]
            #expect(got.mapValues(\.sample) == expected.mapValues(\.sample), "seed \(seed), \(labels)")
            #expect(got.mapValues(\.start) == expected.mapValues(\.start), "seed \(seed), \(labels)")
        }
        #expect(found.isEmpty)
    }

    @Test("leaves out what was deleted, and the series that have nothing left")
    func tombstones() throws {
        let range = TimeRange(min: 0, max: 100)
        let times: [Timestamp] = [10, 20, 30]
        _ = try block(
            1, range,
            [
                (["a": "1"], BlockFixture.samples(times, [1, 2, 3])),
                (["a": "2"], BlockFixture.samples(times, [1, 2, 3])),
            ])
        let path = BlockFixture.directory + "/" + BlockIdentifier(high: 1, low: 1).description
        var tombstones = BlockTombstones()
        tombstones.add(0, TimeRange(min: 15, max: 25))
        tombstones.add(1, .all)
        try tombstones.write(fileSystem: disk, path: path)
        let reader = try #require(try run(BlockMerge([try BlockReader(fileSystem: disk, path: path)])))
        #expect(reader.seriesCount == 1)
        var samples = SampleBuffer()
        try reader.read(series: 0, into: &samples)
        #expect(samples.timestamps == [10, 30])
    }

    @Test("of which nothing is left gives no block, and leaves no file")
    func empty() throws {
        let source = try block(1, TimeRange(min: 0, max: 100), [(["a": "1"], BlockFixture.samples([5], [1]))])
        var merge = BlockMerge([source])
        merge.keepFrom = { _ in 50 }
        #expect(try run(merge) == nil)
        #expect(try disk.list(BlockFixture.directory) == [source.identifier.description])
    }

    @Test("that is cancelled in the middle leaves no file")
    func cancelled() throws {
        let series = (0..<20).map { (LabelSet([Label("a", "\($0)")]), BlockFixture.samples([5], [1])) }
        let source = try block(1, TimeRange(min: 0, max: 100), series)
        var merge = BlockMerge([source])
        var asked = 0
        merge.mayGoOn = {
            asked += 1
            return asked <= 10
        }
        #expect(throws: BlockMerge.Stop.cancelled) { try run(merge) }
        #expect(asked == 11)
        #expect(try disk.list(BlockFixture.directory) == [source.identifier.description])
    }
}
