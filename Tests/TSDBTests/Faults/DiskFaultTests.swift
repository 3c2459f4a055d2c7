import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing
import WAL

@testable import TSDB

@Suite("A disk that refuses")
struct DiskFaultTests {
    private let up: LabelSet = ["__name__": "up"]

    private func fill(_ test: TestStore, minutes: Int) async throws {
        for _ in 0..<minutes {
            test.clock.advance(by: 60_000)
            try await test.append([(up, test.clock.now(), Double(test.clock.now() / 60_000 % 1000))])
        }
    }

    /// While the disk refuses: samples are refused and counted, maintenance says why, queries go on. Then everything
    /// works without a restart, and nothing of it is seen after one.
    private func outage(_ test: TestStore, begin: () -> Void, end: () -> Void) async throws {
        try await fill(test, minutes: 200)
        let before = try test.contents()
        begin()
        test.clock.advance(by: 60_000)
        var refused = 0
        for _ in 0..<3 {
            do {
                try await test.append([(up, test.clock.now(), -1), (["__name__": "new"], test.clock.now(), -1)])
            } catch {
                refused += 1
            }
        }
        #expect(refused == 3)
        #expect(test.metric("prometheus_tsdb_wal_writes_failed_total 3"))
        #expect(try test.contents() == before)
        #expect(throws: (any Error).self) { try test.store.maintain() }
        #expect(throws: (any Error).self) { try test.store.checkpoint() }
        #expect(throws: (any Error).self) { try test.store.snapshot(skipHead: false) }
        #expect(try test.contents() == before)
        end()
        try await fill(test, minutes: 10)
        try test.store.maintain()
        #expect(!test.store.blocks.all.isEmpty)
        try test.store.checkpoint()
        try test.store.log.sync()
        let after = try test.contents()
        #expect(after[up]?.count == 210)
        #expect(after.count == 1)
        var random = SeededRandom(seed: 1)
        try test.losePower(using: &random)
        #expect(try test.contents() == after)
        #expect(test.store.damages.isEmpty)
    }

    @Test(
        "A full disk: queries go on, and samples are taken again when it has room, without a restart",
        arguments: [0, 7])
    func full(room: Int) async throws {
        let test = try TestStore()
        try await outage(test, begin: { test.disk.setRoom(room) }, end: { test.disk.setRoom(nil) })
    }

    @Test("A disk that became read-only: queries go on, and samples are taken again when it is not, without a restart")
    func readOnly() async throws {
        let test = try TestStore()
        try await outage(test, begin: { test.disk.setReadOnly(true) }, end: { test.disk.setReadOnly(false) })
    }

