import Blocks
import FileIO
import HeadMemory
import PrometheusBlocks
import SelfMetrics
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("A data directory that was Prometheus'")
struct PrometheusServingTests {
    private let a = PrometheusFixture.series[0]
    private let older = PrometheusFixture.older
    private let newer = PrometheusFixture.newer

    private func served(_ test: TestStore) -> [String] { test.store.blocks.prometheus.map(\.identifier.description) }

    private func path(_ test: TestStore, _ name: String) -> String { test.directory.path + "/" + name }

    @Test("is served beside our own blocks, and Prometheus' files stay as they were through cuts and restarts")
    func served() async throws {
        let test = try PrometheusFixture.store()
        let before = try PrometheusFixture.files(test.disk, test.directory.path)
        #expect(before.count == 13)
        #expect(served(test) == [older, newer])
        #expect(try test.contents() == PrometheusFixture.contents())
        var expected = PrometheusFixture.contents()
        for _ in 0..<7 * 60 {
            test.clock.advance(by: 60_000)
            try await test.append([(a, test.clock.now(), 3)])
            expected[a]?.append(Sample(test.clock.now(), 3))
        }
        try test.store.maintain()
        #expect(!test.store.blocks.all.isEmpty)
        try test.store.checkpoint()
        #expect(try test.contents() == expected)
        try test.kill()
        #expect(try test.contents() == expected)
        try test.reopen()
        #expect(try test.contents() == expected)
        #expect(test.metric("prometheus_tsdb_blocks_loaded \(test.store.blocks.all.count + 2)"))
        #expect(test.store.damages.isEmpty)
        #expect(try PrometheusFixture.files(test.disk, test.directory.path) == before)
        #expect(test.disk.exists(path(test, "wal-hearth")) && test.disk.exists(path(test, "chunks_head-hearth")))
    }

    @Test("answers for labels and for matchers from Prometheus' blocks too")
    func labels() throws {
        let test = try PrometheusFixture.store()
        let cancellation = Cancellation()
        let names = try test.store.labelNames(matching: [], in: .all, cancellation: cancellation)
        #expect(names == ["__name__", "i", "zone"])
        let values = try test.store.labelValues(of: "i", matching: [], in: .all, cancellation: cancellation)
        #expect(values == ["a", "b"])
        let matcher = try LabelMatcher(.regex, "zone", "z|")
        #expect(try test.select([matcher, LabelMatcher(.equal, "__name__", "m")]).count == 2)
        let range = TimeRange(min: PrometheusFixture.start + 60_000, max: PrometheusFixture.start + 120_000)
        #expect(try test.select([], range).map(\.samples.count) == [2, 2, 2])
        #expect(test.store.timeRange == TimeRange(min: PrometheusFixture.start, max: TestStore.start - 60_000))
    }

    @Test("is looked at by the tools without a server, and found sound")
    func tools() throws {
        let test = try PrometheusFixture.store()
        test.store.close()
        let directory = test.directory.path
        let store = try ReadOnlyStore(fileSystem: test.disk, directory: directory)
        #expect(store.damages.isEmpty)
        var found: [LabelSet: [Sample]] = [:]
        for (labels, samples) in try store.select([[]], in: .all).all() { found[labels] = samples }
        #expect(found == PrometheusFixture.contents())
        let verification = try StoreVerification(fileSystem: test.disk, directory: directory)
        #expect(verification.damages.isEmpty && verification.blockCount == 2)
        #expect(verification.sampleCount == 3 * 240)
        try test.reopen()
    }

    @Test("has its blocks noticed that are put there or taken away")
    func byHand() throws {
        let test = try PrometheusFixture.store()
        let third = "01HV0000000000000000000003"
        let range = TimeRange(min: PrometheusFixture.start - 2 * TestStore.hour, max: PrometheusFixture.start)
        try PrometheusFixture.block(test.disk, test.directory.path, third, range)
        try test.disk.remove(path(test, newer))
        try test.store.maintain()
        #expect(served(test) == [older, third])
        let whole = TimeRange(min: range.min, max: PrometheusFixture.start + 2 * TestStore.hour)
        // What the log has stays.
        var expected = PrometheusFixture.contents(whole)
        expected.merge(PrometheusFixture.contents(PrometheusFixture.logRange)) { $0 + $1 }
        #expect(try test.contents() == expected)
    }

