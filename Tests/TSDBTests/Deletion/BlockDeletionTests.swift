import Blocks
import FileIO
import HeadMemory
import SelfMetrics
import SeriesModel
import StorageAPI
import TestSupport
import Testing
import WAL

@testable import TSDB

@Suite("Deleting from blocks")
struct BlockDeletionTests {
    private let a: LabelSet = ["__name__": "m", "i": "a"]
    private let b: LabelSet = ["__name__": "m", "i": "b"]
    private let h: LabelSet = ["__name__": "h"]

    /// Three blocks and a head, with floats and histograms.
    private func filled() async throws -> TestStore {
        let test = try TestStore()
        for minute in Int64(1)...480 {
            test.clock.advance(by: 60_000)
            let now = test.clock.now()
            var batch = SampleBatch()
            for labels in [a, b] { batch.append(labels, now, Double(minute)) }
            batch.append(h, now, Histograms.simple(Int(minute)))
            _ = try await test.store.append(batch)
        }
        try test.store.maintain()
        #expect(test.store.blocks.all.count == 3)
        return test
    }

    private func minute(_ number: Int64) -> Timestamp { TestStore.start + number * 60_000 }

    private func histogramTimes(_ test: TestStore) throws -> [Timestamp] {
        let sets = try test.store.select(
            [Selection(matchers: [.equal("__name__", "h")], range: .all)], cancellation: Cancellation())
        var buffer = SampleBuffer()
        for index in 0..<sets[0].count { try sets[0].read(index, into: &buffer) }
        return buffer.histogramTimestamps
    }

    @Test("hides the samples of head and blocks at once, and after a kill")
    func hides() async throws {
        let test = try await filled()
        let all = try test.contents()
        let range = TimeRange(min: minute(100), max: minute(400))
        #expect(try test.store.deleteSeries(matching: [[.equal("i", "a")]], in: range) == 4)
        var expected = all
        expected[a]?.removeAll { range.contains($0.timestamp) }
        #expect(ModelStore.difference(try test.contents(), expected) == nil)
        try test.kill()
        #expect(ModelStore.difference(try test.contents(), expected) == nil)
        try test.store.maintain()
        #expect(ModelStore.difference(try test.contents(), expected) == nil)
    }

    @Test("hides native histograms as well, and deletions add up")
    func histograms() async throws {
        let test = try await filled()
        let all = try histogramTimes(test)
        for start in [Int64(10), 200, 15] {
            try test.store.deleteSeries(
                matching: [[.equal("__name__", "h")]], in: TimeRange(min: minute(start), max: minute(start + 9)))
        }
        let gone = [10...24, 200...209].flatMap { $0.map { minute(Int64($0)) } }
        #expect(try histogramTimes(test) == all.filter { !gone.contains($0) })
        try test.store.cleanTombstones()
        #expect(try histogramTimes(test) == all.filter { !gone.contains($0) })
    }

    @Test("what came out of order and is gone with its block does not come back from the log")
    func outOfOrder() async throws {
        let test = try TestStore { $0.settings.outOfOrderWindow = 5 * TestStore.hour }
        for number in Int64(1)...400 {
            test.clock.advance(by: 60_000)
            var batch = SampleBatch()
            batch.append(a, test.clock.now(), 1)
            // This one has left the head by the time of the deletion.
            if number < 60 { batch.append(b, test.clock.now(), 1) }
            if number == 100 { for labels in [a, b] { batch.append(labels, minute(30) + 1, 2) } }
            _ = try await test.store.append(batch)
        }
        // No checkpoint follows: the log has everything.
        while test.store.head.isCutDue, let range = test.store.head.nextBlockRange { try test.store.cutBlock(range) }
        #expect(test.store.head.outOfOrderSeriesCount == 0 && !test.store.blocks.all.isEmpty)
        try test.store.deleteSeries(matching: [[.equal("__name__", "m")]], in: .all)
        try test.store.cleanTombstones()
        #expect(try test.contents().isEmpty)
        try test.kill()
        #expect(try test.contents().isEmpty)
    }

    @Test("leaves no trace of a series of which all is deleted")
    func wholeSeries() async throws {
        let test = try await filled()
        try test.store.deleteSeries(matching: [[.equal("i", "a")]], in: .all)
        #expect(try test.contents()[a] == nil)
        let found = try test.store.series(
            matching: [[.equal("__name__", "m")]], in: TimeRange(min: .min, max: minute(300)),
            cancellation: Cancellation())
        #expect(found == [b])
    }

    @Test("a view that was taken before goes on seeing what it saw, also when the block is rewritten")
    func views() async throws {
        let test = try await filled()
        let view = try test.store.select([Selection(matchers: [], range: .all)], cancellation: Cancellation())[0]
        let before = try test.contents()
        try test.store.deleteSeries(matching: [[.equal("__name__", "m")]], in: .all)
        try test.store.cleanTombstones()
        let seen = Dictionary(uniqueKeysWithValues: try view.all().map { ($0.labels, $0.samples) })
        #expect(seen[a] == before[a] && seen[b] == before[b])
    }

