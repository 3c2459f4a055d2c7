import BlockTransfer
import Blocks
import FileIO
import PrometheusBlocks
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@Suite("Export and import of Prometheus' data")
struct BlockTransferTests {
    private let disk = SimulatedFileSystem()
    private let now: Timestamp = 1_700_000_000_000

    private func export(
        _ store: MemoryStore, _ range: TimeRange = TimeRange(min: 0, max: 40_000_000), matchers: [LabelMatcher] = []
    ) throws -> [PrometheusMeta] {
        var metas: [PrometheusMeta] = []
        try PrometheusExport(store, fileSystem: disk, directory: "/out", matchers: matchers)
            .run(range, now: now) { metas.append($0) }
        return metas
    }

    @Test("gives all samples to the last bit, in aligned blocks", arguments: Seeds.fixed(3))
    func exported(seed: UInt64) throws {
        let rows = TransferFixture.rows(10, hours: 7, seed: seed)
        let metas = try export(MemoryStore(rows: rows))
        #expect(metas.map(\.minTime) == [0, 7_200_000, 14_400_000, 21_600_000])
        #expect(metas.allSatisfy { $0.maxTime == $0.minTime + 7_200_000 })
        #expect(try TransferFixture.prometheusContent(disk, "/out") == TransferFixture.content(rows), "seed \(seed)")
        #expect(disk.exists("/out/wal"))
    }

    @Test("exports what matches within a range only")
    func selected() throws {
        let rows = TransferFixture.rows(10, hours: 5)
        let range = TimeRange(min: 3_600_000, max: 8_000_000)
        _ = try export(MemoryStore(rows: rows), range, matchers: [try LabelMatcher(.equal, "__name__", "m1")])
        let expected = TransferFixture.content(rows.filter { $0.labels["__name__"] == "m1" })
            .mapValues { $0.filter { range.contains($0.timestamp) } }
        #expect(try TransferFixture.prometheusContent(disk, "/out") == expected)
    }

    @Test("brings back what was exported, once however often it is run")
    func imported() throws {
        let rows = TransferFixture.rows(12, hours: 5)
        _ = try export(MemoryStore(rows: rows))
        let before = try TransferFixture.files(disk, "/out")
        for round in 0..<2 {
            var written = 0
            var passedOver = 0
            let importing = PrometheusImport(fileSystem: disk, source: "/out", dataDirectory: "/data")
            let isComplete = try importing.run { event in
                if case .block(_, .written) = event { written += 1 }
                if case .block(_, .passedOver) = event { passedOver += 1 }
            }
            #expect(isComplete)
            #expect(written == (round == 0 ? 3 : 0))
            #expect(passedOver == (round == 0 ? 0 : 3))
        }
        #expect(try TransferFixture.content(disk, "/data") == TransferFixture.content(rows))
        #expect(try TransferFixture.files(disk, "/out") == before)
    }

    @Test("takes the blocks that are sound where one is damaged, and says so")
    func damaged() throws {
        let rows = TransferFixture.rows(4, hours: 5)
        let metas = try export(MemoryStore(rows: rows))
        let path = "/out/\(metas[1].ulid)/chunks/000001"
        var bytes = try #require(disk.bytes(path))
        bytes[bytes.count / 2] ^= 4
        disk.put(path, bytes)
        var failures: [String] = []
        let isComplete = try PrometheusImport(fileSystem: disk, source: "/out", dataDirectory: "/data").run { event in
            if case .block(let path, .failed) = event { failures.append(path) }
        }
        #expect(!isComplete)
        #expect(failures == ["/out/" + metas[1].ulid])
        let expected = TransferFixture.content(rows).mapValues { samples in
            samples.filter { !(7_200_000..<14_400_000).contains($0.timestamp) }
        }
        #expect(try TransferFixture.content(disk, "/data") == expected)
    }

