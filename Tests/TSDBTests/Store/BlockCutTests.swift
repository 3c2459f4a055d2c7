import Blocks
import HeadMemory
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("Cutting blocks from the head")
struct BlockCutTests {
    private let a: LabelSet = ["__name__": "m", "i": "a"]
    private let b: LabelSet = ["__name__": "m", "i": "b"]

    /// Appends a sample a minute to `a`, and to `b` in the first hour alone.
    private func fill(_ test: TestStore, hours: Int64) async throws {
        for _ in 0..<hours * 60 {
            test.clock.advance(by: 60_000)
            let now = test.clock.now()
            var samples = [(a, now, Double(now / 60_000 % 1000))]
            if now - TestStore.start <= TestStore.hour { samples.append((b, now, 1)) }
            try await test.append(samples)
        }
    }

    @Test("Blocks are cut in injected time, and read back together with the head, also after reopening")
    func severalBlocks() async throws {
        let test = try TestStore()
        var expected: [LabelSet: [Sample]] = [:]
        for _ in 0..<12 {
            let before = test.clock.now()
            try await fill(test, hours: 1)
            for minute in 1...60 {
                let time = before + Int64(minute) * 60_000
                expected[a, default: []].append(Sample(time, Double(time / 60_000 % 1000)))
                if time - TestStore.start <= TestStore.hour { expected[b, default: []].append(Sample(time, 1)) }
            }
            try test.store.maintain()
            #expect(try test.contents() == expected)
        }
        let blocks = test.store.blocks.all
        #expect(blocks.map(\.range.min) == (0..<5).map { TestStore.start + $0 * 2 * TestStore.hour })
        #expect(blocks.allSatisfy { $0.range.max - $0.range.min == 2 * TestStore.hour - 1 })
        for block in blocks { try block.reader.verify() }
        #expect(test.store.head.range?.min == TestStore.start + 10 * TestStore.hour)
        try test.reopen()
        #expect(try test.contents() == expected)
        try test.kill()
        #expect(try test.contents() == expected)
        #expect(test.store.blocks.all.count == 5)
        #expect(test.metric("prometheus_tsdb_blocks_loaded 5"))
    }

    @Test("Each sample is in exactly one of head and blocks, and any range finds the same as a filter over all")
    func ranges() async throws {
        let test = try TestStore()
        try await fill(test, hours: 8)
        try test.store.maintain()
        let all = try #require(try test.contents()[a])
        #expect(all.count == 480)
        #expect(Set(all).count == 480)
        var random = SeededRandom(seed: 7)
        for _ in 0..<100 {
            let times = (0..<2).map { _ in
                TestStore.start + Int64.random(in: -100_000...(9 * TestStore.hour), using: &random)
            }
            let range = TimeRange(min: times.min() ?? 0, max: times.max() ?? 0)
            let expected = all.filter { range.contains($0.timestamp) }
            #expect(try test.contents(range)[a] ?? [] == expected)
            let newest = try test.select([.equal("i", "a")], range, newestOnly: true).first?.samples.last
            #expect(newest == expected.last)
        }
    }

    @Test("A series without samples leaves the head with the cut, and its slot gets another generation")
    func leaving() async throws {
        let test = try TestStore()
        let ref = try #require(try await test.append([(b, TestStore.start, 1)]).refs[0])
        try await fill(test, hours: 4)
        try test.store.maintain()
        #expect(test.store.headStatistics().seriesCount == 1)
        #expect(test.metric("prometheus_tsdb_head_series_removed_total 1"))
        var batch = SampleBatch()
        batch.append(ref, test.clock.now(), 5)
        #expect(try await test.store.append(batch).rejected.map(\.reason) == [.unknownSeries])
        let c: LabelSet = ["__name__": "m", "i": "c"]
        let next = try #require(try await test.append([(c, test.clock.now(), 1)]).refs[0])
        #expect(next.slot == ref.slot)
        #expect(next.generation > ref.generation)
        // A view that was taken before is not disturbed, and the old series is in the block.
        #expect(try test.contents()[b]?.count == 61)
        #expect(try test.contents()[c]?.count == 1)
        try test.kill()
        #expect(try test.contents()[b]?.count == 61)
        #expect(try test.contents()[c]?.count == 1)
    }

    @Test("A view goes on reading what it saw, whatever is cut or deleted meanwhile")
    func viewsLive() async throws {
        let test = try TestStore { $0.retentionTime = 6 * TestStore.hour }
        try await fill(test, hours: 4)
        try test.store.maintain()
        let before = try test.contents()
        let view = try test.store.select([Selection(matchers: [], range: .all)], cancellation: Cancellation())[0]
        try await fill(test, hours: 12)
        try test.store.maintain()
        #expect(try test.contents() != before)
        let seen = Dictionary(uniqueKeysWithValues: try view.all().map { ($0.labels, $0.samples) })
        #expect(seen == before)
    }

    @Test("Samples for a range that has become a block are refused")
    func afterCut() async throws {
        let test = try TestStore()
        try await fill(test, hours: 4)
        try test.store.maintain()
        let c: LabelSet = ["__name__": "late"]
        let late = try await test.append([(c, TestStore.start + 2 * TestStore.hour - 1, 1)])
        #expect(late.rejected.map(\.reason) == [.outOfBounds])
        try test.reopen()
        let again = try await test.append([(c, TestStore.start + 2 * TestStore.hour - 1, 1)])
        #expect(again.rejected.map(\.reason) == [.outOfBounds])
    }

    @Test("A block that cannot be written leaves everything as it was, and the next attempt succeeds")
    func failingCut() async throws {
        let test = try TestStore()
        try await fill(test, hours: 4)
        let before = try test.contents()
        test.disk.failWrite(1, .half)
        #expect(throws: StorageError.self) { try test.store.maintain() }
        #expect(test.store.blocks.all.isEmpty)
        #expect(try test.contents() == before)
        #expect(test.metric("prometheus_tsdb_compactions_failed_total 1"))
        try test.store.maintain()
        #expect(test.store.blocks.all.count == 1)
        #expect(try test.contents() == before)
        #expect(try test.disk.list(test.directory.path + "/blocks").count == 1)
    }

    @Test("A gap of days takes one cut, not one for each empty range")
    func gap() async throws {
        let test = try TestStore()
        try await fill(test, hours: 1)
        test.clock.advance(by: 1000 * TestStore.hour)
        try await fill(test, hours: 1)
        try test.store.maintain()
        #expect(test.store.blocks.all.count == 1)
        #expect(test.metric("prometheus_tsdb_compactions_total 1"))
        #expect(try test.contents()[a]?.count == 120)
    }
}