    @Test("has the blocks that the time of the retention leaves nothing of served no more, and not deleted")
    func retention() async throws {
        let test = try PrometheusFixture.store { $0.retentionTime = 2 * TestStore.hour }
        #expect(served(test) == [newer])
        #expect(test.store.blocks.prometheusLog != nil)
        test.clock.advance(by: 3 * TestStore.hour)
        try await test.append([(a, test.clock.now(), 1)])
        try test.store.maintain()
        #expect(served(test).isEmpty && test.store.blocks.prometheusLog == nil)
        #expect(test.disk.exists(path(test, older)) && test.disk.exists(path(test, newer)))
    }

    @Test("refuses deletions that would have to change Prometheus' blocks, and deletes nothing then")
    func deletion() async throws {
        let test = try PrometheusFixture.store()
        try await test.append([(a, test.clock.now(), 1)])
        let before = try test.contents()
        let matchers = [try LabelMatcher(.equal, "i", "a")]
        let error = #expect(throws: StorageError.self) {
            try test.store.deleteSeries(matching: [matchers], in: .all)
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("hearth tsdb import"))
        #expect(try test.contents() == before)
        // What is only ours can be deleted.
        let recent = TimeRange(min: TestStore.start, max: .max)
        #expect(try test.store.deleteSeries(matching: [matchers], in: recent) == 1)
        #expect(try test.contents() == PrometheusFixture.contents())
        #expect(try test.store.deleteSeries(matching: [[try LabelMatcher(.equal, "i", "none")]], in: .all) == 0)
    }

    // MARK: - Damage

    @Test("has a block left out that cannot be opened, told of once, and not moved", arguments: ["meta.json", "index"])
    func unreadable(file: String) throws {
        let test = try PrometheusFixture.store()
        test.store.close()
        let damaged = path(test, older) + "/" + file
        test.disk.put(damaged, [1, 2, 3])
        try test.reopen()
        #expect(served(test) == [newer])
        try test.store.maintain()
        #expect(test.store.damages.map(\.file) == [path(test, older)])
        #expect(test.disk.bytes(damaged) == [1, 2, 3])
        #expect(!test.disk.exists(path(test, "quarantine")))
    }

    @Test("has a block left out in which a query met damage, and the rest is served")
    func damagedChunk() throws {
        let test = try PrometheusFixture.store()
        let file = path(test, older) + "/chunks/000001"
        var bytes = try #require(test.disk.bytes(file))
        bytes[bytes.count / 2] ^= 4
        test.disk.put(file, bytes)
        try test.reopen()
        #expect(throws: StorageError.self) { try test.contents() }
        try test.store.maintain()
        #expect(served(test) == [newer])
        let newest = TimeRange(min: PrometheusFixture.start + 2 * TestStore.hour, max: TestStore.start)
        #expect(try test.contents() == PrometheusFixture.contents(newest))
        #expect(test.store.damages.map(\.after) == [PrometheusFixture.start])
        try test.store.maintain()
        #expect(served(test) == [newer])
        #expect(test.disk.bytes(file) == bytes)
    }

    @Test(
        "serves a block that was looked at while it was being copied, when it is whole",
        arguments: ["meta.json", "index", "chunks/000001"])
    func copied(file: String) throws {
        let test = try PrometheusFixture.store()
        let path = path(test, newer) + "/" + file
        let bytes = try #require(test.disk.bytes(path))
        test.disk.put(path, Array(bytes.prefix(bytes.count * 2 / 3)))
        try test.reopen()
        // A block of half its samples may be open until somebody asks for them.
        #expect(served(test) == (file == "chunks/000001" ? [older, newer] : [older]))
        test.disk.put(path, bytes)
        _ = try? test.contents()
        try test.store.maintain()
        #expect(served(test) == [older, newer])
        #expect(try test.contents() == PrometheusFixture.contents())
    }

    // MARK: - After an import

    /// What an import writes: our block of the same name.
    private func adopt(_ test: TestStore, _ name: String, list: Bool = true) throws {
        let source = try PrometheusBlockSource(fileSystem: test.disk, path: path(test, name))
        var writer = try BlockWriter(
            fileSystem: test.disk, directory: BlockDirectory.path(in: test.directory.path),
            identifier: source.identifier, range: source.range, level: 1, lsn: 0)
        for series in try source.allPostings() {
            var samples = SampleBuffer()
            try source.read(series: series, range: .all, into: &samples)
            try writer.addSeries(try source.labels(of: series), samples)
        }
        _ = try writer.finish()
        guard list else { return }
        var imported = try ImportedBlocks(fileSystem: test.disk, dataDirectory: test.directory.path)
        imported.insert(source.identifier)
        try imported.write(fileSystem: test.disk, dataDirectory: test.directory.path)
    }

    /// What an import does last.
    private func noteLog(_ test: TestStore) throws {
        let directory = test.directory.path
        let fingerprint = PrometheusDirectory(fileSystem: test.disk, path: directory).logFingerprint
        let (high, low) = try #require(fingerprint)
        var imported = try ImportedBlocks(fileSystem: test.disk, dataDirectory: directory)
        imported.insert(BlockIdentifier(high: high, low: low))
        try imported.write(fileSystem: test.disk, dataDirectory: directory)
    }

    @Test("serves our block of the same name in place of Prometheus'", arguments: [true, false])
    func adopted(list: Bool) throws {
        let test = try PrometheusFixture.store()
        try adopt(test, older, list: list)
        try test.store.maintain()
        #expect(served(test) == [newer])
        #expect(test.store.blocks.all.map(\.identifier.description) == [older])
        #expect(try test.contents() == PrometheusFixture.contents())
        try test.reopen()
        #expect(served(test) == [newer])
        #expect(try test.contents() == PrometheusFixture.contents())
    }

    @Test("does not bring back what was imported and deleted since")
    func adoptedAndDeleted() throws {
        let test = try PrometheusFixture.store()
        try adopt(test, older)
        try adopt(test, newer)
        try noteLog(test)
        try test.store.maintain()
        #expect(served(test).isEmpty)
        try test.store.deleteSeries(matching: [[]], in: .all)
        try test.store.cleanTombstones()
        #expect(test.store.blocks.all.isEmpty)
        try test.store.maintain()
        try test.reopen()
        #expect(try test.contents().isEmpty)
        #expect(test.disk.exists(path(test, older)))
    }

    @Test("serves everything, and says so, where the list of imported blocks is damaged")
    func damagedList() throws {
        let test = try PrometheusFixture.store()
        try adopt(test, older)
        let list = path(test, ImportedBlocks.fileName)
        test.disk.put(list, Array(try #require(test.disk.bytes(list)).dropLast()))
        try test.reopen()
        try test.store.maintain()
        #expect(served(test) == [newer])
        #expect(test.store.damages.map(\.file) == [list])
        #expect(try test.contents() == PrometheusFixture.contents())
    }

    @Test("is in a snapshot, as a directory of the same kind")
    func snapshot() throws {
        let test = try PrometheusFixture.store()
        let name = try test.store.snapshot(skipHead: false)
        let directory = path(test, "snapshots/" + name)
        try PosixFileSystem().createDirectory(directory)
        var options = test.store.options
        options.directory = directory
        options.metrics = .init()
        let store = try TSDB.open(options)
        defer { store.close() }
        let set = try store.select([Selection(matchers: [], range: .all)], cancellation: Cancellation())[0]
        #expect(Dictionary(uniqueKeysWithValues: try set.all().map { ($0, $1) }) == PrometheusFixture.contents())
        #expect(!DataDirectoryLayout(fileSystem: test.disk, directory: directory).isBesidePrometheus)
    }
}
