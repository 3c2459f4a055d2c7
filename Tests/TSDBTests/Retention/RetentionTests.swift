import Blocks
import HeadMemory
import SeriesModel
import StorageAPI
import TestSupport
import Testing
import WAL

@testable import TSDB

@Suite("Retention")
struct RetentionTests {
    private func record(_ index: Int, _ range: ClosedRange<Int64>, bytes: Int = 100) -> BlockRecord {
        BlockRecord(
            identifier: BlockIdentifier(high: 0, low: UInt64(index)),
            range: TimeRange(min: range.lowerBound, max: range.upperBound), bytes: bytes)
    }

    private func expired(
        time: Int64?, size: Int64?, newest: Int64 = 400, otherBytes: Int = 0
    ) -> [(Int, RetentionPolicy.Reason)] {
        let blocks = [record(2, 200...299), record(0, 0...99), record(1, 100...199), record(3, 300...399)]
        return RetentionPolicy(time: time, size: size).expired(blocks, newest: newest, otherBytes: otherBytes)
            .map { (Int($0.block.identifier.low), $0.reason) }
    }

    @Test("Without limits nothing goes")
    func none() {
        #expect(expired(time: nil, size: nil).isEmpty)
    }

    @Test("A block goes by time when all of it is older than the newest sample by the retention")
    func byTime() {
        #expect(expired(time: 300, size: nil).map(\.0) == [0])
        #expect(expired(time: 301, size: nil).map(\.0) == [])
        #expect(expired(time: 1, size: nil).map(\.0) == [0, 1, 2])
    }

    @Test("By size the oldest go until the rest fits, log and head counted")
    func bySize() {
        #expect(expired(time: nil, size: 400).isEmpty)
        #expect(expired(time: nil, size: 399).map(\.0) == [0])
        #expect(expired(time: nil, size: 400, otherBytes: 101).map(\.0) == [0, 1])
        #expect(expired(time: nil, size: 0).map(\.0) == [0, 1, 2, 3])
    }

    @Test("With both limits the one that is met first decides")
    func both() {
        let gone = expired(time: 300, size: 299)
        #expect(gone.map(\.0) == [0, 1])
        #expect(gone.map(\.1) == [.time, .size])
    }

    @Test("It is described as upstream describes it")
    func description() {
        #expect(RetentionPolicy(time: 30 * 86_400_000, size: 10 << 30).description == "30d or 10GiB")
        #expect(RetentionPolicy(time: 30 * 86_400_000, size: nil).description == "30d")
        #expect(RetentionPolicy(time: nil, size: 512 << 20).description == "512MiB")
        #expect(RetentionPolicy(time: nil, size: nil).description == "")
    }

    private func fill(_ test: TestStore, hours: Int64) async throws {
        let labels: LabelSet = ["__name__": "m"]
        for _ in 0..<hours * 60 {
            test.clock.advance(by: 60_000)
            try await test.append([(labels, test.clock.now(), Double(test.clock.now() / 60_000 * 7919 % 1000) / 7)])
        }
    }

    @Test("A block goes when it is out of time, from queries, disk and catalog")
    func blockGoesByTime() async throws {
        let test = try TestStore { $0.retentionTime = 4 * TestStore.hour }
        try await fill(test, hours: 5)
        try test.store.maintain()
        #expect(test.store.blocks.all.count == 1)
        try await fill(test, hours: 2)
        try test.store.maintain()
        #expect(test.store.blocks.all.map(\.range.min) == [TestStore.start + 2 * TestStore.hour])
        #expect(try test.disk.list(test.directory.path + "/blocks").count == 1)
        #expect(try test.store.catalog.blocks().count == 1)
        #expect(test.metric("prometheus_tsdb_time_retentions_total 1"))
        #expect(try test.select()[0].samples.first?.timestamp == TestStore.start + 2 * TestStore.hour)
    }

    @Test("A block goes when there is no room for it")
    func blockGoesBySize() async throws {
        let sizes = try TestStore()
        try await fill(sizes, hours: 9)
        try sizes.store.maintain()
        let total = sizes.store.blocks.all.reduce(0) { $0 + $1.record.bytes }
        let others = sizes.store.log.size + sizes.store.head.chunkFileBytes
        let test = try TestStore { $0.retentionSize = Int64(total + others - 1) }
        try await fill(test, hours: 9)
        try test.store.maintain()
        #expect(sizes.store.blocks.all.count == 3)
        #expect(test.store.blocks.all.map(\.range.min).first == TestStore.start + 2 * TestStore.hour)
        #expect(test.metric("prometheus_tsdb_size_retentions_total 1"))
    }
}
