import ChunkEncoding
import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import PrometheusBlocks

@Suite("A block of Prometheus' that we wrote")
struct PrometheusBlockRoundTripTests {
    private let disk = SimulatedFileSystem()

    @Test("gives back all series with their samples to the last bit", arguments: Seeds.fixed(4))
    func roundTrip(seed: UInt64) throws {
        let series = PrometheusBlockFixture.series(90, seed: seed)
        let meta = try PrometheusBlockFixture.write(series, to: disk)
        let block = try PrometheusBlockFixture.open(disk)
        #expect(try PrometheusBlockFixture.content(block) == PrometheusBlockFixture.content(series), "seed \(seed)")
        #expect(block.meta == meta)
        #expect(meta.stats?.numSeries == 90)
        let count = series.reduce(0) { $0 + $1.samples.mixed.count }
        #expect(meta.stats?.numSamples == UInt64(count))
    }

    @Test("spreads its chunks over several files when one would become too large")
    func segments() throws {
        let series = PrometheusBlockFixture.series(40)
        try PrometheusBlockFixture.write(series, to: disk, segmentBytesMax: 4096)
        #expect(try disk.list(PrometheusBlockFixture.path + "/chunks").count > 3)
        let block = try PrometheusBlockFixture.open(disk)
        #expect(try PrometheusBlockFixture.content(block) == PrometheusBlockFixture.content(series))
    }

    @Test("finds few of very many series by their labels")
    func manySeries() throws {
        let labels = (0..<3000).map {
            LabelSet([Label("__name__", "m"), Label("i", "\($0)"), Label("k", "\($0 % 500)")])
        }
        var samples = SampleBuffer()
        samples.append(1000, 1)
        let series = labels.sorted().map { PrometheusBlockFixture.Series(labels: $0, samples: samples) }
        try PrometheusBlockFixture.write(series, to: disk)
        let block = try PrometheusBlockFixture.open(disk)
        for key in ["0", "17", "499"] {
            let expected = series.indices.filter { series[$0].labels["k"] == key }.map { UInt32($0) }
            #expect(try block.postings(name: "k", value: key) == expected)
        }
        #expect(try block.postings(name: "k", value: "500").isEmpty)
        #expect(try block.postings(name: "k", value: "").isEmpty)
        #expect(try block.postings(name: "absent", value: "0").isEmpty)
        #expect(try block.postings(name: "", value: "").isEmpty)
        #expect(try block.labelValues(of: "i").count == 3000)
        #expect(try block.labelValues(of: "absent").isEmpty)
        #expect(try block.postings(name: "__name__", value: "m").count == 3000)
    }

    @Test("reads what lies within a range, and nothing else")
    func ranges() throws {
        let series = PrometheusBlockFixture.series(12)
        try PrometheusBlockFixture.write(series, to: disk)
        let block = try PrometheusBlockFixture.open(disk)
        for range in [TimeRange(min: 30_000, max: 90_000), TimeRange(min: 5_000_000, max: 9_000_000)] {
            for (index, one) in series.enumerated() {
                var buffer = SampleBuffer()
                try block.read(series: UInt32(index), range: range, into: &buffer)
                #expect(buffer.mixed == one.samples.mixed.filter { range.contains($0.timestamp) })
            }
        }
    }

    @Test("of no series at all can be opened")
    func empty() throws {
        let meta = try PrometheusBlockFixture.write([], to: disk)
        let block = try PrometheusBlockFixture.open(disk)
        #expect(meta.stats?.numSeries == 0)
        #expect(try block.allPostings().isEmpty)
        #expect(try block.labelNames().isEmpty)
    }

    @Test("does not exist before it is whole, and leaves nothing when it is abandoned")
    func atomicity() throws {
        var writer = try PrometheusBlockWriter(
            fileSystem: disk, directory: PrometheusBlockFixture.directory,
            identifier: PrometheusBlockFixture.identifier, range: PrometheusBlockFixture.range)
        var samples = SampleBuffer()
        samples.append(1, 2)
        try writer.addSeries(["a": "b"], chunks: SampleChunks.cut(samples))
        #expect(!disk.exists(PrometheusBlockFixture.path))
        try writer.abandon()
        #expect(try disk.list(PrometheusBlockFixture.directory).isEmpty)
    }

    @Test("takes series only in order, and chunks only in their range and encodings that Prometheus 2 reads")
    func refusals() throws {
        var writer = try PrometheusBlockWriter(
            fileSystem: disk, directory: PrometheusBlockFixture.directory,
            identifier: PrometheusBlockFixture.identifier, range: PrometheusBlockFixture.range)
        func chunk(_ times: [Timestamp]) -> PrometheusChunk {
            PrometheusChunk(
                encoding: .plain(.xor), range: TimeRange(min: times[0], max: times[times.count - 1]),
                bytes: XORAppender.encode(timestamps: times[...], values: times.map { Double($0) }[...]))
        }
        try writer.addSeries(["b": "c"], chunks: [chunk([1, 2])])
        var withStarts = chunk([1])
        withStarts.encoding = .withStarts(.xor)
        for (labels, chunks) in [
            (["a": "c"], [chunk([1])]), (["b": "c"], [chunk([1])]), ([:], [chunk([1])]),
            (["c": "c"], [chunk([7_200_000])]), (["c": "c"], [chunk([-1])]),
            (["c": "c"], [chunk([1, 5]), chunk([5])]),
            (["c": "c"], [withStarts]),
        ] as [(LabelSet, [PrometheusChunk])] {
            #expect(throws: StorageError.self) { try writer.addSeries(labels, chunks: chunks) }
        }
        try writer.addSeries(["c": "c"], chunks: [chunk([1, 5]), chunk([6, 7_199_999])])
        let meta = try writer.finish()
        #expect(meta.stats?.numSeries == 2)
        #expect(meta.stats?.numSamples == 6)
    }

    @Test("is the same to the last byte whenever it is written")
    func golden() throws {
        var samples = SampleBuffer()
        samples.append(1000, 1)
        samples.append(2000, 2)
        let series = [PrometheusBlockFixture.Series(labels: ["__name__": "up"], samples: samples)]
        try PrometheusBlockFixture.write(series, to: disk)
        let golden = [
            ("chunks/000001", "85bd40dd0100000011010002d00f3ff0000000000000e807c25fff79fe1ac9"),
            ("tombstones", "0130ba300100000000"),
            (
                "index",
                "baaad70002"
                    // Symbols: `__name__`, `up`.
                    + "000000100000000208" + "5f5f6e616d655f5f" + "027570" + "107d8b61" + "000000"
                    // The series: one label, one chunk from 1000 to 2000 at byte 8.
                    + "09" + "010001" + "01d00fe80708" + "949e5ff6" + "0000"
                    // Label index, postings of all series and of the pair.
                    + "0000000c" + "000000010000000100000001" + "15248fba"
                    + "00000008" + "0000000100000002" + "5502add1" + "00000008" + "0000000100000002" + "5502add1"
                    // Label offset table, postings offset table, contents.
                    + "0000000f" + "0000000101" + "085f5f6e616d655f5f" + "30" + "51fd8ca7"
                    + "00000016" + "00000002" + "02000044" + "02085f5f6e616d655f5f02757054" + "da8a210e"
                    + "0000000000000005" + "000000000000001d" + "0000000000000030" + "0000000000000064"
                    + "0000000000000044" + "000000000000007b" + "e37fe988"
            ),
        ]
        for (file, expected) in golden {
            let bytes = try #require(disk.bytes(PrometheusBlockFixture.path + "/" + file))
            #expect(Hex.text(bytes) == expected, "\(file)")
        }
    }
}
