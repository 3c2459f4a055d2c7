import Blocks
import FileIO
import Foundation
import GRDB
import HeadMemory
import OwnThreads
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB
@testable import WAL

@Suite("Damaged files, and databases that cannot be used")
struct QuarantineTests {
    private let up: LabelSet = ["__name__": "up"]

    private func filled(_ hours: Int64, fileSystem: (any FileSystem)? = nil) async throws -> TestStore {
        let test = try TestStore { options in
            if let fileSystem { options.fileSystem = fileSystem }
        }
        for minute in 0..<(hours * 60) {
            test.clock.advance(by: 60_000)
            try await test.append([(up, test.clock.now(), Double(minute))])
        }
        try test.store.maintain()
        return test
    }

    @Test("A block that a query finds damaged fails that query, is set aside and told of, and the rest is served")
    func block() async throws {
        let test = try await filled(8)
        let block = try #require(test.store.blocks.all.first)
        let path = block.reader.path + "/data"
        var bytes = try #require(test.disk.bytes(path))
        bytes[bytes.count - 2] ^= 1
        test.disk.put(path, bytes)
        try test.reopen()
        #expect(throws: StorageError.self) { try test.contents() }
        let count = test.store.blocks.all.count
        try test.store.maintain()
        #expect(test.store.blocks.all.count == count - 1)
        #expect(try test.contents()[up]?.first?.timestamp == block.range.max + 1)
        #expect(try test.disk.list(test.directory.path + "/quarantine") == [block.identifier.description])
        #expect(test.metric("hearth_tsdb_quarantined_blocks 1"))
        #expect(test.store.damages.map(\.after) == [block.range.min])
        try test.reopen()
        #expect(try test.contents()[up]?.first?.timestamp == block.range.max + 1)
    }

    @Test("What was set aside stays so after a loss of power")
    func asideForGood() throws {
        let test = try TestStore()
        let name = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
        let place = test.directory.path + "/blocks/" + name
        test.disk.put(place + "/footer", [1, 2, 3])
        try test.store.maintain()
        #expect(!test.disk.exists(place) && test.disk.exists(test.directory.path + "/quarantine/" + name))
        for seed in UInt64(0)..<16 {
            var random = SeededRandom(seed: seed)
            let after = test.disk.losePower(using: &random)
            #expect(!after.exists(place), "seed \(seed)")
            #expect(after.exists(test.directory.path + "/quarantine/" + name), "seed \(seed)")
        }
    }

    @Test("A block whose index a query finds damaged is set aside too, and the rest is served")
    func index() async throws {
        let test = try await filled(8)
        let block = try #require(test.store.blocks.all.first)
        let path = block.reader.path + "/index"
        var bytes = try #require(test.disk.bytes(path))
        for index in 32..<bytes.count { bytes[index] ^= 1 }
        test.disk.put(path, bytes)
        try test.reopen()
        #expect(throws: StorageError.self) { try test.contents() }
        try test.store.maintain()
        #expect(try test.contents()[up]?.first?.timestamp == block.range.max + 1)
        #expect(test.store.damages.count == 1)
    }

    @Test("The head-chunk files outlive a checkpoint that does not say any more where they end")
    func headState() async throws {
        let test = try TestStore()
        for minute in 0..<130 {
            test.clock.advance(by: 60_000)
            try await test.append([(up, test.clock.now(), Double(minute))])
        }
        try test.store.checkpoint()
        let before = try test.contents()
        let path = try #require(test.disk.paths.first { $0.contains("/wal/checkpoint") })
        var bytes = try #require(test.disk.bytes(path))
        bytes[LogFormat.fileHeaderBytes] ^= 1
        test.store.close()
        test.disk.put(path, bytes)
        try test.reopen()
        #expect(try test.contents() == before)
        #expect(test.store.damages.count == 1)
        try test.reopen()
        #expect(try test.contents() == before)
    }

    @Test("A damaged head chunk that is left out of a block is told of")
    func headChunkInCut() async throws {
        let test = try TestStore()
        for minute in 0..<200 {
            test.clock.advance(by: 60_000)
            try await test.append([(up, test.clock.now(), Double(minute))])
        }
        let path = test.directory.path + "/chunks_head/00000000"
        var bytes = try #require(test.disk.bytes(path))
        bytes[60] ^= 1
        try test.disk.overwrite(path, bytes)
        try test.store.maintain()
        #expect(try test.contents()[up]?.count == 200 - 119)
        #expect(test.store.damages.map(\.file) == [path])
        #expect(test.store.damages.map(\.after) == [TestStore.start])
    }

    @Test("A damaged head chunk fails the query that meets it, is dropped and told of, and the rest is served")
    func headChunk() async throws {
        let test = try await filled(2)
        let before = try #require(try test.contents()[up])
        let path = test.directory.path + "/chunks_head/00000000"
        var bytes = try #require(test.disk.bytes(path))
        bytes[60] ^= 1
        try test.disk.overwrite(path, bytes)
        #expect(throws: StorageError.self) { try test.contents() }
        try test.store.maintain()
        let after = try #require(try test.contents()[up])
        #expect(after.count == before.count - 120 || after.count == before.count - 119)
        #expect(Set(after).isSubset(of: before))
        #expect(test.store.damages.count == 1)
        #expect(test.metric("prometheus_tsdb_mmap_chunk_corruptions_total 1"))
    }

