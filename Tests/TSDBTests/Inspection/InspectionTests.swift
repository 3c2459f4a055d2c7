import Blocks
import FileIO
import SelfMetrics
import SeriesModel
import StorageAPI
import TestSupport
import Testing
import WAL

@testable import TSDB

@Suite("Looking at a data directory")
struct InspectionTests {
    private let a: LabelSet = ["__name__": "m", "i": "a"]
    private let b: LabelSet = ["__name__": "m", "i": "b", "quote": "x\"y\n"]

    private func store(hours: Int = 5) async throws -> TestStore {
        let test = try TestStore()
        try await fill(test, hours: hours)
        try test.store.maintain()
        return test
    }

    private func fill(_ test: TestStore, hours: Int) async throws {
        for _ in 0..<hours * 60 {
            test.clock.advance(by: 60_000)
            let now = test.clock.now()
            try await test.append([(a, now, Double(now / 60_000 % 1000) / 8), (b, now, 1e6)])
        }
    }

    private func contents(_ set: any SeriesSet) throws -> [LabelSet: [Sample]] {
        Dictionary(uniqueKeysWithValues: try set.all().map { ($0.labels, $0.samples) })
    }

    // MARK: Reading beside a server

    @Test("beside a running store finds the samples of blocks and log, and changes nothing")
    func reading() async throws {
        let test = try await store()
        try test.store.deleteSeries(
            matching: [[.equal("i", "a")]],
            in: TimeRange(
                min: TestStore.start + 4 * TestStore.hour, max: TestStore.start + 4 * TestStore.hour + 600_000))
        let files = try test.disk.list(test.directory.path + "/wal")
        let expected = try test.contents()
        let found = try ReadOnlyStore(fileSystem: test.disk, directory: test.directory.path)
        #expect(found.damages.isEmpty)
        #expect(ModelStore.difference(try contents(found.select([[]], in: .all)), expected) == nil)
        #expect(try test.disk.list(test.directory.path + "/wal") == files)
        let range = TimeRange(min: TestStore.start + TestStore.hour, max: TestStore.start + 3 * TestStore.hour)
        let some = try contents(found.select([[.equal("i", "a")], [.equal("i", "z")]], in: range))
        #expect(try ModelStore.difference(some, test.contents(range).filter { $0.key == a }) == nil)
        // The log still has what the block has: each sample comes once.
        try await fill(test, hours: 1)
        #expect(try test.contents()[a]?.count == 349)
    }

    @Test("leaves out what is damaged and says so")
    func damaged() async throws {
        let test = try await store()
        let newest = try #require(test.disk.list(test.directory.path + "/wal").last { $0.hasPrefix("0") })
        let log = test.directory.path + "/wal/" + newest
        var bytes = try #require(test.disk.bytes(log))
        bytes.removeLast()
        test.store.close()
        test.disk.put(log, bytes)
        let found = try ReadOnlyStore(fileSystem: test.disk, directory: test.directory.path)
        #expect(found.damages.map(\.file) == [log])
    }

