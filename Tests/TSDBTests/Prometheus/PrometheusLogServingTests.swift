import Blocks
import FileIO
import PrometheusBlocks
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("The log that a Prometheus left")
struct PrometheusLogServingTests {
    private let range = PrometheusFixture.logRange
    private let segment = "/wal/00000004"

    @Test("is served until it is imported, and not read again then")
    func imported() throws {
        let test = try PrometheusFixture.store()
        let directory = test.directory.path
        #expect(try test.contents(range) == PrometheusFixture.contents(range))
        let source = try #require(test.store.blocks.prometheusLog)
        #expect(source.seriesCount == 3 && source.sampleCount == 30)
        try test.store.maintain()
        #expect(test.store.blocks.prometheusLog === source)
        var imported = ImportedBlocks()
        imported.insert(source.identifier)
        try imported.write(fileSystem: test.disk, dataDirectory: directory)
        try test.store.maintain()
        #expect(test.store.blocks.prometheusLog == nil)
        #expect(try test.contents(range).isEmpty)
        try test.reopen()
        #expect(test.store.blocks.prometheusLog == nil)
    }

    @Test("answers as a plain list of its series does")
    func model() throws {
        let test = try PrometheusFixture.store()
        let source = try #require(test.store.blocks.prometheusLog)
        let all = PrometheusFixture.series.sorted()
        #expect(try source.labelNames() == ["__name__", "i", "zone"])
        #expect(try source.labelValues(of: "i") == ["a", "b"])
        #expect(try source.labelValues(of: "none").isEmpty)
        for name in ["i", "zone"] {
            for value in ["a", "b", "z", ""] {
                let expected = all.indices.filter { all[$0][name] == value }.map { UInt32($0) }
                #expect(try source.postings(name: name, value: value) == expected)
            }
        }
        let numbers = try source.allPostings()
        #expect(numbers == [0, 1, 2])
        #expect(try numbers.map { try source.labels(of: $0) } == all)
        #expect(try source.fingerprints(of: numbers) == all.map { SeriesFingerprint($0) })
        var buffer = SampleBuffer()
        #expect(throws: StorageError.self) { try source.read(series: 3, range: .all, into: &buffer) }
        #expect(throws: StorageError.self) { try source.labels(of: .max) }
        let part = TimeRange(min: range.min + 60_000, max: range.min + 120_000)
        try source.read(series: 0, range: part, into: &buffer)
        #expect(buffer.timestamps == [part.min, part.max])
        #expect(try source.windowStarts(width: 60_000) == Array(stride(from: range.min, to: range.max, by: 60_000)))
    }

    @Test("is shown without what was deleted of it")
    func tombstones() throws {
        let test = try PrometheusFixture.store()
        test.store.close()
        let file = test.directory.path + segment
        let deletion = PrometheusFixture.deletion(of: 0, TimeRange(min: range.min, max: range.min + 120_000))
        let whole = PrometheusFixture.deletion(of: 1, .all)
        let bytes = try #require(test.disk.bytes(file))
        test.disk.put(file, bytes + PrometheusFixture.segment([deletion, whole]))
        try test.reopen()
        let found = try test.select([], range)
        #expect(Set(found.map(\.labels)) == [PrometheusFixture.series[0], PrometheusFixture.series[2]])
        let first = TimeRange(min: range.min, max: range.min + 120_000)
        #expect(try test.select([], first).map(\.labels) == [PrometheusFixture.series[2]])
        var expected = PrometheusFixture.contents(range)
        expected[PrometheusFixture.series[1]] = nil
        expected[PrometheusFixture.series[0]]?.removeFirst(3)
        #expect(try test.contents(range) == expected)
        // What is gone is nothing to refuse a deletion for.
        let matchers = [try LabelMatcher(.equal, "i", "b")]
        #expect(try test.store.deleteSeries(matching: [matchers], in: range) == 0)
    }