    @Test("A catalog that another process holds locked stops neither start nor samples nor cuts, and is written later")
    func locked() async throws {
        let test = try await filled(4)
        let contents = try test.contents()
        let path = test.directory.path + "/" + Catalog.fileName
        test.store.close()
        let holder = try LockHolder(path)
        try test.reopen()
        #expect(test.store.catalog.refusal != nil)
        #expect(try test.contents() == contents)
        try await appendFourHours(test)
        try test.store.maintain()
        let blocks = test.store.blocks.all.map(\.identifier)
        #expect(blocks.count > 1)
        let held = try test.contents()
        holder.release()
        try test.store.maintain()
        #expect(test.store.catalog.refusal == nil)
        #expect(try test.store.catalog.blocks().map(\.identifier) == blocks)
        try test.reopen()
        #expect(try test.contents() == held)
    }

    /// Appends four hours more, which are due to be cut then.
    private func appendFourHours(_ test: TestStore) async throws {
        for _ in 0..<240 {
            test.clock.advance(by: 60_000)
            try await test.append([(up, test.clock.now(), 1)])
        }
    }

    @Test("A catalog that is full stops neither samples nor queries nor cuts, and is written when there is room again")
    func full() async throws {
        let test = try await filled(4)
        let before = test.store.blocks.all.count
        try await test.store.catalog.queue.writeWithoutTransaction { database in
            // As many pages as it has now, and rows that name no block until the last of them is full.
            try database.execute(sql: "PRAGMA max_page_count = 1")
            let filling = "INSERT INTO block VALUES (?, 0, 0, 0, 0, 0, 0)"
            #expect(throws: DatabaseError.self) {
                for filler in 0..<10_000 { try database.execute(sql: filling, arguments: ["filler-\(filler)"]) }
            }
        }
        try await appendFourHours(test)
        try test.store.maintain()
        #expect(test.store.blocks.all.count > before)
        let held = try test.contents()
        #expect(held[up]?.count == 480)
        // The limit went with the connection: the file is in use again.
        #expect(test.store.catalog.refusal == nil)
        #expect(try test.store.catalog.blocks().map(\.identifier) == test.store.blocks.all.map(\.identifier))
        try test.reopen()
        #expect(try test.contents() == held)
    }

    @Test("A catalog whose bytes are overwritten while it is open is set aside and written anew")
    func overwritten() async throws {
        let disk = PosixFileSystem()
        let test = try await filled(4, fileSystem: disk)
        let path = test.directory.path + "/" + Catalog.fileName
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.write(contentsOf: Data(repeating: 0x5A, count: 20_000))
        try handle.close()
        try await appendFourHours(test)
        try test.store.maintain()
        let held = try test.contents()
        #expect(held[up]?.count == 480)
        #expect(disk.exists(path + ".damaged"))
        #expect(try test.store.catalog.blocks().map(\.identifier) == test.store.blocks.all.map(\.identifier))
        try test.reopen()
        #expect(try test.contents() == held)
    }

    @Test("A lost catalog is rebuilt from the blocks")
    func rebuild() async throws {
        let test = try await filled(8)
        let contents = try test.contents()
        let rows = try test.store.catalog.blocks()
        test.store.close()
        try PosixFileSystem().remove(test.directory.path + "/" + Catalog.fileName)
        #expect(try Catalog.rebuild(fileSystem: test.disk, directory: test.directory.path) == rows.count)
        try test.reopen()
        #expect(try test.store.catalog.blocks() == rows)
        #expect(try test.contents() == contents)
    }

    @Test("A log that is damaged in the middle is refused on request, and nothing is changed")
    func refusal() async throws {
        let test = try await filled(1)
        try await test.append([(up, test.clock.now() + 1, 1)])
        try test.reopen()
        try await test.append([(up, test.clock.now() + 2, 1)])
        test.store.close()
        let path = test.directory.path + "/wal/00000000"
        var bytes = try #require(test.disk.bytes(path))
        bytes[bytes.count - 3] ^= 1
        test.disk.put(path, bytes)
        var options = TestStore.options(test.directory.path, test.disk, test.clock)
        options.refusesDamagedLog = true
        #expect(throws: StorageError.self) { try TSDB.open(options) }
        #expect(test.disk.bytes(path) == bytes)
        try test.reopen()
        let span = try #require(test.store.damages.first)
        #expect(span.file == path)
        #expect(try test.contents()[up]?.last?.timestamp == test.clock.now() + 2)
    }
}

/// Holds an SQLite file locked for itself, on a thread of its own.
private final class LockHolder: Sendable {
    private enum Phase { case starting, locked, released, done }

    private let phase = Monitor(Phase.starting)

    init(_ path: String) throws {
        let queue = try DatabaseQueue(path: path)
        let phase = phase
        try SystemThread.start("lock-holder") {
            try? queue.inTransaction(.exclusive) { _ in
                phase.change { $0 = .locked }
                phase.wait { $0 == .released ? () : nil }
                return .rollback
            }
            try? queue.close()
            phase.change { $0 = .done }
        }
        phase.wait { $0 == .starting ? nil : () }
    }

    func release() {
        phase.change { $0 = .released }
        phase.wait { $0 == .done ? () : nil }
    }
}