    @Test("that is not there is an error")
    func missing() {
        #expect(throws: StorageError.self) {
            try ReadOnlyStore(fileSystem: SimulatedFileSystem(), directory: "/nothing")
        }
        #expect(throws: StorageError.self) {
            try StoreVerification(fileSystem: SimulatedFileSystem(), directory: "/nothing")
        }
    }

    // MARK: Dumps

    private func dump(_ test: TestStore, _ format: SampleDump.Format, _ range: TimeRange) throws -> String {
        let store = try ReadOnlyStore(fileSystem: test.disk, directory: test.directory.path)
        var text = ""
        try SampleDump.write(try store.select([[]], in: range), as: format) { text += $0 }
        return text
    }

    @Test("is dumped in promtool's lines")
    func plainDump() async throws {
        let test = try await store()
        let range = TimeRange(min: TestStore.start + 60_000, max: TestStore.start + 120_000)
        #expect(
            try dump(test, .plain, range) == """
                {__name__="m", i="a"} 95.125 1767225660000
                {__name__="m", i="a"} 95.25 1767225720000
                {__name__="m", i="b", quote="x\\"y\\n"} 1e+06 1767225660000
                {__name__="m", i="b", quote="x\\"y\\n"} 1e+06 1767225720000

                """)
    }

    @Test("is dumped as OpenMetrics, with seconds and an end")
    func openMetricsDump() async throws {
        let test = try TestStore(now: 0)
        try await test.append([(["__name__": "old"], -1, .infinity), (["__name__": "up", "x": "1"], 1005, 0.5)])
        let histogram = NativeHistogram(
            schema: 0, zeroThreshold: 0.001, zeroCount: 0, count: 2, sum: 3,
            positiveSpans: [.init(offset: 0, length: 1)], positiveBuckets: [2])
        var batch = SampleBatch()
        batch.append(["__name__": "h"], 7, histogram)
        _ = try await test.store.append(batch)
        #expect(try dump(test, .openMetrics, .all) == "old +Inf -0.001\nup{x=\"1\"} 0.5 1.005\n# EOF\n")
        #expect(try dump(test, .plain, .all).hasPrefix("{__name__=\"h\"} {count:2, sum:3, (0.5,1]:2} 7\n"))
    }

    // MARK: Analysis

    @Test("is analyzed in promtool's figures")
    func analysis() async throws {
        let test = try TestStore()
        for minute in 0..<240 {
            test.clock.advance(by: 60_000)
            let now = test.clock.now()
            var samples: [(LabelSet, Timestamp, Double)] = []
            for index in 0..<(minute < 30 ? 5 : 1) { samples.append((["__name__": "m", "i": "\(index)"], now, 1)) }
            samples.append((["__name__": "n", "long": "twelve bytes"], now, 1))
            try await test.append(samples)
        }
        try test.store.maintain()
        let found = try BlockInspection(fileSystem: test.disk, directory: test.directory.path)
        let block = try #require(found.readers.last)
        let analysis = try BlockAnalysis(block, limit: 2)
        #expect(analysis.seriesCount == 6 && analysis.matchedSeriesCount == 6)
        #expect(analysis.labelNameCount == 3)
        #expect(analysis.labelPairCount == 8)
        #expect(analysis.entryCount == 12)
        #expect(analysis.churningPairs.first == .init(name: "__name__=m", value: 3))
        #expect(analysis.churningNames.map(\.name) == ["__name__", "i"])
        #expect(analysis.commonPairs.first == .init(name: "__name__=m", value: 5))
        #expect(analysis.longestNames == [.init(name: "long", value: 12), .init(name: "i", value: 5)])
        #expect(analysis.widestNames == [.init(name: "i", value: 5), .init(name: "__name__", value: 2)])
        #expect(analysis.largestMetrics == [.init(name: "m", value: 5), .init(name: "n", value: 1)])
        let some = try BlockAnalysis(block, matchers: [.equal("__name__", "n")], limit: 9)
        #expect(some.seriesCount == 6 && some.matchedSeriesCount == 1 && some.labelPairCount == 2)
    }

    // MARK: Verification

    @Test("beside a running store finds no damage where there is none")
    func sound() async throws {
        let test = try await store()
        try test.store.deleteSeries(matching: [[.equal("i", "a")]], in: .all)
        let verification = try StoreVerification(fileSystem: test.disk, directory: test.directory.path)
        #expect(verification.damages.isEmpty)
        #expect(verification.blockCount == 1)
        #expect(verification.sampleCount == 238)
        #expect(verification.recordCount >= 2)
    }

    @Test("finds a changed byte in any file of a block or of the log, and names the file", arguments: 0..<40)
    func flips(seed: Int) async throws {
        var random = SeededRandom(seed: UInt64(seed))
        let test = try await store(hours: 4)
        test.store.close()
        let root = test.directory.path
        let block = try #require(try test.disk.list(root + "/blocks").first)
        let files =
            try test.disk.list(root + "/blocks/" + block).map { root + "/blocks/" + block + "/" + $0 }
            + test.disk.list(root + "/wal").map { root + "/wal/" + $0 }
        let file = files[seed % files.count]
        var bytes = try #require(test.disk.bytes(file))
        // Bytes behind the header's checksum are not used.
        let places = bytes.indices.filter { !file.contains("/wal/") || !(36..<40).contains($0) }
        let place = try #require(places.randomElement(using: &random))
        bytes[place] ^= UInt8.random(in: 1...255, using: &random)
        test.disk.put(file, bytes)
        let verification = try StoreVerification(fileSystem: test.disk, directory: root)
        let named = verification.damages.map(\.file)
        #expect(
            named.contains { file == $0 || FilePath.directory(of: file) == $0 },
            "byte \(place) of \(file): \(verification.damages)")
    }

    @Test("finds a block that the catalog lists and nobody has, or has otherwise")
    func catalog() async throws {
        let test = try await store(hours: 7)
        let known = test.store.blocks.all
        #expect(known.count == 2)
        var other = known[0].record
        other.sampleCount += 1
        try test.store.catalog.replace(adding: [other], removing: [])
        try test.disk.remove(known[1].reader.path)
        let verification = try StoreVerification(fileSystem: test.disk, directory: test.directory.path)
        let file = test.directory.path + "/catalog.sqlite"
        #expect(
            Set(verification.damages) == [
                StoreDamage(file: file, reason: "block \(known[0].identifier) is not as its footer says"),
                StoreDamage(file: file, reason: "block \(known[1].identifier) is listed and not there"),
            ])
    }

    @Test("finds a catalog that is none")
    func spoiledCatalog() async throws {
        let test = try await store(hours: 1)
        test.store.close()
        let path = test.directory.path + "/catalog.sqlite"
        try PosixFileSystem().replace(path, with: [UInt8](repeating: 65, count: 5000))
        let verification = try StoreVerification(fileSystem: test.disk, directory: test.directory.path)
        #expect(verification.damages.map(\.file) == [path])
    }

    @Test("finds nothing wrong with a snapshot")
    func snapshot() async throws {
        let test = try await store()
        let name = try test.store.snapshot(skipHead: false)
        let verification = try StoreVerification(
            fileSystem: test.disk, directory: test.directory.path + "/snapshots/" + name)
        #expect(verification.damages.isEmpty)
        #expect(verification.blockCount == 3)
    }

    @Test("verification finds a damaged page of state.sqlite, and leaves nothing beside it")
    func stateDatabase() async throws {
        let test = try TestStore()
        for group in 0..<50 { try await test.store.state.save([UInt8](repeating: 7, count: 500), group: "\(group)") }
        // Beside a running store, then without one.
        #expect(try StoreVerification(fileSystem: test.disk, directory: test.directory.path).damages.isEmpty)
        test.store.close()
        let files = PosixFileSystem()
        let before = try files.list(test.directory.path)
        #expect(try StoreVerification(fileSystem: test.disk, directory: test.directory.path).damages.isEmpty)
        let path = test.directory.path + "/state.sqlite"
        var bytes = try files.read(path, limit: 1 << 30)
        #expect(bytes.count > 20_000)
        for index in 8192..<12_288 { bytes[index] = 0xA5 }
        try files.replace(path, with: bytes)
        let verification = try StoreVerification(fileSystem: test.disk, directory: test.directory.path)
        #expect(verification.damages.map(\.file) == [path])
        #expect(try files.list(test.directory.path) == before)
    }

    // MARK: Repair

    @Test("repairs a torn log offline, once, and refuses while it is in use")
    func repair() async throws {
        let test = try await store(hours: 1)
        #expect(throws: StorageError.self) {
            try StoreRepair.run(fileSystem: test.disk, directory: test.directory.path)
        }
        test.store.close()
        let path = test.directory.path + "/wal/00000000"
        var bytes = try #require(test.disk.bytes(path))
        bytes.removeLast(3)
        test.disk.put(path, bytes)
        let report = try StoreRepair.run(fileSystem: test.disk, directory: test.directory.path)
        #expect(report.damages.map(\.file) == [path])
        #expect(report.damages.first?.isTail == true)
        #expect(try test.disk.list(test.directory.path + "/wal") == ["00000000", "00000000.torn"])
        #expect(try StoreRepair.run(fileSystem: test.disk, directory: test.directory.path).damages.isEmpty)
        #expect(try StoreVerification(fileSystem: test.disk, directory: test.directory.path).damages.isEmpty)
        try test.reopen()
        #expect(try test.contents()[a]?.count == 59)
    }
}
