import FileIO
import SeriesModel
import StorageAPI
import TestSupport

@testable import Blocks

/// Blocks on a simulated disk, and what went into them.
struct BlockFixture {
    static let directory = "/data/blocks"
    static let identifier = BlockIdentifier(high: 0x0123_4567_89AB_CDEF, low: 42)
    static let range = TimeRange(min: 0, max: 7_200_000)
    static let path = "/data/blocks/" + identifier.description

    struct Series {
        var labels: LabelSet
        var samples = SampleBuffer()
    }

    static func samples(_ timestamps: [Timestamp], _ values: [Double]) -> SampleBuffer {
        var samples = SampleBuffer()
        samples.timestamps = timestamps
        samples.values = values
        return samples
    }

    /// `count` series in label order with labels of few and of many values, and one to three runs of samples each.
    static func series(_ count: Int, seed: UInt64 = 9) -> [Series] {
        var random = SeededRandom(seed: seed)
        var series: [Series] = []
        for index in 0..<count {
            var labels: [Label] = [
                Label("__name__", "metric_\(index % 7)"), Label("instance", "host-\(index)"),
                Label("job", index % 3 == 0 ? "a" : "\u{E9}"),
            ]
            if index % 5 == 0 { labels.append(Label("zone", "z\(index % 2)")) }
            var one = Series(labels: LabelSet(labels))
            var time = Int64.random(in: 0..<1000, using: &random)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let times = (0..<Int.random(in: 1...40, using: &random)).map { time + Int64($0) * 15_000 }
                let values = times.map { Double($0 % 977) / 8 }
                one.samples.timestamps += times
                one.samples.values += values
                time = (times.last ?? 0) + 20_000
            }
            series.append(one)
        }
        return series.sorted { $0.labels < $1.labels }
    }

    @discardableResult
    static func write(_ series: [Series], to disk: any FileSystem) throws -> BlockFooter {
        var writer = try BlockWriter(
            fileSystem: disk, directory: directory, identifier: identifier, range: range, level: 2,
            parents: [BlockIdentifier(high: 1, low: 2), BlockIdentifier(high: 3, low: 4)], lsn: 77)
        for one in series { try writer.addSeries(one.labels, one.samples) }
        return try writer.finish()
    }

    static func open(_ disk: any FileSystem) throws -> BlockReader {
        try BlockReader(fileSystem: disk, path: path)
    }

    /// Everything that queries do, once.
    static func readAll(_ reader: BlockReader) throws {
        for name in try reader.labelNames() {
            for value in try reader.labelValues(of: name) { _ = try reader.postings(name: name, value: value) }
        }
        var samples = SampleBuffer()
        for series in reader.allPostings().prefix(100) {
            _ = try reader.labels(of: series).description
            try reader.read(series: series, range: .all, into: &samples)
        }
    }
}
