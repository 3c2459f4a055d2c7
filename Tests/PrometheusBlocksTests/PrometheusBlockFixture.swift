import ChunkEncoding
import FileIO
import SeriesModel
import StorageAPI
import TestSupport

@testable import PrometheusBlocks

/// Blocks of Prometheus' on a simulated disk, and what went into them.
struct PrometheusBlockFixture {
    static let directory = "/prometheus"
    static let identifier = "01HV0000000000000000000001"
    static let range = TimeRange(min: 0, max: 7_200_000)
    static let path = directory + "/" + identifier

    struct Series {
        var labels: LabelSet
        var samples = SampleBuffer()
    }

    /// `count` series in label order: labels of few and of many values, odd bytes among them; floats, histograms, both.
    static func series(_ count: Int, samplesMax: Int = 400, seed: UInt64 = 9) -> [Series] {
        var random = SeededRandom(seed: seed)
        var series: [Series] = []
        for index in 0..<count {
            var labels: [Label] = [
                Label("__name__", "metric_\(index % 7)"), Label("instance", "host-\(index)"),
                Label("job", index % 3 == 0 ? "a\"\\\n" : "\u{E9}\u{1F525}"),
            ]
            if index % 5 == 0 { labels.append(Label("zone", "z\(index % 2)")) }
            if index % 11 == 0 { labels.append(Label("e\u{301}", String(repeating: "long ", count: 400))) }
            var one = Series(labels: LabelSet(labels))
            let limit = index % 4 == 3 ? samplesMax / 10 + 1 : samplesMax
            fill(&one.samples, limit, isHistogram: index % 4 == 3, isMixed: index % 8 == 7, using: &random)
            series.append(one)
        }
        return series.sorted { $0.labels < $1.labels }
    }

    private static func fill(
        _ samples: inout SampleBuffer, _ limit: Int, isHistogram: Bool, isMixed: Bool, using random: inout SeededRandom
    ) {
        var time = Int64(random.below(1000))
        var last: NativeHistogram?
        for _ in 0..<(1 + random.below(limit)) {
            if isHistogram, !isMixed || random.chance(60) {
                let next = Histograms.next(after: last, using: &random)
                last = next.isStale ? nil : next
                samples.append(time, next)
            } else {
                samples.append(time, random.pick([1, 2.5, -0.0, .infinity, .nan, Double(time), StaleMarker.value]))
            }
            time += random.pick([15_000, 15_000, 15_001, 1])
        }
    }

    @discardableResult
    static func write(
        _ series: [Series], to disk: any FileSystem, segmentBytesMax: Int = 512 << 20
    ) throws -> PrometheusMeta {
        var writer = try PrometheusBlockWriter(
            fileSystem: disk, directory: directory, identifier: identifier, range: range,
            segmentBytesMax: segmentBytesMax)
        for one in series { try writer.addSeries(one.labels, chunks: SampleChunks.cut(one.samples)) }
        return try writer.finish()
    }

    static func open(_ disk: any FileSystem) throws -> PrometheusBlock {
        try PrometheusBlock(fileSystem: disk, path: path)
    }

    /// All that queries can see: labels with postings, and samples.
    struct Content: Equatable {
        var postings: [String: [UInt32]] = [:]
        var labels: [LabelSet] = []
        var samples: [[MixedSample]] = []
    }

    static func content(_ block: PrometheusBlock) throws -> Content {
        var content = Content()
        for name in try block.labelNames() {
            for value in try block.labelValues(of: name) {
                content.postings[name + "=" + value] = try block.postings(name: name, value: value)
            }
        }
        for series in try block.allPostings() {
            content.labels.append(try block.labels(of: series))
            var buffer = SampleBuffer()
            try block.read(series: series, into: &buffer)
            content.samples.append(buffer.mixed)
        }
        return content
    }

    /// The same from what was written.
    static func content(_ series: [Series]) -> Content {
        var content = Content()
        for (index, one) in series.enumerated() {
            for label in one.labels {
                content.postings[label.name + "=" + label.value, default: []].append(UInt32(index))
            }
            content.labels.append(one.labels)
            content.samples.append(one.samples.mixed)
        }
        return content
    }
}
