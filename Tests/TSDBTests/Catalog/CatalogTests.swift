import Blocks
import FileIO
import GRDB
import HeadMemory
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("Catalog")
struct CatalogTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open() throws -> Catalog {
        try Catalog(fileSystem: PosixFileSystem(), directory: directory.path)
    }

    private func record(_ number: UInt64, parents: [UInt64] = []) -> BlockRecord {
        BlockRecord(
            identifier: BlockIdentifier(high: 1, low: number),
            range: TimeRange(min: Int64(number) * 100, max: Int64(number) * 100 + 99), bytes: 7, level: 2,
            parents: parents.map { BlockIdentifier(high: 1, low: $0) }, seriesCount: 3, sampleCount: 9)
    }

    @Test("Blocks are entered and struck out together, and are there after reopening")
    func replacing() throws {
        let catalog = try open()
        #expect(try catalog.blocks() == [])
        #expect(try catalog.headStart() == nil)
        try catalog.replace(adding: [record(2), record(1)], removing: [], headStart: 300)
        try catalog.replace(
            adding: [record(3, parents: [1, 2])], removing: [record(2).identifier, record(9).identifier])
        try catalog.close()
        let again = try open()
        #expect(try again.blocks() == [record(1), record(3, parents: [1, 2])])
        #expect(try again.headStart() == 300)
        #expect(again.damagedPath == nil)
    }

    @Test("A damaged file is kept under another name, and an empty one takes its place")
    func damaged() throws {
        for content in ["this is no database, and long enough to be looked at".utf8.map { $0 }, zeroedHeader()] {
            let path = directory.path + "/" + Catalog.fileName
            try? PosixFileSystem().remove(path)
            let file = try PosixFileSystem().create(path)
            try file.append(content)
            let catalog = try open()
            #expect(try catalog.blocks() == [])
            let kept = try #require(catalog.damagedPath)
            #expect(try PosixFileSystem().read(kept, limit: 1 << 20) == content)
            try catalog.close()
        }
    }

    private func zeroedHeader() -> [UInt8] { [UInt8](repeating: 0xAA, count: 8192) }

    @Test("A file of a newer release is refused, not overwritten")
    func newer() throws {
        let catalog = try open()
        try catalog.close()
        let queue = try DatabaseQueue(path: directory.path + "/" + Catalog.fileName)
        try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('from the future')") }
        try queue.close()
        #expect {
            _ = try open()
        } throws: { error in
            "\(error)".contains("newer version")
        }
    }
}

@Suite("Reconciliation of catalog and directories")
struct BlockReconciliationTests {
    private func record(_ number: UInt64, level: Int = 1, parents: [UInt64] = []) -> BlockRecord {
        BlockRecord(
            identifier: BlockIdentifier(high: 1, low: number),
            range: TimeRange(min: Int64(number) * 100, max: Int64(number) * 100 + 99), bytes: 7, level: level,
            parents: parents.map { BlockIdentifier(high: 1, low: $0) })
    }

    private func numbers(_ records: [BlockRecord]) -> [UInt64] { records.map(\.identifier.low) }

    @Test("What both have is served")
    func agreement() {
        let verdict = BlockReconciliation(rows: [record(1), record(2)], found: [record(2), record(1)])
        #expect(numbers(verdict.served) == [1, 2])
        #expect(verdict.adopted.isEmpty && verdict.missing.isEmpty && verdict.leftovers.isEmpty)
        #expect(verdict.unfinished.isEmpty)
    }

    @Test("A directory that the catalog does not know is adopted, a row without directory is missing")
    func disagreement() {
        let verdict = BlockReconciliation(rows: [record(1), record(2)], found: [record(2), record(3)])
        #expect(numbers(verdict.served) == [2, 3])
        #expect(numbers(verdict.adopted) == [3])
        #expect(numbers(verdict.missing) == [1])
    }

    @Test("Parents of a merge that the catalog knows are leftovers, known or not")
    func leftovers() {
        let merged = record(9, level: 2, parents: [1, 2])
        let verdict = BlockReconciliation(rows: [merged, record(2)], found: [record(1), record(2), merged])
        #expect(numbers(verdict.served) == [9])
        #expect(numbers(verdict.leftovers) == [1, 2])
        #expect(verdict.adopted.isEmpty)
    }

    @Test("A merge whose parents are all there was not entered, and is not served")
    func unfinishedMerge() {
        let merged = record(9, level: 2, parents: [1, 2])
        let verdict = BlockReconciliation(rows: [record(1), record(2)], found: [record(1), record(2), merged])
        #expect(numbers(verdict.served) == [1, 2])
        #expect(numbers(verdict.unfinished) == [9])
    }

