import FileIO
import SelfMetrics
import SeriesModel
import StorageAPI
import TestSupport
import Testing
import WAL

@testable import TSDB

@Suite("Durability")
struct DurabilityTests {
    private func labels(_ index: Int) -> LabelSet { ["__name__": "m", "i": "\(index)"] }

    private func fill(_ test: TestStore, scrapes: Int, series: Int = 20) async throws {
        for scrape in 0..<scrapes {
            test.clock.advance(by: 15_000)
            try await test.append((0..<series).map { (labels($0), test.clock.now(), Double(scrape * 100 + $0)) })
        }
    }

    @Test("After an end that was not clean a round of maintenance makes the checkpoint that a sync waits for")
    func doubtfulLog() async throws {
        let test = try TestStore()
        try await test.append([(["__name__": "m"], test.clock.now(), 1)])
        try test.kill()
        #expect(test.store.log.isDoubtful)
        try test.store.maintain()
        #expect(!test.store.log.isDoubtful)
        try test.store.log.sync()
    }

    @Test("Closing and opening again changes nothing")
    func reopening() async throws {
        let test = try TestStore()
        try await fill(test, scrapes: 300)
        let before = try test.contents()
        #expect(before.count == 20)
        try test.reopen()
        #expect(try test.contents() == before)
        #expect(test.metric("prometheus_tsdb_clean_start 1"))
    }

    @Test("What was acknowledged is there after the process was killed")
    func killing() async throws {
        let test = try TestStore()
        try await fill(test, scrapes: 300)
        let before = try test.contents()
        try test.kill()
        #expect(try test.contents() == before)
        #expect(test.metric("prometheus_tsdb_clean_start 0"))
        // And it goes on from there.
        try await fill(test, scrapes: 3)
        #expect(try test.contents()[labels(0)]?.count == 303)
    }

    @Test("What was synced is there after a power cut, and nothing is there that was never appended")
    func powerCut() async throws {
        for seed in UInt64(1)...20 {
            var random = SeededRandom(seed: seed)
            let test = try TestStore()
            try await fill(test, scrapes: 100)
            try test.store.log.sync()
            let synced = try test.contents()
            try await fill(test, scrapes: 100)
            let all = try test.contents()
            try test.losePower(using: &random)
            let after = try test.contents()
            for (labels, samples) in all {
                let kept = after[labels] ?? []
                #expect(kept.starts(with: synced[labels] ?? []), "seed \(seed)")
                #expect(samples.starts(with: kept), "seed \(seed)")
            }
        }
    }

    @Test("A power cut at any time around cuts and checkpoints loses nothing that was synced")
    func powerCutWithBlocks() async throws {
        for seed in UInt64(1)...10 {
            var random = SeededRandom(seed: seed)
            let test = try TestStore()
            try await fill(test, scrapes: 4 * 60 * 4, series: 3)
            try test.store.maintain()
            try await fill(test, scrapes: Int.random(in: 0...100, using: &random), series: 3)
            try test.store.log.sync()
            let synced = try test.contents()
            try test.losePower(using: &random)
            #expect(try test.contents() == synced, "seed \(seed)")
        }
    }

    @Test("A batch that cannot be logged is refused as a whole, and the next one is taken")
    func failingWrite() async throws {
        let test = try TestStore()
        try await fill(test, scrapes: 2)
        let before = try test.contents()
        for kind in [SimulatedFileSystem.WriteFailure.whole, .half, .halfAndTruncate] {
            test.disk.failWrite(0, kind)
            test.clock.advance(by: 15_000)
            await #expect(throws: StorageError.self) {
                try await test.append([(labels(0), test.clock.now(), 1), (labels(99), test.clock.now(), 1)])
            }
            #expect(try test.contents() == before)
            #expect(test.store.headStatistics().seriesCount == 20)
        }
        #expect(test.metric("prometheus_tsdb_wal_writes_failed_total 3"))
        let result = try await test.append([(labels(0), test.clock.now(), 7), (labels(99), test.clock.now(), 8)])
        #expect(result.accepted == 2)
        let after = try test.contents()
        try test.kill()
        #expect(try test.contents() == after)
    }

    @Test("After a checkpoint the log before it goes, and everything is there still")
    func checkpoint() async throws {
        let test = try TestStore()
        try await fill(test, scrapes: 200)
        let before = try test.contents()
        try test.store.checkpoint()
        let segments = try test.disk.list(test.directory.path + "/wal")
        #expect(segments.count == 2, "\(segments)")
        try test.kill()
        #expect(try test.contents() == before)
        try await fill(test, scrapes: 10)
        try test.store.checkpoint()
        let later = try test.contents()
        try test.reopen()
        #expect(try test.contents() == later)
    }

    @Test("A sync that fails is followed by a checkpoint at once")
    func failingSync() async throws {
        let test = try TestStore()
        try await fill(test, scrapes: 3)
        let before = try test.contents()
        test.disk.failSyncs(true)
        #expect(throws: StorageError.self) { try test.store.log.sync() }
        test.disk.failSyncs(false)
        try test.store.checkpoint()
        var random = SeededRandom(seed: 1)
        try test.losePower(using: &random)
        #expect(try test.contents() == before)
    }

    @Test("A directory that is in use is refused")
    func lock() throws {
        let test = try TestStore()
        var options = test.store.options
        options.metrics = .init()
        #expect {
            _ = try TSDB.open(options)
        } throws: { error in
            "\(error)".contains("another process uses this directory")
        }
    }

    @Test("A directory of a newer format is refused, in words that say so")
    func format() throws {
        let test = try TestStore()
        test.store.close()
        test.disk.put(test.directory.path + "/FORMAT", Array("hearth 9\noldest-reader 8\n".utf8))
        #expect {
            try test.reopen()
        } throws: { error in
            "\(error)".contains("written by a newer Hearth")
        }
    }

    @Test("A closed store takes nothing")
    func closed() async throws {
        let test = try TestStore()
        test.store.close()
        test.store.close()
        await #expect(throws: StorageError.closed) { try await test.append([(labels(0), TestStore.start, 1)]) }
        #expect(throws: StorageError.closed) { try test.store.maintain() }
    }

    @Test("Damage in the log is reported and counted, and the rest is served")
    func damage() async throws {
        let test = try TestStore()
        try await fill(test, scrapes: 10)
        let path = test.directory.path + "/wal/00000000"
        var bytes = try #require(test.disk.bytes(path))
        bytes.removeLast(3)
        test.store.close()
        test.disk.put(path, bytes)
        try test.reopen()
        #expect(try test.contents()[labels(0)]?.count == 9)
        #expect(test.store.corruptionCount == 1)
        #expect(test.metric("prometheus_tsdb_wal_corruptions_total 1"))
    }
}