    @Test("takes Prometheus' blocks into their own directory, beside them, and notes what it took")
    func inPlace() throws {
        let rows = TransferFixture.rows(8, hours: 5)
        let metas = try export(MemoryStore(rows: rows))
        let before = try TransferFixture.files(disk, "/out")
        let isComplete = try PrometheusImport(fileSystem: disk, source: "/out", dataDirectory: "/out").run { _ in }
        #expect(isComplete)
        #expect(try TransferFixture.content(disk, "/out") == TransferFixture.content(rows))
        let after = try TransferFixture.files(disk, "/out")
        #expect(before.allSatisfy { after[$0.key] == $0.value })
        let imported = try ImportedBlocks(fileSystem: disk, dataDirectory: "/out")
        #expect(imported.identifiers.map(\.description).sorted() == metas.map(\.ulid).sorted())
    }

    @Test("does not take again what was merged or deleted since, unless the list of imported blocks is removed")
    func notAgain() throws {
        _ = try export(MemoryStore(rows: TransferFixture.rows(4, hours: 5)))
        func run() throws -> Int {
            var written = 0
            _ = try PrometheusImport(fileSystem: disk, source: "/out", dataDirectory: "/data").run { event in
                if case .block(_, .written) = event { written += 1 }
            }
            return written
        }
        #expect(try run() == 3)
        for path in try BlockDirectory.list(fileSystem: disk, directory: "/data/blocks").blocks {
            try BlockDirectory.remove(fileSystem: disk, path: path)
        }
        #expect(try run() == 0)
        try disk.remove("/data/" + ImportedBlocks.fileName)
        #expect(try run() == 3)
    }

    @Test("notes the log that it took, damaged or not, so that it is served no more", arguments: [false, true])
    func log(isDamaged: Bool) throws {
        _ = try export(MemoryStore(rows: TransferFixture.rows(2, hours: 3)))
        // A record of markers, and its checksum.
        disk.put("/out/wal/00000000", [1, 0, 1] + (isDamaged ? [0, 0, 0, 0] : TransferFixture.checksum([5])) + [5])
        let isComplete = try PrometheusImport(fileSystem: disk, source: "/out", dataDirectory: "/out").run { _ in }
        #expect(isComplete == !isDamaged)
        let fingerprint = PrometheusDirectory(fileSystem: disk, path: "/out").logFingerprint
        let (high, low) = try #require(fingerprint)
        let imported = try ImportedBlocks(fileSystem: disk, dataDirectory: "/out")
        #expect(imported.contains(BlockIdentifier(high: high, low: low)))
    }

    @Test("leaves a log alone that is none of Prometheus'")
    func ownLog() throws {
        _ = try export(MemoryStore(rows: TransferFixture.rows(2, hours: 3)))
        disk.put("/out/wal/00000000", Array("HEARTHWL".utf8) + [UInt8](repeating: 1, count: 64))
        for readsLog in [true, false] {
            let isComplete = try PrometheusImport(
                fileSystem: disk, source: "/out", dataDirectory: "/out", readsLog: readsLog
            ).run { _ in }
            #expect(isComplete == !readsLog)
        }
    }

    @Test("refuses a directory that is none of Prometheus'")
    func foreign() throws {
        try disk.createDirectory("/other")
        #expect(throws: StorageError.self) {
            try PrometheusImport(fileSystem: disk, source: "/other", dataDirectory: "/data").run { _ in }
        }
        #expect(throws: StorageError.self) {
            try PrometheusImport(fileSystem: disk, source: "/nowhere", dataDirectory: "/data").run { _ in }
        }
    }

    @Test("cuts time into windows that begin at multiples of their length")
    func windows() {
        func windows(_ min: Timestamp, _ max: Timestamp) -> [TimeRange] {
            Array(BlockWindows.covering(TimeRange(min: min, max: max), length: 10))
        }
        #expect(windows(0, 9) == [TimeRange(min: 0, max: 10)])
        #expect(windows(-1, 10) == [-10, 0, 10].map { TimeRange(min: $0, max: $0 + 10) })
        #expect(windows(5, 4).isEmpty)
        #expect(windows(.max - 3, .max).last?.max == .max)
        #expect(windows(.min, .min + 1).count == 1)
        #expect(BlockWindows.length(atMost: 0) == 7_200_000)
        #expect(BlockWindows.length(atMost: 100 * 3_600_000) == 54 * 3_600_000)
    }
}
