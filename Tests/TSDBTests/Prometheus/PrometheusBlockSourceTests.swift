import Blocks
import FileIO
import PrometheusBlocks
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("A block of Prometheus' as a source")
struct PrometheusBlockSourceTests {
    private let disk = SimulatedFileSystem()
    private static let name = "01HV0000000000000000000001"
    private static let range = TimeRange(min: 1_000_000, max: 8_200_000)

    private struct Row {
        var labels: LabelSet
        var samples = SampleBuffer()
    }

    /// Random series of floats, of histograms, and of both, in label order.
    private static func rows(_ count: Int, _ random: inout SeededRandom) -> [Row] {
        var rows: [Row] = []
        for index in 0..<count {
            var labels = [Label("__name__", "m\(index % 4)"), Label("i", "\(index)")]
            if random.chance(40) { labels.append(Label("odd", random.pick(["\u{E9}", "e\u{301}", " "]))) }
            var row = Row(labels: LabelSet(labels))
            var last: NativeHistogram?
            var time = range.min + Timestamp(random.below(50_000))
            for _ in 0..<random.below(400) + 1 where time < range.max {
                if index % 3 == 2, random.chance(70) {
                    let next = Histograms.next(after: last, using: &random)
                    last = next.isStale ? nil : next
                    row.samples.append(time, next)
                } else {
                    row.samples.append(time, random.pick([1, -0.0, .infinity, .nan, StaleMarker.value, Double(time)]))
                }
                time += random.pick([15_000, 15_000, 14_999, 60_000])
            }
            rows.append(row)
        }
        return rows.sorted { $0.labels < $1.labels }
    }

    private func source(_ rows: [Row]) throws -> PrometheusBlockSource {
        var writer = try PrometheusBlockWriter(
            fileSystem: disk, directory: "/data", identifier: Self.name, range: Self.range)
        for row in rows { try writer.addSeries(row.labels, chunks: SampleChunks.cut(row.samples)) }
        _ = try writer.finish()
        return try PrometheusBlockSource(fileSystem: disk, path: "/data/" + Self.name)
    }

    @Test("answers as a plain list of its series does", arguments: Seeds.fixed(4))
    func model(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let rows = Self.rows(40, &random)
        let source = try source(rows)
        #expect(source.identifier.description == Self.name)
        #expect(source.range == Self.range && source.level == 1 && source.lsn == 0)
        #expect(source.seriesCount == rows.count)
        #expect(source.sampleCount == rows.reduce(0) { $0 + $1.samples.mixed.count })
        #expect(try source.allPostings() == rows.indices.map { UInt32($0) })
        let all = rows.flatMap { Array($0.labels) }
        let names = Set(all.map { LabelText($0.name) }).map(\.text).sorted { $0.precedesByBytes($1) }
        #expect(try source.labelNames() == names)
        for name in names {
            let values = Set(all.filter { $0.name.hasSameBytes(as: name) }.map { LabelText($0.value) })
            let found = try source.labelValues(of: name)
            let expected = values.map(\.text).sorted { $0.precedesByBytes($1) }
            #expect(found.map(LabelText.init) == expected.map(LabelText.init))
            for value in found {
                let expected = rows.indices.filter { rows[$0].labels[name]?.hasSameBytes(as: value) ?? false }
                #expect(try source.postings(name: name, value: value) == expected.map { UInt32($0) })
            }
        }
        #expect(try source.labelValues(of: "none").isEmpty)
        let numbers = try source.allPostings()
        #expect(try numbers.map { try source.labels(of: $0) } == rows.map(\.labels))
        for _ in 0..<2 {
            #expect(try source.fingerprints(of: numbers) == rows.map { SeriesFingerprint($0.labels) })
        }
        for (number, row) in zip(numbers, rows) {
            let low = Self.range.min + Timestamp(random.below(7_000_000))
            for range in [.all, TimeRange(min: low, max: low + Timestamp(random.below(500_000)))] as [TimeRange] {
                var buffer = SampleBuffer()
                try source.read(series: number, range: range, into: &buffer)
                #expect(buffer.mixed == row.samples.mixed.filter { range.contains($0.timestamp) }, "seed \(seed)")
            }
        }
        try source.block.verify()
    }

    @Test("appends nothing where a later chunk of the series is damaged, and is not sound then")
    func damaged() throws {
        var random = SeededRandom(seed: 3)
        var rows = Self.rows(1, &random)
        rows[0].samples = SampleBuffer()
        for index in 0..<300 { rows[0].samples.append(Self.range.min + Timestamp(index) * 15_000, Double(index)) }
        _ = try source(rows)
        let file = "/data/\(Self.name)/chunks/000001"
        var bytes = try #require(disk.bytes(file))
        bytes[bytes.count - 8] ^= 1
        disk.put(file, bytes)
        let source = try PrometheusBlockSource(fileSystem: disk, path: "/data/" + Self.name)
        var buffer = SampleBuffer()
        buffer.append(1, 1)
        #expect(throws: StorageError.self) { try source.read(series: 0, range: .all, into: &buffer) }
        #expect(buffer.count == 1)
        #expect(throws: StorageError.self) { try source.block.verify() }
    }

    @Test("is refused under another name than its own")
    func name() throws {
        var random = SeededRandom(seed: 5)
        _ = try source(Self.rows(1, &random))
        let other = "/data/01HV0000000000000000000002"
        try disk.rename("/data/" + Self.name, to: other)
        #expect(throws: StorageError.self) { try PrometheusBlockSource(fileSystem: disk, path: other) }
    }
}
