import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing
import WAL

@testable import TSDB

@Suite("A disk that fills up")
struct DiskFullTests {
    private let up: LabelSet = ["__name__": "up"]
    private static let reserveBytes = 20_000

    private func reserve(_ test: TestStore) -> String { test.directory.path + "/reserve" }

    /// Appends a sample a minute, of several series. - Returns: how many batches were taken before one was refused.
    @discardableResult
    private func fill(_ test: TestStore, minutes: Int) async throws -> Int {
        for minute in 0..<minutes {
            test.clock.advance(by: 60_000)
            let now = test.clock.now()
            do {
                try await test.append((0..<20).map { (["__name__": "m", "i": "\($0)"], now, Double(now) * 1.1) })
            } catch StorageError.diskFull {
                return minute
            }
        }
        return minutes
    }

    /// The disk has so much room and no more.
    private func leave(_ bytes: Int, on test: TestStore) { test.disk.setCapacity(test.disk.usedBytes + bytes) }

    @Test("The reserve takes its room at the start, is given up below the floor, and taken again when there is room")
    func reserve() async throws {
        let test = try TestStore { options in
            options.diskReserve = Int64(Self.reserveBytes)
            options.freeDiskMin = 50_000
        }
        #expect(try test.disk.size(reserve(test)) == Self.reserveBytes)
        #expect(test.disk.usedBytes > Self.reserveBytes)
        #expect(test.metric("hearth_tsdb_disk_reserve_bytes \(Self.reserveBytes)"))
        leave(45_000, on: test)
        test.store.diskGuard.check()
        #expect(!test.disk.exists(reserve(test)))
        #expect(test.metric("hearth_tsdb_disk_reserve_bytes 0"))
        // With its room there is more free than the floor, for the time being.
        #expect(try await fill(test, minutes: 1) == 1)
        leave(45_000, on: test)
        test.store.diskGuard.check()
        #expect(try await fill(test, minutes: 1) == 0)
        #expect(test.store.problems.map(\.kind) == [.diskSpace])
        leave(60_000, on: test)
        test.store.diskGuard.check()
        #expect(try await fill(test, minutes: 1) == 1)
        #expect(test.store.problems.isEmpty)
        #expect(!test.disk.exists(reserve(test)), "not before there is twice as much room")
        leave(100_000, on: test)
        test.store.diskGuard.check()
        #expect(try test.disk.size(reserve(test)) == Self.reserveBytes)
    }

    @Test(
        "A write that finds no room gives the reserve up: a cut and a checkpoint can be finished, samples wait for room"
    )
    func reserveForMaintenance() async throws {
        let test = try TestStore { $0.diskReserve = 300_000 }
        #expect(try await fill(test, minutes: 200) == 200)
        leave(1000, on: test)
        let taken = try await fill(test, minutes: 10)
        #expect(taken < 10)
        #expect(!test.disk.exists(reserve(test)))
        #expect(test.store.problems.map(\.kind).contains(.diskSpace))
        let before = try test.contents()
        try test.store.maintain()
        #expect(test.store.blocks.all.count == 1)
        #expect(try test.disk.list(test.directory.path + "/wal").contains { $0.hasPrefix("checkpoint-") })
        #expect(try test.contents() == before)
        // What the checkpoint gave back is not enough to take the reserve again: samples wait.
        #expect(try await fill(test, minutes: 1) == 0)
        #expect(test.metric("hearth_tsdb_appends_refused_disk_total 2"))
        leave(700_000, on: test)
        test.store.diskGuard.check()
        #expect(try await fill(test, minutes: 5) == 5)
        #expect(test.store.problems.isEmpty)
        let after = try test.contents()
        #expect(after.values.allSatisfy { $0.count == 200 + taken + 5 })
        try test.kill()
        #expect(try test.contents() == after)
    }