    @Test("cleaning rewrites the blocks that have tombstones and no others, and changes no answer")
    func clean() async throws {
        let test = try await filled()
        let before = test.store.blocks.all
        try test.store.deleteSeries(
            matching: [[.equal("i", "a")]], in: TimeRange(min: minute(130), max: minute(200)))
        let expected = try test.contents()
        #expect(try test.store.cleanTombstones() == 1)
        let after = test.store.blocks.all
        #expect(after.count == 3)
        #expect(after[0].identifier == before[0].identifier && after[2].identifier == before[2].identifier)
        #expect(after[1].identifier != before[1].identifier)
        #expect(after[1].record.sampleCount == before[1].record.sampleCount - 71)
        #expect(after[1].range == before[1].range && after[1].reader.tombstones.isEmpty)
        for block in after { try block.reader.verify() }
        #expect(ModelStore.difference(try test.contents(), expected) == nil)
        #expect(try test.disk.list(test.directory.path + "/blocks").count == 3)
        #expect(try test.store.cleanTombstones() == 0)
        #expect(test.metric("prometheus_tsdb_tombstone_cleanup_seconds_count 2"))
        try test.kill()
        #expect(ModelStore.difference(try test.contents(), expected) == nil)
        #expect(test.store.blocks.all.map(\.identifier) == after.map(\.identifier))
    }

    @Test("cleaning a block of which nothing is left removes it")
    func cleanAll() async throws {
        let test = try await filled()
        let end = try #require(test.store.blocks.all.first).range.max
        try test.store.deleteSeries(
            matching: [[.equal("__name__", "m")], [.equal("__name__", "h")]], in: TimeRange(min: .min, max: end))
        let expected = try test.contents()
        #expect(try test.store.cleanTombstones() == 1)
        #expect(test.store.blocks.all.count == 2)
        #expect(try test.contents() == expected)
        try test.reopen()
        #expect(test.store.blocks.all.count == 2)
        #expect(try test.contents() == expected)
    }

    @Test("a deletion or a clean-up that fails, or dies, at any write leaves old or new", arguments: 0..<8)
    func failing(write: Int) async throws {
        let test = try await filled()
        let before = try test.contents()
        let range = TimeRange(min: minute(130), max: minute(200))
        var after = before
        after[a]?.removeAll { range.contains($0.timestamp) }
        test.disk.failWrite(write, .half)
        let isDeleted = (try? test.store.deleteSeries(matching: [[.equal("i", "a")]], in: range)) != nil
        #expect(ModelStore.difference(try test.contents(), isDeleted ? after : before) == nil)
        if !isDeleted { try test.store.deleteSeries(matching: [[.equal("i", "a")]], in: range) }
        _ = try? test.store.cleanTombstones()
        #expect(ModelStore.difference(try test.contents(), after) == nil)
        var random = SeededRandom(seed: UInt64(write))
        try test.store.log.sync()
        try test.losePower(using: &random)
        #expect(ModelStore.difference(try test.contents(), after) == nil)
    }

    @Test("A block whose tombstones are damaged is set aside, not served as if nothing had been deleted")
    func damaged() async throws {
        let test = try await filled()
        try test.store.deleteSeries(matching: [[.equal("i", "a")]], in: TimeRange(min: .min, max: minute(10)))
        let block = try #require(test.store.blocks.all.first)
        let file = block.reader.path + "/tombstones"
        var bytes = try #require(test.disk.bytes(file))
        bytes[18] ^= 1
        test.store.close()
        test.disk.put(file, bytes)
        try test.reopen()
        #expect(test.store.blocks.all.count == 2)
        #expect(try test.disk.list(test.directory.path + "/quarantine") == [block.identifier.description])
    }

    @Test("What was deleted of a block is not in a snapshot's copy of it, and stays deleted without a catalog")
    func snapshot() async throws {
        let test = try await filled()
        try test.store.deleteSeries(
            matching: [[.equal("i", "a")]], in: TimeRange(min: minute(130), max: minute(200)))
        let expected = try test.contents()
        let name = try test.store.snapshot(skipHead: false)
        let path = test.directory.path + "/snapshots/" + name
        let copy = try ReadOnlyStore(fileSystem: test.disk, directory: path).select([[]], in: .all)
        let found = Dictionary(uniqueKeysWithValues: try copy.all().map { ($0.labels, $0.samples) })
        #expect(ModelStore.difference(found.filter { !$0.value.isEmpty }, expected) == nil)
        test.store.close()
        try PosixFileSystem().remove(test.directory.path + "/catalog.sqlite")
        try test.reopen()
        #expect(ModelStore.difference(try test.contents(), expected) == nil)
    }
}
