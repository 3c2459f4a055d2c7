import Blocks
import FileIO
import Logging
import SelfMetrics
import SeriesModel
import StorageAPI
import TestSupport
import Testing
import WAL

@testable import TSDB

@Suite("A snapshot")
struct SnapshotTests {
    private let a: LabelSet = ["__name__": "m", "i": "a"]
    private let b: LabelSet = ["__name__": "m", "i": "b"]

    private func fill(_ test: TestStore, hours: Int) async throws {
        for _ in 0..<hours * 60 {
            test.clock.advance(by: 60_000)
            let now = test.clock.now()
            try await test.append([a, b].map { ($0, now, Double(now / 60_000 % 1000)) })
        }
    }

    private func path(_ test: TestStore, _ name: String) -> String { test.directory.path + "/snapshots/" + name }

    /// Opens a snapshot as a data directory, and closes it again.
    private func opened<R>(_ test: TestStore, _ name: String, _ body: (TSDB) async throws -> R) async throws -> R {
        // The lock and SQLite's files need a real directory.
        try PosixFileSystem().createDirectory(path(test, name))
        var options = test.store.options
        options.directory = path(test, name)
        options.metrics = MetricsRegistry()
        let store = try TSDB.open(options)
        defer { store.close() }
        return try await body(store)
    }

    private func contents(_ store: TSDB) throws -> [LabelSet: [Sample]] {
        let set = try store.select([Selection(matchers: [], range: .all)], cancellation: Cancellation())[0]
        return Dictionary(uniqueKeysWithValues: try set.all().map { ($0.labels, $0.samples) })
    }

    private func contents(_ test: TestStore, _ name: String) async throws -> [LabelSet: [Sample]] {
        try await opened(test, name) { try contents($0) }
    }

    @Test("opens as a data directory with all samples, and takes more")
    func whole() async throws {
        let test = try TestStore()
        try await fill(test, hours: 7)
        try test.store.maintain()
        let before = try test.contents()
        let name = try test.store.snapshot(skipHead: false)
        #expect(name.utf8.count == 33 && name.hasPrefix("20260101T070000Z-"), "\(name)")
        // What comes after it is not in it.
        try await fill(test, hours: 1)
        try await opened(test, name) { store in
            #expect(try contents(store) == before)
            #expect(store.blocks.all.count == 4)
            for block in store.blocks.all { try block.reader.verify() }
            var batch = SampleBatch()
            batch.append(a, test.clock.now(), 5)
            #expect(try await store.append(batch).accepted == 1)
            #expect(store.log.nextLSN > 7 * 60)
        }
        #expect(try await contents(test, name)[a]?.count == 421)
        #expect(test.store.blocks.all.count == 2)
        try test.reopen()
        #expect(try test.contents()[a]?.count == 480)
    }

    @Test("without the head has the blocks alone")
    func blocksOnly() async throws {
        let test = try TestStore()
        try await fill(test, hours: 4)
        try test.store.maintain()
        let cut = try #require(test.store.blocks.all.last).range.max
        let expected = try test.contents(TimeRange(min: .min, max: cut))
        let name = try test.store.snapshot(skipHead: true)
        #expect(try await contents(test, name) == expected)
    }

    @Test("shares the blocks' files, and outlives them")
    func links() async throws {
        let test = try TestStore { $0.retentionTime = 3 * TestStore.hour }
        try await fill(test, hours: 4)
        try test.store.maintain()
        let before = try test.contents()
        let name = try test.store.snapshot(skipHead: false)
        try await fill(test, hours: 12)
        try test.store.maintain()
        #expect(try test.contents() != before)
        #expect(try await contents(test, name) == before)
    }

    @Test("of what was deleted holds nothing")
    func deleted() async throws {
        let test = try TestStore()
        try await fill(test, hours: 1)
        try test.store.deleteSeries(matching: [[.equal("i", "a")]], in: .all)
        let name = try test.store.snapshot(skipHead: false)
        #expect(try await Array(contents(test, name).keys) == [b])
    }

    @Test("of an empty store opens too")
    func empty() async throws {
        let test = try TestStore()
        let name = try test.store.snapshot(skipHead: false)
        #expect(try await contents(test, name).isEmpty)
    }

    @Test("crosses a gap of centuries, and times before 1970")
    func gap() async throws {
        let test = try TestStore(now: -400 * 365 * 24 * TestStore.hour)
        try await fill(test, hours: 1)
        test.clock.advance(by: (500 * 365 * 24 + 1) * TestStore.hour)
        try await fill(test, hours: 1)
        let before = try test.contents()
        let name = try test.store.snapshot(skipHead: false)
        try await opened(test, name) { store in
            let found = try contents(store)
            #expect(found == before)
            #expect(store.blocks.all.count == 2)
        }
    }

    @Test("that fails leaves nothing, and the next one clears up what a crash left", arguments: 0..<7)
    func failing(write: Int) async throws {
        let test = try TestStore()
        try await fill(test, hours: 1)
        test.disk.failWrite(write, .half)
        #expect(throws: StorageError.self) { try test.store.snapshot(skipHead: false) }
        #expect(try test.disk.list(test.directory.path + "/snapshots").isEmpty)
        test.disk.put(test.directory.path + "/snapshots/x.tmp/blocks/y", [1])
        try test.disk.createDirectory(test.directory.path + "/snapshots/x.tmp")
        let name = try test.store.snapshot(skipHead: false)
        #expect(try test.disk.list(test.directory.path + "/snapshots").filter { $0.hasSuffix(".tmp") }.isEmpty)
        let expected = try test.contents()
        #expect(try await contents(test, name) == expected)
    }

    @Test("is taken of whole batches while appends go on", .timeLimit(.minutes(5)))
    func racing() async throws {
        let test = try TestStore()
        let store = test.store
        let labels = (0..<20).map { LabelSet([Label("__name__", "m"), Label("i", "\($0)")]) }
        test.clock.advance(by: TestStore.hour)
        let appending = Task {
            for step in 0..<500 {
                var batch = SampleBatch()
                for labels in labels { batch.append(labels, TestStore.start + Int64(step) * 1000, Double(step)) }
                _ = try await store.append(batch)
            }
        }
        var names: [String] = []
        for _ in 0..<5 {
            names.append(try store.snapshot(skipHead: false))
            await Task.yield()
        }
        try await appending.value
        for name in names {
            try await opened(test, name) { store in
                let found = try contents(store)
                #expect(Set(found.values).count <= 1)
                #expect(found.isEmpty || found.count == 20)
            }
        }
    }

    @Test("on the machine's own disk shares the files and opens")
    func posix() async throws {
        let test = try TestStore { $0.fileSystem = PosixFileSystem() }
        try await fill(test, hours: 4)
        try test.store.maintain()
        let before = try test.contents()
        let name = try test.store.snapshot(skipHead: false)
        #expect(try await contents(test, name) == before)
    }
}