    @Test("refuses to have its samples deleted")
    func deletion() throws {
        let test = try PrometheusFixture.store()
        let matchers = [try LabelMatcher(.equal, "i", "a")]
        let error = #expect(throws: StorageError.self) {
            try test.store.deleteSeries(matching: [matchers], in: range)
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("hearth tsdb import"))
        #expect(try test.contents() == PrometheusFixture.contents())
    }

    @Test("with any byte damaged has nothing wrong served, and the blocks are")
    func damaged() throws {
        let test = try PrometheusFixture.store()
        let blocks = TimeRange(min: PrometheusFixture.start, max: range.min)
        let expected = PrometheusFixture.contents(range)
        let file = test.directory.path + segment
        let bytes = try #require(test.disk.bytes(file))
        for index in bytes.indices where index < 40 || index % 7 == 0 {
            let set = PrometheusBlockSet(fileSystem: test.disk, directory: test.directory.path)
            var damaged = bytes
            // Every bit over the bytes; of the first also the flag of a compression that is not known.
            damaged[index] ^= index == 0 ? 0x10 : 1 << UInt8(index % 8)
            test.disk.put(file, damaged)
            var damages: [StorageDamage] = []
            let source = set.log(imported: ImportedBlocks()) { damages.append($0) }
            #expect(damages.map(\.file) == [test.directory.path + "/wal"], "byte \(index)")
            for number in try source?.allPostings() ?? [] {
                var buffer = SampleBuffer()
                try source?.read(series: number, range: .all, into: &buffer)
                let known = try source.flatMap { expected[try $0.labels(of: number)] } ?? []
                let found = zip(buffer.timestamps, buffer.values).map { Sample($0, $1) }
                #expect(Set(found).isSubset(of: known), "byte \(index)")
            }
        }
        try test.reopen()
        #expect(
            try test.contents(TimeRange(min: blocks.min, max: blocks.max - 1)) == PrometheusFixture.contents(blocks))
        #expect(test.store.damages.map(\.file) == [test.directory.path + "/wal"])
        let verification = try StoreVerification(fileSystem: test.disk, directory: test.directory.path)
        #expect(verification.damages.count == 1)
    }

    @Test("is left out of a copy without the head, and read no more where it was taken away")
    func away() throws {
        let test = try PrometheusFixture.store()
        let name = try test.store.snapshot(skipHead: true)
        let copy = try BlockInspection(
            fileSystem: test.disk, directory: test.directory.path + "/snapshots/" + name)
        #expect(copy.readers.isEmpty && copy.prometheus.count == 2)
        try test.disk.remove(test.directory.path + "/wal")
        try test.store.maintain()
        #expect(test.store.blocks.prometheusLog == nil)
        try test.reopen()
        let blocks = TimeRange(min: PrometheusFixture.start, max: range.min)
        #expect(try test.contents() == PrometheusFixture.contents(blocks))
    }

    @Test("is no line of the list of blocks, Prometheus' blocks are, and can be analysed")
    func inspection() throws {
        let test = try PrometheusFixture.store()
        let found = try BlockInspection(fileSystem: test.disk, directory: test.directory.path)
        #expect(found.rows.map(\.identifier.description) == [PrometheusFixture.older, PrometheusFixture.newer])
        #expect(found.rows.map(\.sampleCount) == [360, 360] && found.rows.map(\.seriesCount) == [3, 3])
        #expect(found.rows.allSatisfy { $0.bytes > 0 && $0.chunkCount == 3 })
        let identifier = try #require(BlockIdentifier(PrometheusFixture.newer))
        let analysis = try #require(try found.analysis(of: identifier, limit: 9))
        #expect(analysis.seriesCount == 3 && analysis.entryCount == 7 && analysis.fullChunk == 120)
        #expect(analysis.fullness.last == 3)
        #expect(analysis.largestMetrics.map(\.name) == ["m", "n"])
        #expect(analysis.largestMetrics.map(\.value) == [2, 1])
        #expect(try found.analysis(of: BlockIdentifier(high: 1, low: 1), limit: 9) == nil)
    }
}