    @Test("A merge of which parents are gone is adopted, and the parents that are left go")
    func restoredMerge() {
        let merged = record(9, level: 2, parents: [1, 2])
        let verdict = BlockReconciliation(rows: [record(1)], found: [record(1), merged])
        #expect(numbers(verdict.served) == [9])
        #expect(numbers(verdict.adopted) == [9])
        #expect(numbers(verdict.leftovers) == [1])
    }

    @Test("An empty catalog is rebuilt from what is there")
    func rebuilt() {
        let verdict = BlockReconciliation(
            rows: [], found: [record(2), record(9, level: 2, parents: [7, 8]), record(1)])
        #expect(numbers(verdict.served) == [1, 2, 9])
        #expect(numbers(verdict.adopted).sorted() == [1, 2, 9])
    }
}

@Suite("Blocks on disk and in the catalog")
struct BlockSetTests {
    private let labels: LabelSet = ["__name__": "m"]

    private func filled() async throws -> TestStore {
        let test = try TestStore()
        for _ in 0..<7 * 60 {
            test.clock.advance(by: 60_000)
            try await test.append([(labels, test.clock.now(), 1)])
        }
        try test.store.maintain()
        #expect(test.store.blocks.all.count == 2)
        return test
    }

    @Test("A lost catalog is rebuilt from the blocks' footers, and the head begins where they end")
    func lostCatalog() async throws {
        let test = try await filled()
        let before = try test.contents()
        test.store.close()
        try PosixFileSystem().remove(test.directory.path + "/" + Catalog.fileName)
        try test.reopen()
        #expect(try test.contents() == before)
        #expect(test.store.blocks.all.count == 2)
        #expect(test.store.head.start == TestStore.start + 4 * TestStore.hour)
        #expect(try test.store.catalog.blocks().count == 2)
    }

    @Test("A block that cannot be read is set aside and reported, and the rest is served")
    func unreadable() async throws {
        let test = try await filled()
        let path = test.store.blocks.all[0].reader.path
        test.store.close()
        var footer = try #require(test.disk.bytes(path + "/footer"))
        footer[footer.count / 2] ^= 1
        test.disk.put(path + "/footer", footer)
        try test.reopen()
        #expect(test.store.blocks.all.count == 1)
        #expect(try test.store.catalog.blocks().count == 1)
        #expect(try test.disk.list(test.directory.path + "/quarantine").count == 1)
        #expect(test.metric("prometheus_tsdb_reloads_failures_total 1"))
        #expect(try test.contents()[labels]?.first?.timestamp == TestStore.start + 2 * TestStore.hour)
    }

    @Test("Samples of a block that is lost are taken from the log, as long as it has them")
    func lostBlock() async throws {
        let test = try TestStore()
        for _ in 0..<4 * 60 {
            test.clock.advance(by: 60_000)
            try await test.append([(labels, test.clock.now(), 1)])
        }
        let range = try #require(test.store.head.nextBlockRange)
        let before = try test.contents()
        try test.store.cutBlock(range)
        let path = test.store.blocks.all[0].reader.path
        test.store.close()
        try test.disk.remove(path)
        try test.reopen()
        #expect(test.store.blocks.all.isEmpty)
        #expect(try test.contents() == before)
        try test.store.maintain()
        #expect(test.store.blocks.all.count == 1)
        #expect(try test.contents() == before)
    }

    @Test("A block taken away by hand and put back is noticed while the store runs")
    func byHand() async throws {
        let test = try await filled()
        let before = try test.contents()
        let path = test.store.blocks.all[0].reader.path
        let aside = test.directory.path + "/elsewhere"
        try test.disk.rename(path, to: aside)
        try test.store.maintain()
        #expect(test.store.blocks.all.count == 1)
        #expect(try test.contents()[labels]?.first?.timestamp == TestStore.start + 2 * TestStore.hour)
        try test.disk.rename(aside, to: path)
        try test.store.maintain()
        #expect(try test.contents() == before)
        try test.reopen()
        #expect(try test.contents() == before)
    }

    @Test("A block that the catalog was not told of any more is adopted, and its samples are not seen twice")
    func crashBeforeCommit() async throws {
        let test = try await filled()
        let before = try test.contents()
        // As if the process had died between the block and the catalog: rows and head start are gone, the log is whole.
        let blocks = test.store.blocks.all.map(\.identifier)
        try test.store.catalog.replace(adding: [], removing: blocks, headStart: .min)
        try test.reopen()
        #expect(try test.contents() == before)
        #expect(test.store.blocks.all.count == 2)
    }
}
