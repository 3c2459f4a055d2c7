import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import PrometheusBlocks

@Suite("The log of a Prometheus")
struct PrometheusLogTests {
    private let disk = SimulatedFileSystem()
    private let up: LabelSet = ["__name__": "up", "job": "a"]
    private let down: LabelSet = ["__name__": "down"]

    private func put(_ path: String, _ records: [[UInt8]], _ compression: LogFixture.Compression = .none) throws {
        let path = "/prometheus/" + path
        try disk.createDirectory(FilePath.directory(of: path))
        disk.put(path, LogFixture.segment(records, compression))
    }

    private func open(start: Timestamp = .min) throws -> PrometheusLog {
        try PrometheusLog(fileSystem: disk, directory: "/prometheus", start: start)
    }

    private func samples(_ log: PrometheusLog, _ labels: LabelSet, _ range: TimeRange = .all) throws -> [MixedSample] {
        var buffer = SampleBuffer()
        for series in log.series where series.labels == labels { try series.read(range: range, into: &buffer) }
        return buffer.mixed
    }

    @Test("gives the samples of its segments by series", arguments: LogFixture.Compression.allCases)
    func segments(compression: LogFixture.Compression) throws {
        try put(
            "wal/00000000", [LogFixture.series([(1, up), (7, down)]), LogFixture.samples([(7, 10, 1), (1, 10, 2)])],
            compression)
        try put("wal/00000001", [LogFixture.samples([(1, 20, 3)]), LogFixture.samples([])], compression)
        let log = try open()
        #expect(log.series.map(\.labels) == [down, up])
        #expect(try samples(log, up) == [MixedSample(10, 2), MixedSample(20, 3)])
        #expect(try samples(log, down) == [MixedSample(10, 1)])
        #expect(try samples(log, up, TimeRange(min: 11, max: 99)) == [MixedSample(20, 3)])
        #expect(log.range == TimeRange(min: 10, max: 20))
        #expect(log.report.damages.isEmpty)
        #expect(log.report.sampleCount == 3)
    }

    @Test("is read from the newest checkpoint on, and from where the blocks end")
    func checkpoint() throws {
        try put("wal/00000003", [LogFixture.samples([(1, 15, 99)])])
        try put("wal/checkpoint.00000002/00000000", [LogFixture.series([(1, down)]), LogFixture.samples([(1, 5, 1)])])
        try put("wal/checkpoint.00000003/00000000", [LogFixture.series([(1, up)])])
        try put("wal/checkpoint.00000003/00000001", [LogFixture.samples([(1, 10, 1), (1, 20, 2)])])
        try put("wal/checkpoint.00000009.tmp/00000000", [LogFixture.series([(1, down)])])
        try put("wal/00000004", [LogFixture.samples([(1, 30, 3)])])
        #expect(try samples(open(), up) == [MixedSample(10, 1), MixedSample(20, 2), MixedSample(30, 3)])
        #expect(try samples(open(start: 20), up) == [MixedSample(20, 2), MixedSample(30, 3)])
        #expect(try open(start: 31).series.isEmpty)
    }

