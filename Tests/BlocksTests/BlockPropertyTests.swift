import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import Blocks

@Suite("A block of random series")
struct BlockPropertyTests {
    private let disk = SimulatedFileSystem()
    private static let range = TimeRange(min: 1_700_000_000_000, max: 1_700_086_400_000)
    private static let odd: [Double] = [
        -0.0, .infinity, -.infinity, StaleMarker.value, Double(bitPattern: 0xFFF8_DEAD_BEEF_0001), 0x1p-1074,
    ]

    private func times(_ random: inout SeededRandom, shared: [Timestamp]) -> [Timestamp] {
        let (start, end) = (BlockPropertyTests.range.min, BlockPropertyTests.range.max)
        var time = start + Int64(random.below(20_000))
        var times: [Timestamp] = []
        let kind = random.below(5)
        if kind == 4 { return shared }
        let limit = 1 + random.below(2500)
        while times.count < limit, time < end {
            times.append(time)
            switch kind {
            case 0: time += 15_000
            case 1: time += 15_000 + Int64(random.below(7)) - 3
            case 2: time += 1 + Int64(random.below(200_000))
            default: time += times.count % 1500 == 0 ? 3_600_000 : 1
            }
            if random.below(500) == 0 { time += 600_000 }
        }
        return times
    }

    private func series(_ random: inout SeededRandom, shared: [Timestamp]) -> SampleBuffer {
        var samples = SampleBuffer()
        let kind = random.below(6)
        let hasStarts = random.chance(25)
        var value = Double(random.below(1000))
        var start: Timestamp = 0
        var histogram: NativeHistogram?
        let times = times(&random, shared: shared)
        for (index, time) in (kind == 5 ? Array(times.prefix(300)) : times).enumerated() {
            if hasStarts, random.below(100) == 0 { start = random.chance(30) ? 0 : time - Int64(random.below(9999)) }
            if kind == 5, index % 40 > 3 {
                let next = Histograms.next(after: histogram, using: &random)
                samples.append(time, next, start: start)
                histogram = next.isStale ? nil : next
                continue
            }
            switch kind {
            case 0: value += Double(random.below(30))
            case 1: value = random.below(50) == 0 ? 0 : value + 1
            case 2: value = Double(bitPattern: random.next())
            case 3: value = random.below(20) == 0 ? random.pick(BlockPropertyTests.odd) : 12.5
            default: value = (Double(random.below(10_000)) / 100)
            }
            samples.append(time, value, start: start)
        }
        return samples
    }

    private func starts(_ column: [Timestamp], _ count: Int) -> [Timestamp] {
        column + [Timestamp](repeating: 0, count: count - column.count)
    }