    @Test("Without floor and reserve each write is tried: samples are refused, then taken again by the same store")
    func nothingConfigured() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 30)
        leave(2000, on: test)
        let taken = try await fill(test, minutes: 50)
        #expect(taken < 50)
        for _ in 0..<3 { #expect(try await fill(test, minutes: 1) == 0) }
        #expect(test.metric("hearth_tsdb_appends_refused_disk_total 4"))
        #expect(Set(test.store.problems.map(\.kind)) == [.diskSpace, .logWrite])
        let before = try test.contents()
        #expect(before.values.allSatisfy { $0.count == 30 + taken })
        // A check does not know better than the next write.
        test.store.diskGuard.check()
        #expect(try await fill(test, minutes: 1) == 0)
        leave(1_000_000, on: test)
        #expect(try await fill(test, minutes: 5) == 5)
        #expect(test.store.problems.isEmpty)
        let after = try test.contents()
        #expect(after.values.allSatisfy { $0.count == 35 + taken })
        try test.store.log.sync()
        var random = SeededRandom(seed: 3)
        try test.losePower(using: &random)
        #expect(try test.contents() == after)
    }

    // MARK: - Shedding

    /// Blocks of two hours each, as the head was cut.
    private func withBlocks(_ adjust: @escaping (inout TSDBOptions) -> Void) async throws -> TestStore {
        let test = try TestStore(adjust: adjust)
        for _ in 0..<12 {
            try await fill(test, minutes: 60)
            try test.store.maintain()
        }
        // There is nothing that another one would make superfluous.
        try test.store.checkpoint()
        #expect(test.store.blocks.all.count == 5)
        return test
    }

    private func starts(_ test: TestStore) -> [Int64] {
        test.store.blocks.all.map { ($0.range.min - TestStore.start) / TestStore.hour }
    }

    @Test("The oldest blocks go, one after the other, until the floor is free again; no sample is refused for it")
    func shedding() async throws {
        let test = try await withBlocks { options in
            options.freeDiskMin = 10_000
            options.shedBlocksOlderThan = 3 * TestStore.hour
        }
        let sizes = test.store.blocks.all.map(\.record.bytes)
        leave(10_000 - sizes[0] - sizes[1] / 2, on: test)
        test.store.diskGuard.check()
        #expect(test.store.diskGuard.wantsMaintenance)
        #expect(try await fill(test, minutes: 1) == 1)
        try test.store.maintain()
        #expect(starts(test) == [4, 6, 8])
        #expect(test.metric("hearth_tsdb_blocks_shed_total 2"))
        #expect(try test.disk.list(test.directory.path + "/blocks").count == 3)
        #expect(test.store.problems.isEmpty)
        #expect(try await fill(test, minutes: 1) == 1)
        let after = try test.contents()
        try test.kill()
        #expect(try test.contents() == after)
    }

    @Test("What is younger than allowed stays: samples are refused then, and taken again when there is room")
    func sheddingEnds() async throws {
        let test = try await withBlocks { options in
            options.freeDiskMin = 10_000
            options.shedBlocksOlderThan = 6 * TestStore.hour
        }
        leave(0, on: test)
        test.store.diskGuard.check()
        try? test.store.maintain()
        let kept = starts(test)
        #expect(kept.count < 5 && kept.last == 8)
        leave(0, on: test)
        test.store.diskGuard.check()
        try? test.store.maintain()
        try? test.store.maintain()
        #expect(starts(test) == [6, 8], "what ends more than six hours before the newest sample has gone")
        #expect(try await fill(test, minutes: 1) == 0)
        #expect(!test.store.diskGuard.wantsMaintenance, "there is nothing more to do")
        leave(1_000_000, on: test)
        test.store.diskGuard.check()
        #expect(try await fill(test, minutes: 1) == 1)
        try test.store.maintain()
        #expect(test.store.problems.isEmpty)
    }

    @Test("A write that finds no room has the oldest block deleted, also where there is no floor")
    func sheddingWithoutFloor() async throws {
        let test = try await withBlocks { $0.shedBlocksOlderThan = TestStore.hour }
        let before = starts(test)
        leave(0, on: test)
        #expect(try await fill(test, minutes: 1) == 0)
        #expect(test.store.diskGuard.wantsMaintenance)
        try? test.store.maintain()
        #expect(starts(test) == Array(before.dropFirst()))
        #expect(try await fill(test, minutes: 3) == 3)
        try test.store.maintain()
        #expect(test.store.problems.isEmpty)
    }

    @Test("The newest block is never deleted, and none where it was not allowed")
    func kept() async throws {
        let allowed = try await withBlocks { options in
            options.freeDiskMin = 10_000
            options.shedBlocksOlderThan = 0
        }
        for _ in 0..<10 {
            leave(0, on: allowed)
            allowed.store.diskGuard.check()
            try? allowed.store.maintain()
        }
        #expect(starts(allowed) == [8])
        let other = try await withBlocks { $0.freeDiskMin = 10_000 }
        leave(0, on: other)
        other.store.diskGuard.check()
        try? other.store.maintain()
        #expect(starts(other) == [0, 2, 4, 6, 8])
        #expect(try other.contents().values.allSatisfy { $0.count == 12 * 60 })
        #expect(try await fill(other, minutes: 1) == 0)
    }

    // MARK: - The file

    @Test(
        "A reserve of another size is made anew, one that is not wanted any more is removed, a small disk has a small one"
    )
    func size() throws {
        var size: Int64 = 20_000
        let test = try TestStore { $0.diskReserve = size }
        #expect(try test.disk.size(reserve(test)) == 20_000)
        size = 30_000
        try test.reopen()
        #expect(try test.disk.size(reserve(test)) == 30_000)
        try test.kill()
        #expect(try test.disk.size(reserve(test)) == 30_000)
        size = 0
        try test.reopen()
        #expect(!test.disk.exists(reserve(test)))
        size = 1 << 40
        test.disk.setSpace(free: 500_000, total: 1_000_000)
        try test.reopen()
        #expect(try test.disk.size(reserve(test)) == 10_000)
    }

    @Test("A reserve that the disk does not give is left out, and nothing of it stays")
    func refusedReserve() async throws {
        let test = try TestStore { $0.diskReserve = 20_000 }
        leave(45_000, on: test)
        test.store.diskGuard.noteFull()
        test.disk.setSpace(free: 1 << 30, total: 1 << 40)
        test.disk.setCapacity(nil)
        test.disk.setRoom(5000)
        test.store.diskGuard.check()
        #expect(!test.disk.exists(reserve(test)))
        #expect(try await fill(test, minutes: 1) == 0)
        test.disk.setRoom(nil)
        test.store.diskGuard.check()
        #expect(try await fill(test, minutes: 1) == 1)
    }
}