    @Test("does not go back: what Prometheus logged and then refused is left out")
    func refusedSamples() throws {
        try put(
            "wal/00000000",
            [
                LogFixture.series([(1, up), (2, up)]), LogFixture.samples([(1, 10, 1), (1, 10, 2), (2, 20, 3)]),
                LogFixture.samples([(1, 15, 4)]),
                LogFixture.histograms(7, [(1, 12, Histograms.simple(2)), (1, 25, Histograms.simple(3))]),
            ])
        #expect(
            try samples(open(), up) == [MixedSample(10, 1), MixedSample(20, 3), MixedSample(25, Histograms.simple(3))])
    }

    @Test("takes late samples from their own log, and those that blocks may hold from there as well")
    func lateSamples() throws {
        try put("wal/00000000", [LogFixture.series([(1, up)]), LogFixture.samples([(1, 100, 1), (1, 200, 2)])])
        try put("wbl/00000000", [[], LogFixture.samples([(1, 50, 3), (1, 150, 4), (1, 200, 9)]), [5]])
        try put("wbl/00000001", [LogFixture.samples([(1, 20, 5), (1, 150, 8)])])
        let expected = [
            MixedSample(20, 5), MixedSample(50, 3), MixedSample(100, 1), MixedSample(150, 4), MixedSample(200, 2),
        ]
        #expect(try samples(open(), up) == expected)
        #expect(try samples(open(start: 120), up) == expected.filter { $0.timestamp != 100 })
        #expect(try open().range == TimeRange(min: 20, max: 200))
    }

    @Test("keeps back what was deleted")
    func tombstones() throws {
        try put(
            "wal/00000000",
            [
                LogFixture.series([(1, up), (2, down)]), LogFixture.samples([(1, 10, 1), (2, 10, 1), (1, 20, 2)]),
                LogFixture.tombstone(1, TimeRange(min: 5, max: 10)), LogFixture.samples([(1, 30, 3)]),
            ])
        #expect(try samples(open(), up) == [MixedSample(20, 2), MixedSample(30, 3)])
        #expect(try samples(open(), down) == [MixedSample(10, 1)])
    }

    @Test("gives native histograms of all record types", arguments: [7, 8, 9, 10, 12, 13] as [UInt8])
    func histograms(type: UInt8) throws {
        var random = SeededRandom(seed: UInt64(type))
        var expected: [MixedSample] = []
        var rows: [(reference: UInt64, timestamp: Timestamp, histogram: NativeHistogram)] = []
        var last: NativeHistogram?
        for index in 0..<60 {
            let next = Histograms.next(after: last, using: &random)
            last = next.isStale ? nil : next
            let isWhole = [7, 9, 12].contains(type)
            if isWhole, !next.isStale, next.positiveBuckets.contains(where: { $0 != $0.rounded() }) { continue }
            rows.append((1, Timestamp(index * 10), next))
            expected.append(MixedSample(Timestamp(index * 10), next))
        }
        try put("wal/00000000", [LogFixture.series([(1, up)]), LogFixture.histograms(type, rows)], .snappy)
        let log = try open()
        #expect(try samples(log, up) == expected)
        #expect(log.report.damages.isEmpty && log.report.invalidCount == 0)
    }

    @Test("gives floats of records with start timestamps")
    func starts() throws {
        try put(
            "wal/00000000",
            [
                LogFixture.series([(1, up), (2, down)]),
                LogFixture.samplesWithStarts([
                    (2, 10, 5, 1), (1, 10, 5, 2), (1, 20, 7, 3), (2, 30, 0, 4), (1, 40, 7, 5),
                ]),
            ])
        #expect(try samples(open(), up) == [MixedSample(10, 2), MixedSample(20, 3), MixedSample(40, 5)])
        #expect(try samples(open(), down) == [MixedSample(10, 1), MixedSample(30, 4)])
    }

    @Test("passes over exemplars, metadata and markers; counts what it does not know, and samples without a series")
    func otherRecords() throws {
        try put(
            "wal/00000000",
            [
                [4, 1, 2, 3], [5], [6, 0], [14] + [UInt8](repeating: 0, count: 8), [99, 1],
                LogFixture.samples([(3, 1, 1), (4, 1, 1)]), LogFixture.series([(1, up)]),
                LogFixture.samples([(1, 1, 1)]),
            ])
        let log = try open()
        #expect(log.report.unknownRecordCount == 1)
        #expect(log.report.orphanCount == 2)
        #expect(log.report.sampleCount == 1)
        #expect(log.series.count == 1)
    }

    @Test("compresses long series as they come, and gives them back to the last bit")
    func longSeries() throws {
        let values: [Double] = (0..<1000).map { $0 % 50 == 0 ? .nan : Double($0 * $0) / 7 }
        var records = [LogFixture.series([(1, up)])]
        // Long enough for records over several pages.
        for start in stride(from: 0, to: 1000, by: 10) {
            records.append(
                LogFixture.samples(
                    (start..<start + 10).map { (1, Timestamp($0) * 15_000, values[$0]) }
                        + (0..<700).map { (9, Timestamp($0), 0) }))
        }
        try put("wal/00000000", records)
        let log = try open()
        #expect(try samples(log, up) == values.enumerated().map { MixedSample(Timestamp($0) * 15_000, $1) })
        #expect(log.report.orphanCount == 70_000)
    }

    @Test("is refused when it is compressed with zstd, and says what to do")
    func zstd() throws {
        try put("wal/00000000", [LogFixture.series([(1, up)])])
        var bytes = try #require(disk.bytes("/prometheus/wal/00000000"))
        bytes[0] |= 0x10
        disk.put("/prometheus/wal/00000000", bytes)
        #expect {
            try open()
        } throws: { error in
            "\(error)".contains("zstd")
        }
    }

    @Test("without a log is empty")
    func missing() throws {
        try disk.createDirectory("/prometheus")
        let log = try open()
        #expect(log.series.isEmpty)
        #expect(log.range == nil)
    }

    @Test("reports where a segment ends early, and goes on with the next")
    func tornEnd() throws {
        try put(
            "wal/00000000",
            [LogFixture.series([(1, up)]), LogFixture.samples([(1, 10, 1)]), LogFixture.samples([(1, 20, 2)])])
        try put("wal/00000001", [LogFixture.samples([(1, 30, 3)])])
        let bytes = try #require(disk.bytes("/prometheus/wal/00000000"))
        disk.put("/prometheus/wal/00000000", Array(bytes.dropLast()))
        let log = try open()
        #expect(try samples(log, up) == [MixedSample(10, 1), MixedSample(30, 3)])
        #expect(log.report.damages.count == 1)
        try disk.remove("/prometheus/wal/00000000")
        try put("wal/00000003", [])
        #expect(try open().report.damages.count == 1)
    }

    @Test(
        "is the same or reports damage, whichever byte of a segment was changed",
        arguments: LogFixture.Compression.allCases)
    func changedByte(compression: LogFixture.Compression) throws {
        try put(
            "wal/00000000",
            [
                LogFixture.series([(1, up), (2, down)]), LogFixture.samples([(1, 10, 1), (2, 10, 2)]),
                LogFixture.histograms(8, [(1, 20, Histograms.simple(2))]),
                LogFixture.samples([(1, 30, 1), (2, 30, 2)]),
            ], compression)
        let path = "/prometheus/wal/00000000"
        let bytes = try #require(disk.bytes(path)) + [0, 0, 0]
        disk.put(path, bytes)
        let expected = try (samples(open(), up), samples(open(), down))
        for index in bytes.indices {
            for mask: UInt8 in [0x01, 0x02, 0x08, 0x80] {
                var changed = bytes
                changed[index] ^= mask
                disk.put(path, changed)
                do {
                    let log = try open()
                    if !log.report.damages.isEmpty || log.report.unknownRecordCount > 0 { continue }
                    #expect(try (samples(log, up), samples(log, down)) == expected, "byte \(index) by \(mask)")
                } catch is StorageError {}
            }
        }
    }

    @Test("is told from another one by the names and sizes of its files")
    func fingerprint() throws {
        let directory = PrometheusDirectory(fileSystem: disk, path: "/prometheus")
        func fingerprint() -> [UInt64]? { directory.logFingerprint.map { [$0.high, $0.low] } }
        #expect(fingerprint() == nil)
        try disk.createDirectory("/prometheus/wal")
        #expect(fingerprint() == nil)
        var met: Set<[UInt64]> = []
        for path in ["wal/00000003", "wal/checkpoint.00000002/00000000", "wbl/00000000", "wal/00000004"] {
            try put(path, [LogFixture.series([(1, up)])])
            #expect(met.insert(try #require(fingerprint())).inserted, "\(path)")
        }
        #expect(!met.insert(try #require(fingerprint())).inserted)
        try put("wal/00000004", [LogFixture.series([(1, up)]), LogFixture.samples([(1, 1, 1)])])
        #expect(met.insert(try #require(fingerprint())).inserted)
        try put("chunks_head/000001", [])
        #expect(!met.insert(try #require(fingerprint())).inserted)
        // Another place is the same log.
        try disk.rename("/prometheus", to: "/elsewhere")
        let elsewhere = PrometheusDirectory(fileSystem: disk, path: "/elsewhere").logFingerprint
        #expect(met.contains(try #require(elsewhere.map { [$0.high, $0.low] })))
    }
}
