import Blocks
import FileIO
import OwnThreads
import SeriesModel
import StorageAPI
import Synchronization
import TestSupport
import Testing

@testable import TSDB

@Suite("A merge that the end of the process interrupts")
struct InterruptedMergeTests {
    private let start = TestStore.start / (6 * TestStore.hour) * (6 * TestStore.hour) + 6 * TestStore.hour
    private let series = (0..<8).map { LabelSet([Label("__name__", "m"), Label("i", "\($0)")]) }

    /// What a test changes between two openings.
    private final class Settings: Sendable {
        let rangeMax = Mutex(2 * TestStore.hour)
        let rules = Mutex<[StorageSettings.RetentionRule]>([])
        let freeDiskMin = Mutex<Int64>(0)
    }

    /// A store with four blocks of which three are to be merged from the next opening on.
    private func store(_ settings: Settings) async throws -> TestStore {
        let test = try TestStore(now: start) { options in
            options.settings.retentionTime = 30 * 24 * TestStore.hour
            options.settings.retentionRules = settings.rules.withLock { $0 }
            options.blockRangeMax = settings.rangeMax.withLock { $0 }
            options.freeDiskMin = settings.freeDiskMin.withLock { $0 }
            options.mergeMarkBytes = 1
            options.mergeLookInterval = 0
        }
        for step in 0..<30 {
            let time = start + Int64(step) * 1_200_000
            if time > test.clock.now() { test.clock.advance(by: time - test.clock.now()) }
            try await test.append(series.enumerated().map { ($1, time + Int64($0 * step % 7), Double(step * $0)) })
            if step % 3 == 0 { try test.store.maintain() }
        }
        try test.store.maintain()
        #expect(test.store.blocks.all.count == 4)
        settings.rangeMax.withLock { $0 = 6 * TestStore.hour }
        try test.reopen()
        return test
    }

    /// Closes the store in maintenance, at a change of its disk.
    /// - Returns: false where there were fewer.
    private func maintain(_ test: TestStore, closingAtChange number: Int) throws -> Bool {
        let store = test.store
        let count = Mutex(0)
        test.disk.observeChanges { _ in
            let isDue = count.withLock { count in
                count += 1
                return count == number
            }
            if isDue { store.maintenance.change { $0.isClosing = true } }
        }
        defer { test.disk.observeChanges(nil) }
        try test.store.maintain()
        return count.withLock { $0 } >= number
    }

    private func leftovers(_ test: TestStore) throws -> [String] {
        try test.disk.list(test.directory.path + "/blocks").filter { $0.hasSuffix(".tmp") }
    }

    /// Closes the store in the middle of the merge, and opens it again.
    private func interrupt(_ test: TestStore) throws {
        #expect(try maintain(test, closingAtChange: 30))
        try test.reopen()
        #expect(try leftovers(test).count == 1)
        #expect(test.store.blocks.all.count == 4)
    }

    private func resumed(_ test: TestStore) -> Bool { test.metric("hearth_tsdb_compactions_resumed_total 1") }

    @Test("by closing at any series goes on after the next start; samples stay what they are")
    func closed() async throws {
        let settings = Settings()
        var resumedCount = 0
        for number in stride(from: 1, to: 90, by: 6) {
            settings.rangeMax.withLock { $0 = 2 * TestStore.hour }
            let test = try await store(settings)
            let contents = try test.contents()
            guard try maintain(test, closingAtChange: number) else { break }
            try test.reopen()
            #expect(try test.contents() == contents)
            let isInterrupted = try !leftovers(test).isEmpty
            try test.store.maintain()
            #expect(resumed(test) == isInterrupted, "closed at change \(number)")
            if isInterrupted { resumedCount += 1 }
            #expect(try test.contents() == contents, "closed at change \(number)")
            #expect(test.store.blocks.all.count == 2)
            #expect(try leftovers(test).isEmpty)
        }
        #expect(resumedCount > 5)
    }

    @Test("is begun anew after a deletion, which it leaves out")
    func deletion() async throws {
        let test = try await store(Settings())
        var expected = try test.contents()
        try interrupt(test)
        let range = TimeRange(min: start, max: start + TestStore.hour)
        try test.store.deleteSeries(matching: [[.equal("i", "1")]], in: range)
        expected[series[1]]?.removeAll { range.contains($0.timestamp) }
        try test.store.maintain()
        #expect(!resumed(test))
        #expect(try test.contents() == expected)
        #expect(test.store.blocks.all.count == 2)
        #expect(test.store.blocks.all.allSatisfy { $0.reader.tombstones.isEmpty })
        #expect(try leftovers(test).isEmpty)
    }

