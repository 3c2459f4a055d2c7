import Blocks
import Dispatch
import FileIO
import HeadMemory
import SeriesModel
import StorageAPI
import Synchronization
import TestSupport
import Testing
import WAL

@testable import TSDB

@Suite("Merging blocks")
struct MergeTests {
    private let up: LabelSet = ["__name__": "up", "job": "api"]
    private let down: LabelSet = ["__name__": "down", "job": "api"]
    private let start = TestStore.start / (6 * TestStore.hour) * (6 * TestStore.hour) + 6 * TestStore.hour

    /// A store whose blocks climb the ladder.
    private func store(_ adjust: @escaping (inout TSDBOptions) -> Void = { _ in }) throws -> TestStore {
        try TestStore(now: start) { options in
            options.settings.retentionTime = 30 * 24 * TestStore.hour
            options.blockRangeMax = nil
            adjust(&options)
        }
    }

    /// A sample a minute for so many hours, blocks cut as they fall due.
    private func fill(_ test: TestStore, hours: Int64, from: Int64 = 0) async throws {
        for minute in (from * 60)..<((from + hours) * 60) {
            let time = start + minute * 60_000
            if time > test.clock.now() { test.clock.advance(by: time - test.clock.now()) }
            try await test.append([(up, time, Double(minute)), (down, time, Double(minute % 7) / 4)])
            if minute % 60 == 0 { try test.store.maintain() }
        }
        try test.store.maintain()
    }

    @Test("makes six hours of three times two, and eighteen of three times six; samples stay what they are")
    func ladder() async throws {
        let test = try store()
        try await fill(test, hours: 16)
        let ranges = test.store.blocks.all.map { ($0.reader.range.max - $0.reader.range.min) / TestStore.hour }
        #expect(ranges == [6, 6, 2])
        #expect(test.store.blocks.all.map(\.record.level) == [2, 2, 1])
        let contents = try test.contents()
        #expect(contents[up]?.map(\.timestamp) == (0..<(16 * 60)).map { start + Int64($0) * 60_000 })
        #expect(contents[up]?.map(\.bits) == (0..<(16 * 60)).map { Double($0).bitPattern })
        try test.reopen()
        #expect(try test.contents() == contents)
        #expect(try test.disk.list(test.directory.path + "/blocks").count == 3)
        #expect(test.metric("prometheus_tsdb_compactions_failed_total 0"))
    }

    @Test("that fails at any write leaves the blocks as they were, and goes through the next time")
    func failures() async throws {
        for failing in 0..<6 {
            let rangeMax = Mutex(2 * TestStore.hour)
            let test = try store { options in options.blockRangeMax = rangeMax.withLock { $0 } }
            try await fill(test, hours: 10)
            let contents = try test.contents()
            #expect(test.store.blocks.all.count == 4)
            rangeMax.withLock { $0 = 6 * TestStore.hour }
            try test.reopen()
            test.disk.failWrite(failing, .half)
            do {
                try test.store.maintain()
            } catch {
                #expect(try test.contents() == contents, "write \(failing)")
                try test.store.maintain()
            }
            #expect(test.store.blocks.all.count == 2)
            #expect(try test.contents() == contents)
        }
    }

    @Test(
        "that a power cut interrupts at any moment loses nothing (seeds 1 to 12)",
        arguments: 1...12 as ClosedRange<UInt64>)
    func powerCut(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let test = try store()
        try await fill(test, hours: 6)
        try test.store.log.sync()
        let contents = try test.contents()
        test.disk.failWrite(Int.random(in: 0..<8, using: &random), .whole)
        try? test.store.maintain()
        try test.losePower(using: &random)
        #expect(try test.contents() == contents)
        try test.store.maintain()
        #expect(try test.contents() == contents)
    }