    @Test("gives back all of it, and of any range what lies in it", arguments: 0..<6 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let shared = (0..<1300).map { BlockPropertyTests.range.min + 500 + $0 * 60_000 + Int64(random.below(3)) }
        let input = (0..<24).map { (LabelSet([Label("n", "\(100 + $0)")]), series(&random, shared: shared)) }
        var writer = try BlockWriter(
            fileSystem: disk, directory: BlockFixture.directory, identifier: BlockFixture.identifier,
            range: BlockPropertyTests.range, lsn: 1)
        for (labels, samples) in input { try writer.addSeries(labels, samples) }
        _ = try writer.finish()
        let reader = try BlockFixture.open(disk)
        try reader.verify()
        for (number, (labels, samples)) in input.enumerated() {
            #expect(try reader.labels(of: UInt32(number)) == labels)
            for round in 0..<6 {
                let edges = (samples.timestamps + samples.histogramTimestamps).sorted()
                let (one, other) = (random.pick(edges) + Int64(random.below(3)) - 1, random.pick(edges))
                let range = round == 0 ? TimeRange.all : TimeRange(min: min(one, other), max: max(one, other))
                var found = SampleBuffer()
                try reader.read(series: UInt32(number), range: range, into: &found)
                let wanted = samples.timestamps.indices.filter { range.contains(samples.timestamps[$0]) }
                #expect(found.timestamps == wanted.map { samples.timestamps[$0] })
                #expect(found.values.map(\.bitPattern) == wanted.map { samples.values[$0].bitPattern })
                let all = starts(samples.startTimestamps, samples.count)
                #expect(starts(found.startTimestamps, found.count) == wanted.map { all[$0] })
                let rows = samples.histogramTimestamps.indices.filter {
                    range.contains(samples.histogramTimestamps[$0])
                }
                let histogramStarts = starts(samples.histogramStartTimestamps, samples.histograms.count)
                #expect(
                    starts(found.histogramStartTimestamps, found.histograms.count) == rows.map { histogramStarts[$0] })
                #expect(found.mixed == samples.mixed.filter { range.contains($0.timestamp) }, "seed \(seed)")
            }
        }
    }

    @Test("and thousands of them, is read as it was written")
    func many() throws {
        let series = BlockFixture.series(5000)
        try BlockFixture.write(series, to: disk)
        let reader = try BlockFixture.open(disk)
        try reader.verify()
        for (number, one) in series.enumerated() {
            var found = SampleBuffer()
            try reader.read(series: UInt32(number), into: &found)
            #expect(found.timestamps == one.samples.timestamps && found.values == one.samples.values)
        }
    }

    @Test("appends start timestamps of histograms behind those that the buffer has")
    func histogramStarts() throws {
        var samples = SampleBuffer()
        for time in Int64(1)...4 { samples.append(time * 10, Histograms.simple(Int(time)), start: time) }
        try BlockFixture.write([.init(labels: ["a": "b"], samples: samples)], to: disk)
        let reader = try BlockFixture.open(disk)
        var found = SampleBuffer()
        try reader.read(series: 0, range: TimeRange(min: 0, max: 20), into: &found)
        try reader.read(series: 0, range: TimeRange(min: 21, max: 39), into: &found)
        #expect(found.histogramTimestamps == [10, 20, 30])
        #expect(found.histogramStartTimestamps == [1, 2, 3])
    }

    @Test("may span all times there are")
    func allTimes() throws {
        var writer = try BlockWriter(
            fileSystem: disk, directory: BlockFixture.directory, identifier: BlockFixture.identifier,
            range: TimeRange(min: .min, max: .max), lsn: 1)
        let columns: [[Timestamp]] = [[.min, -1, .max - 1], [.max - 1], [.min], [.min, 5, 7, .max - 9]]
        for (number, times) in columns.enumerated() {
            try writer.addSeries(["n": "\(number)"], BlockFixture.samples(times, times.map { Double($0) }))
        }
        var histograms = SampleBuffer()
        histograms.append(.max - 1, Histograms.simple(1))
        try writer.addSeries(["n": "9"], histograms)
        _ = try writer.finish()
        let reader = try BlockFixture.open(disk)
        try reader.verify()
        for (number, times) in columns.enumerated() {
            var found = SampleBuffer()
            try reader.read(series: UInt32(number), into: &found)
            #expect(found.timestamps == times)
        }
    }
}

@Suite("The buckets of a histogram in a block")
struct BlockBucketTests {
    @Test("are differences to their neighbours, and can be read alone, too")
    func buckets() throws {
        let disk = SimulatedFileSystem()
        var random = SeededRandom(seed: 17)
        let bounds = ["+Inf", "0.1", "0.25", "0.5", "1", "10", "2.5", "5"]
        let times = (0..<400).map { Timestamp($0) * 15_000 + 3 }
        var values = [String: [Double]]()
        var sums = [Double](repeating: 0, count: bounds.count)
        let order = bounds.sorted { (Double($0) ?? 0) < (Double($1) ?? 0) }
        for _ in times {
            for _ in 0..<random.below(40) {
                for bucket in min(random.below(8), random.below(8))..<8 { sums[bucket] += 1 }
            }
            for (bucket, bound) in order.enumerated() { values[bound, default: []].append(sums[bucket]) }
        }
        let series = bounds.map { bound in
            BlockFixture.Series(
                labels: ["__name__": "x_bucket", "le": bound],
                samples: BlockFixture.samples(times, values[bound] ?? []))
        }.sorted { $0.labels < $1.labels }
        try BlockFixture.write(series, to: disk)
        for (number, one) in series.enumerated() {
            let reader = try BlockFixture.open(disk)
            var found = SampleBuffer()
            try reader.read(series: UInt32(number), into: &found)
            #expect(found.values == one.samples.values)
            found.removeAll()
            try reader.read(series: UInt32(number), range: TimeRange(min: times[100], max: times[200]), into: &found)
            #expect(found.values == Array(one.samples.values[100...200]))
        }
        let reader = try BlockFixture.open(disk)
        let based = try (0..<UInt32(series.count)).filter {
            let (block, place) = try reader.index.seriesBlock($0)
            return block[place].flags.contains(.base)
        }
        #expect(based.count >= 3)
        try reader.verify()
    }
}