    @Test("keeps the instants that a rule of the retention gave it, and is begun anew when the rules change")
    func rules() async throws {
        for changes in [false, true] {
            let settings = Settings()
            let rule = StorageSettings.RetentionRule(match: [[.equal("i", "1")]], keep: 8 * TestStore.hour)
            settings.rules.withLock { $0 = [rule] }
            let test = try await store(settings)
            try interrupt(test)
            let before = try #require(test.store.retentionInput().newest)
            // A newer sample moves the instants.
            test.clock.advance(by: TestStore.hour / 2)
            try await test.append([(series[0], test.clock.now(), 1)])
            if changes {
                settings.rules.withLock { $0[0].keep = 7 * TestStore.hour }
                try test.reopen()
            }
            let newest = changes ? test.clock.now() : before
            var expected = try test.contents()
            let keep = settings.rules.withLock { $0[0].keep }
            expected[series[1]]?.removeAll { $0.timestamp < newest - keep }
            try test.store.maintain()
            #expect(resumed(test) == !changes)
            #expect(try test.contents() == expected)
        }
    }

    @Test("is removed when other blocks are to be merged, or none")
    func otherPlan() async throws {
        let settings = Settings()
        let test = try await store(settings)
        let contents = try test.contents()
        try interrupt(test)
        settings.rangeMax.withLock { $0 = 2 * TestStore.hour }
        try test.reopen()
        #expect(try leftovers(test).count == 1)
        try test.store.maintain()
        #expect(try leftovers(test).isEmpty)
        #expect(try test.contents() == contents)
        #expect(test.store.blocks.all.count == 4)
    }

    @Test("is removed at the start when one of its blocks is gone, as is what nobody can go on with")
    func blocksGone() async throws {
        let test = try await store(Settings())
        try interrupt(test)
        let blocks = test.directory.path + "/blocks/"
        let first = try #require(test.store.blocks.all.first).identifier.description
        try test.disk.rename(blocks + first, to: test.directory.path + "/elsewhere")
        test.disk.put(blocks + "01ARZ3NDEKTSV4RRFFQ69G5FAV.tmp/progress", Array("HEARTHMP".utf8))
        try test.disk.createDirectory(blocks + "01ARZ3NDEKTSV4RRFFQ69G5FAW.tmp")
        try test.reopen()
        #expect(try leftovers(test).isEmpty)
        #expect(test.store.blocks.all.count == 3)
    }

    @Test("costs no block of the size, is room that its end does not need, and is removed when the disk is short")
    func room() async throws {
        let settings = Settings()
        settings.freeDiskMin.withLock { $0 = 1 << 20 }
        let test = try await store(settings)
        let contents = try test.contents()
        try interrupt(test)
        let interrupted = try #require(test.store.interruptedMerge.withLock { $0 })
        let files = ["data", "progress"].map { (try? test.disk.size(interrupted.path + "/" + $0)) ?? 0 }
        #expect(interrupted.bytes == files.reduce(0, +))
        let others = test.store.retentionInput().otherBytes
        test.store.interruptedMerge.withLock { $0 = nil }
        #expect(others == test.store.retentionInput().otherBytes)
        test.store.interruptedMerge.withLock { $0 = interrupted }
        let bytes = Int64(test.store.blocks.all.prefix(3).reduce(0) { $0 + $1.record.bytes })
        test.disk.setSpace(free: 2 << 20 + bytes - Int64(interrupted.bytes), total: 1 << 30)
        test.store.diskGuard.check()
        try test.store.maintain()
        #expect(resumed(test))
        #expect(try test.contents() == contents)

        settings.rangeMax.withLock { $0 = 2 * TestStore.hour }
        let short = try await store(settings)
        try interrupt(short)
        short.disk.setSpace(free: 1 << 19, total: 1 << 30)
        short.store.diskGuard.check()
        try short.store.maintain()
        #expect(try leftovers(short).isEmpty)
        #expect(short.store.blocks.all.count == 4)
    }
}