    @Test("that cannot read what it wrote leaves nothing of it behind")
    func unreadable() async throws {
        var failureCount = 0
        for failing in 0..<24 {
            let rangeMax = Mutex(2 * TestStore.hour)
            let test = try store { options in options.blockRangeMax = rangeMax.withLock { $0 } }
            try await fill(test, hours: 10)
            let contents = try test.contents()
            rangeMax.withLock { $0 = 6 * TestStore.hour }
            try test.reopen()
            test.disk.failCall(failing, of: .read)
            if (try? test.store.maintain()) == nil { failureCount += 1 }
            test.disk.failNoCall()
            #expect(
                try test.disk.list(test.directory.path + "/blocks").sorted()
                    == test.store.blocks.all.map(\.identifier.description).sorted(), "read \(failing)")
            #expect(try test.contents() == contents)
        }
        #expect(failureCount > 1)
    }

    @Test("pauses for a block of the head that is overdue, and goes on where it was")
    func makesWay() async throws {
        let rangeMax = Mutex(2 * TestStore.hour)
        let test = try store { options in
            options.blockRangeMax = rangeMax.withLock { $0 }
        }
        try await fill(test, hours: 10)
        #expect(test.store.blocks.all.count == 4)
        var expected = try test.contents()
        rangeMax.withLock { $0 = 6 * TestStore.hour }
        try test.reopen()
        let late = start + 15 * TestStore.hour
        test.clock.advance(by: late - test.clock.now())
        let (store, up) = (test.store, up)
        let begun = Mutex<[String]>([])
        test.disk.observeChanges { disk in
            let directories = (try? disk.list(store.options.directory + "/blocks")) ?? []
            guard let merging = directories.first(where: { $0.hasSuffix(".tmp") }) else { return }
            guard
                begun.withLock({
                    $0.append(merging); return $0.count == 1
                })
            else { return }
            let isThere = DispatchSemaphore(value: 0)
            Task {
                var batch = SampleBatch()
                batch.append(up, late, -1)
                _ = try await store.append(batch)
                isThere.signal()
            }
            #expect(isThere.wait(timeout: .now() + 60) == .success)
        }
        try test.store.maintain()
        test.disk.observeChanges(nil)
        expected[up]?.append(Sample(late, -1))
        #expect(try test.contents() == expected)
        let ranges = test.store.blocks.all.map { ($0.reader.range.max - $0.reader.range.min) / TestStore.hour }
        #expect(ranges == [6, 2, 2])
        let merged = try #require(test.store.blocks.all.first).identifier.description
        #expect(begun.withLock { $0.first } == merged + ".tmp", "the merge was not begun anew")
    }

    @Test("waits while the disk has no room, and goes on when it has")
    func room() async throws {
        let test = try store { options in
            options.freeDiskMin = 1 << 20
        }
        test.disk.setSpace(free: 3 << 19, total: 1 << 30)
        test.store.diskGuard.check()
        try await fill(test, hours: 10)
        #expect(test.store.blocks.all.count == 4)
        #expect(!test.metric("prometheus_tsdb_compactions_skipped_total 0"))
        test.disk.setSpace(free: 1 << 29, total: 1 << 30)
        test.store.diskGuard.check()
        try test.store.maintain()
        #expect(test.store.blocks.all.count == 2)
    }

    @Test("waits for blocks that are not listed as uploaded")
    func uploaded() async throws {
        let test = try store { options in
            options.delayCompactFile = "/data/thanos.shipper.json"
        }
        test.disk.put("/data/thanos.shipper.json", Array(#"{"version": 1, "uploaded": []}"#.utf8))
        try await fill(test, hours: 10)
        #expect(test.store.blocks.all.count == 4)
        let names = test.store.blocks.all.map { "\"\($0.identifier)\"" }.joined(separator: ",")
        test.disk.put("/data/thanos.shipper.json", Array(#"{"version": 1, "uploaded": [\#(names)]}"#.utf8))
        try test.store.maintain()
        #expect(test.store.blocks.all.count == 2)
    }

    @Test("brings samples out of order into the block of their time")
    func outOfOrder() async throws {
        let test = try store { options in
            options.settings.outOfOrderWindow = 5 * TestStore.hour
        }
        try await fill(test, hours: 5)
        let late = start + 30 * 60_000 + 1
        try await test.append([(up, late, -1), (down, late, -2)])
        #expect(try test.contents()[up]?.contains { $0.timestamp == late } ?? false)
        try test.kill()
        #expect(try test.contents()[up]?.contains { $0.timestamp == late } ?? false, "over a kill")
        try await fill(test, hours: 4, from: 5)
        #expect(test.store.head.outOfOrderSeriesCount == 0)
        let held = try #require(try test.contents()[up])
        #expect(held.filter { $0.timestamp == late }.count == 1)
        #expect(held.count == 9 * 60 + 1)
        #expect(test.store.blocks.all.map(\.range.min) == test.store.blocks.all.map(\.range.min).sorted())
        for (a, b) in zip(test.store.blocks.all, test.store.blocks.all.dropFirst()) {
            #expect(a.range.max < b.range.min)
        }
        #expect(!test.metric("prometheus_tsdb_vertical_compactions_total 0"))
    }

    @Test("leaves out what a rule of the retention does not keep so long")
    func rules() async throws {
        let matcher = try LabelMatcher(.equal, "__name__", "down")
        let test = try store { options in
            options.settings.retentionRules = [.init(match: [[matcher]], keep: 4 * TestStore.hour)]
        }
        try await fill(test, hours: 16)
        let report = try test.store.retentionDryRun()
        #expect(report.rows.isEmpty, "all that can go is gone")
        let contents = try test.contents()
        #expect(contents[up]?.count == 16 * 60)
        let oldest = try #require(contents[down]?.first?.timestamp)
        #expect(oldest >= start + 6 * TestStore.hour, "the first block had nothing else to lose")
    }
}