    @Test("A sync that failed proves nothing when it is asked for again: a checkpoint does")
    func failedSync() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 130)
        test.disk.failSyncs(true)
        #expect(throws: StorageError.self) { try test.store.log.sync() }
        #expect(throws: StorageError.self) { try test.store.checkpoint() }
        test.disk.failSyncs(false)
        try test.store.checkpoint()
        let before = try test.contents()
        for seed in UInt64(0)..<8 {
            var random = SeededRandom(seed: seed)
            try test.losePower(using: &random)
            #expect(try test.contents() == before, "seed \(seed)")
        }
    }

    @Test("A call that fails with EIO leaves what it was for undone, and the next attempt does it", arguments: 0..<40)
    func anyCall(index: Int) async throws {
        let test = try TestStore()
        try await fill(test, minutes: 190)
        let before = try test.contents()
        test.disk.failCall(index)
        try? test.store.maintain()
        test.disk.failNoCall()
        #expect(try test.contents() == before)
        try test.store.maintain()
        #expect(try test.contents() == before)
        #expect(try test.disk.list(test.directory.path + "/blocks").count == test.store.blocks.all.count)
        try test.kill()
        #expect(try test.contents() == before)
        #expect(test.store.damages.isEmpty)
    }

    @Test("A start that the disk refuses says so, and the next one finds everything", arguments: 0..<20)
    func start(index: Int) async throws {
        let test = try TestStore()
        try await fill(test, minutes: 190)
        try test.store.maintain()
        let before = try test.contents()
        let disk = test.disk.killProcess()
        disk.failCall(index, 5)
        do {
            try test.restart(on: disk)
        } catch {
            disk.failNoCall()
            try test.restart(on: disk)
        }
        disk.failNoCall()
        #expect(try test.contents() == before)
    }

    @Test("A start that fails at its very end lets go of the directory")
    func startEnd() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 5)
        try test.store.checkpoint()
        let name = try #require(test.disk.list(test.directory.path + "/wal").first { $0.hasPrefix("checkpoint") })
        let path = test.directory.path + "/wal/" + name
        var bytes = try #require(test.disk.bytes(path))
        bytes[bytes.count - 1] ^= 1
        let disk = test.disk.killProcess()
        try disk.overwrite(path, bytes)
        // A new checkpoint is due at once, in place of the damaged one.
        disk.failSyncs(true)
        #expect(throws: StorageError.self) { try test.restart(on: disk) }
        disk.failSyncs(false)
        try test.restart(on: disk)
        #expect(try test.contents()[up]?.count == 5)
    }

    @Test("What a killed process has not synced, the next one does")
    func segmentsOfKilledProcess() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 5)
        try test.kill()
        let before = try test.contents()
        // Nobody knows what syncs the killed one met.
        #expect(throws: StorageError.self) { try test.store.log.sync() }
        test.store.syncLog()
        try test.store.log.sync()
        for seed in UInt64(0)..<8 {
            var random = SeededRandom(seed: seed)
            try test.losePower(using: &random)
            #expect(try test.contents() == before, "seed \(seed)")
        }
    }

    @Test("The log says that it is not synced until a checkpoint has taken the place of what may be lost")
    func doubtfulLog() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 5)
        test.disk.failCall(0, of: .sync)
        #expect(throws: StorageError.self) { try test.store.log.sync() }
        #expect(throws: StorageError.self) { try test.store.log.sync() }
        try await fill(test, minutes: 1)
        test.disk.failCall(0, of: .create)
        #expect(throws: StorageError.self) { try test.store.checkpoint() }
        #expect(throws: StorageError.self) { try test.store.log.sync() }
        try test.store.checkpoint()
        try test.store.log.sync()
        let before = try test.contents()
        var random = SeededRandom(seed: 1)
        try test.losePower(using: &random)
        #expect(try test.contents() == before)
    }

    @Test("Closing after a sync that failed writes everything out anew")
    func closingDoubtfulLog() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 5)
        let before = try test.contents()
        test.disk.failCall(0, of: .sync)
        try test.reopen()
        for seed in UInt64(0)..<8 {
            var random = SeededRandom(seed: seed)
            try test.losePower(using: &random)
            #expect(try test.contents() == before, "seed \(seed)")
        }
    }

    @Test("A head chunk that the disk does not give fails the query and the cut, and is there when it does again")
    func unreadableForAMoment() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 200)
        let before = try test.contents()
        test.disk.failCall(0, of: .read)
        #expect(throws: StorageError.self) { try test.contents() }
        test.disk.failCall(0, of: .read)
        #expect(throws: StorageError.self) { try test.store.maintain() }
        #expect(try test.contents() == before)
        try test.store.maintain()
        #expect(!test.store.blocks.all.isEmpty)
        #expect(try test.contents() == before)
        #expect(test.store.damages.isEmpty)
    }

    @Test("A head chunk that the disk never gives is left out of the block in the end, and told of")
    func unreadableForGood() async throws {
        let test = try TestStore()
        try await fill(test, minutes: 200)
        var attempts = 0
        while test.store.damages.isEmpty, attempts < 20 {
            attempts += 1
            test.disk.failCall(0, of: .read)
            try? test.store.maintain()
            test.disk.failNoCall()
        }
        #expect(attempts == 11)
        #expect(test.store.damages.map(\.after) == [TestStore.start])
        #expect(try test.contents()[up]?.count == 200 - 119)
    }
}
