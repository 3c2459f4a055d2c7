import Blocks
import FileIO
import HeadMemory
import SelfMetrics
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("Deleting from the head")
struct HeadDeletionTests {
    private let a: LabelSet = ["__name__": "m", "i": "a"]
    private let b: LabelSet = ["__name__": "m", "i": "b"]

    private func fill(_ test: TestStore, minutes: Int64, _ series: [LabelSet]? = nil) async throws {
        for _ in 0..<minutes {
            test.clock.advance(by: 60_000)
            let now = test.clock.now()
            try await test.append((series ?? [a, b]).map { ($0, now, Double(now / 60_000 % 1000)) })
        }
    }

    private func minute(_ number: Int64) -> Timestamp { TestStore.start + number * 60_000 }

    @Test("hides the samples at once, those of the other series stay")
    func hides() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 30)
        let all = try test.contents()
        let count = try test.store.deleteSeries(
            matching: [[.equal("i", "a")]], in: TimeRange(min: minute(10), max: minute(19)))
        #expect(count == 1)
        #expect(try test.contents()[a] == all[a]?.filter { $0.timestamp < minute(10) || $0.timestamp > minute(19) })
        #expect(try test.contents()[b] == all[b])
        #expect(try test.contents(TimeRange(min: minute(10), max: minute(19)))[a] == nil)
    }

    @Test("takes the newest sample too: a query of the present finds the one before, or none")
    func newest() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 10)
        try test.store.deleteSeries(matching: [[.equal("i", "a")]], in: TimeRange(min: minute(8), max: .max))
        let range = TimeRange(min: minute(0), max: minute(10))
        #expect(
            try test.select([.equal("i", "a")], range, newestOnly: true).first?.samples.last?.timestamp == minute(7))
        let late = TimeRange(min: minute(9), max: minute(10))
        #expect(try test.select([.equal("i", "a")], late, newestOnly: true).allSatisfy { $0.samples.isEmpty })
    }

    @Test("does not reach beyond what the series holds: what comes later is seen")
    func clamped() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 5)
        try test.store.deleteSeries(matching: [[.equal("__name__", "m")]], in: .all)
        #expect(try test.contents().isEmpty)
        try await fill(test, minutes: 2)
        #expect(try test.contents()[a]?.map(\.timestamp) == [minute(6), minute(7)])
        try test.kill()
        #expect(try test.contents()[a]?.map(\.timestamp) == [minute(6), minute(7)])
    }

    @Test("leaves the append rules alone: the newest sample is known though it is hidden")
    func rules() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 5)
        try test.store.deleteSeries(matching: [[.equal("__name__", "m")]], in: .all)
        let again = try await test.append([(a, minute(5), -1), (b, minute(4), 1)])
        #expect(again.rejected.map(\.reason) == [.duplicateTimestamp, .outOfOrder])
    }

    @Test("by several lists of matchers at once, each selecting for itself; no list selects nothing")
    func matching() async throws {
        let test = try TestStore()
        let c: LabelSet = ["__name__": "n", "i": "c"]
        try await fill(test, minutes: 3, [a, b, c])
        #expect(try test.store.deleteSeries(matching: [], in: .all) == 0)
        #expect(try test.contents().count == 3)
        let regex = try LabelMatcher(.regex, "i", "[ax]")
        #expect(try test.store.deleteSeries(matching: [[regex], [.equal("__name__", "n")]], in: .all) == 2)
        #expect(try Array(test.contents().keys) == [b])
        #expect(try test.store.deleteSeries(matching: [[.equal("i", "z")]], in: .all) == 0)
    }

    @Test("holds after a kill, after a checkpoint, and after both")
    func survives() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 30)
        try test.store.deleteSeries(matching: [[.equal("i", "a")]], in: TimeRange(min: minute(3), max: minute(5)))
        let expected = try test.contents()
        try test.kill()
        #expect(try test.contents() == expected)
        try test.store.checkpoint()
        #expect(try test.contents() == expected)
        try test.kill()
        #expect(try test.contents() == expected)
        try test.store.deleteSeries(matching: [[.equal("i", "b")]], in: TimeRange(min: minute(0), max: minute(9)))
        let later = try test.contents()
        try test.reopen()
        #expect(try test.contents() == later)
        #expect(test.metric("prometheus_tsdb_wal_replay_unknown_refs_total{type=\"tombstones\"} 0"))
    }

    @Test("that cannot be logged changes nothing")
    func failing() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 3)
        let before = try test.contents()
        test.disk.failWrite(0)
        #expect(throws: StorageError.self) {
            try test.store.deleteSeries(matching: [[.equal("i", "a")]], in: .all)
        }
        #expect(try test.contents() == before)
        try test.kill()
        #expect(try test.contents() == before)
    }

    @Test("is folded into the block that is cut, and forgotten then")
    func cut() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 4 * 60)
        try test.store.deleteSeries(matching: [[.equal("i", "a")]], in: TimeRange(min: minute(30), max: minute(100)))
        try test.store.deleteSeries(matching: [[.equal("i", "b")]], in: TimeRange(min: .min, max: minute(150)))
        let expected = try test.contents()
        try test.store.maintain()
        #expect(try test.contents() == expected)
        let block = try #require(test.store.blocks.all.first)
        try block.reader.verify()
        #expect(block.record.seriesCount == 1)
        #expect(block.record.sampleCount == 119 - 71)
        // What reaches beyond the block is held still.
        #expect(test.store.head.tombstones.count == 1)
        try test.kill()
        #expect(try test.contents() == expected)
    }

    @Test("of all that a block would hold leaves no block")
    func emptyCut() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 4 * 60)
        try test.store.deleteSeries(matching: [[.equal("__name__", "m")]], in: TimeRange(min: .min, max: minute(130)))
        try test.store.maintain()
        #expect(test.store.blocks.all.isEmpty)
        #expect(try test.contents()[a]?.first?.timestamp == minute(131))
        #expect(try test.disk.list(test.directory.path + "/blocks").isEmpty)
    }

    @Test("a view that was taken before goes on seeing what it saw")
    func views() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 3)
        let view = try test.store.select([Selection(matchers: [], range: .all)], cancellation: Cancellation())[0]
        try test.store.deleteSeries(matching: [[.equal("__name__", "m")]], in: .all)
        #expect(try view.all().allSatisfy { $0.samples.count == 3 })
    }

    @Test("the next owner of a slot has nothing deleted")
    func slots() async throws {
        let test = try TestStore()
        try await test.append([(b, TestStore.start, 1)])
        try await fill(test, minutes: 200, [a])
        try test.store.deleteSeries(matching: [[.equal("i", "b")]], in: .all)
        try test.store.maintain()
        #expect(test.store.headStatistics().seriesCount == 1)
        let c: LabelSet = ["__name__": "m", "i": "c"]
        try await fill(test, minutes: 2, [c])
        #expect(try test.contents()[c]?.count == 2)
        try test.kill()
        #expect(try test.contents()[c]?.count == 2)
        #expect(try test.contents()[b] == nil)
    }

    @Test("A closed store deletes nothing")
    func closed() throws {
        let test = try TestStore()
        test.store.close()
        #expect(throws: StorageError.closed) { try test.store.deleteSeries(matching: [[]], in: .all) }
    }

    @Test("Random appends, deletions, cuts, checkpoints and kills agree with a model", arguments: 1...8)
    func random(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let test = try TestStore()
        let pool = (0..<8).map { LabelSet([Label("__name__", "m\($0 % 2)"), Label("i", "\($0)")]) }
        var model: [LabelSet: [Sample]] = [:]
        for step in 0..<250 {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<75:
                test.clock.advance(by: Int64.random(in: 1...300_000, using: &random))
                let now = test.clock.now()
                let chosen = pool.filter { _ in Bool.random(using: &random) }
                try await test.append(chosen.map { ($0, now, 1) })
                for labels in chosen { model[labels, default: []].append(Sample(now, 1)) }
            case 75..<87:
                // What a block has is deleted in the tests of blocks.
                let end = test.clock.now() - Int64.random(in: -60_000...(2 * TestStore.hour), using: &random)
                let start = max(test.store.head.start, end - Int64.random(in: 0...TestStore.hour, using: &random))
                let range = TimeRange(min: start, max: end)
                let name = "m\(Int.random(in: 0...1, using: &random))"
                try test.store.deleteSeries(matching: [[.equal("__name__", name)]], in: range)
                for (labels, samples) in model where labels["__name__"] == name {
                    model[labels] = samples.filter { !range.contains($0.timestamp) }
                }
            case 87..<93: try test.store.maintain()
            case 93..<96: try test.store.checkpoint()
            case 96..<98: try test.kill()
            default: try test.reopen()
            }
            if step % 5 == 0 {
                let expected = model.filter { !$0.value.isEmpty }
                #expect(
                    ModelStore.difference(try test.contents(), expected) == nil, "seed \(seed) step \(step)")
            }
        }
        for block in test.store.blocks.all { try block.reader.verify() }
    }
}
