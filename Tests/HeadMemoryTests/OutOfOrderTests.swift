import ChunkEncoding
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import HeadMemory

@Suite("Samples out of order in the head")
struct OutOfOrderTests {
    private let t = HeadFixture.start
    private let labels = HeadFixture.labels(1)

    private func fixture() throws -> HeadFixture {
        let test = try HeadFixture()
        test.head.outOfOrderWindow = 12 * 3_600_000
        return test
    }

    private func side(_ test: HeadFixture) -> SeriesSide? {
        test.head.records[0].pointee.side?._withUnsafeGuaranteedRef { $0 }
    }

    @Test("They are read among the others in order of time; of equal times the sample in order is read")
    func merged() throws {
        let test = try fixture()
        for (offset, value) in [(0, 0.0), (100, 1), (50, 2), (200, 3), (100, 4), (0, 5), (50, 6), (-20, 7), (150, 8)] {
            try test.append([(labels, t + Int64(offset), value)])
        }
        #expect(
            try test.contents()[labels] == [
                MixedSample(t - 20, 7), MixedSample(t, 0), MixedSample(t + 50, 2), MixedSample(t + 100, 1),
                MixedSample(t + 150, 8), MixedSample(t + 200, 3),
            ])
    }

    @Test("Rows that are to be in order are refused where they come late, the others of the batch are taken")
    func rowsInOrder() throws {
        let test = try fixture()
        try test.append([(labels, t + 100, 1)])
        var batch = SampleBatch()
        batch.append(labels, t + 50, 2)
        batch.append(labels, t + 60, StaleMarker.value)
        batch.append(labels, t + 200, 3)
        batch.rowsInOrder = 1..<3
        #expect(try test.append(batch).rejected.map(\.sample) == [1])
        #expect(
            try test.contents()[labels] == [MixedSample(t + 50, 2), MixedSample(t + 100, 1), MixedSample(t + 200, 3)])
    }

    @Test("A range is read with the late samples in it and no others")
    func ranges() throws {
        let test = try fixture()
        for offset: Int64 in [1000, 10, 20, 30, 40] { try test.append([(labels, t + offset, Double(offset))]) }
        let found = try HeadFixture.contents(of: test.head, TimeRange(min: t + 20, max: t + 30))
        #expect(found[labels]?.map(\.timestamp) == [t + 20, t + 30])
        let selection = HeadFixture.select([], in: test.head, TimeRange(min: t, max: t + 35))
        var samples = SampleBuffer()
        try selection.read(0, newestOnly: true, into: &samples)
        #expect(samples.mixed == [MixedSample(t + 30, 30)])
    }

    @Test("32 of them become a chunk in a file, in order of time")
    func chunks() throws {
        let test = try fixture()
        try test.append([(labels, t + 100_000, 0)])
        for index in 0..<31 { try test.append([(labels, t + Int64((index * 7) % 31), Double(index))]) }
        #expect(side(test)?.outOfOrder.count == 31)
        #expect(side(test)?.outOfOrderChunks.isEmpty == true)
        try test.append([(labels, t + 31, 31)])
        #expect(side(test)?.outOfOrder.isEmpty == true)
        #expect(side(test)?.outOfOrderChunks.map(\.range) == [TimeRange(min: t, max: t + 31)])
        #expect(try test.contents()[labels]?.map(\.timestamp) == (0..<32).map { t + $0 } + [t + 100_000])
    }

    @Test("A chunk of them lies in one block's range, and holds one kind")
    func windows() {
        let histogram = Histograms.simple(1)
        let width = HeadFixture.blockRange
        let samples = [
            OutOfOrderSample(timestamp: t - 2, value: 1), OutOfOrderSample(timestamp: t - 1, value: 2),
            OutOfOrderSample(timestamp: t, value: 3),
            OutOfOrderSample(timestamp: t + 1, value: 0, histogram: histogram),
            OutOfOrderSample(timestamp: t + 2, value: 0, histogram: histogram),
            OutOfOrderSample(timestamp: t + 3, value: 4),
            OutOfOrderSample(timestamp: t + width, value: 0, histogram: histogram),
        ]
        let chunks = OutOfOrderSample.chunks(of: samples, width)
        #expect(chunks.map(\.encoding) == [.xor, .xor, .histogram, .xor, .histogram])
        #expect(
            chunks.map(\.range) == [
                TimeRange(min: t - 2, max: t - 1), TimeRange(min: t, max: t), TimeRange(min: t + 1, max: t + 2),
                TimeRange(min: t + 3, max: t + 3), TimeRange(min: t + width, max: t + width),
            ])
        #expect(Timestamp.window(of: -1, width) == -1)
        #expect(Timestamp.window(of: -width, width) == -1)
        #expect(Timestamp.window(of: -width - 1, width) == -2)
        #expect(Timestamp.window(of: .min, width) < 0)
    }

    @Test("The ranges of blocks that are due are those of what was sealed")
    func dueWindows() throws {
        let test = try fixture()
        let width = HeadFixture.blockRange
        try test.append([(labels, t + 4 * width, 0)])
        for offset in [0, width, 3 * width + 1] { try test.append([(labels, t + offset, 1)]) }
        #expect(test.head.outOfOrderWindows.isEmpty)
        try test.head.sealOutOfOrder()
        #expect(
            test.head.outOfOrderWindows
                == [0, 1, 3].map { TimeRange(min: t + $0 * width, max: t + ($0 + 1) * width) })
    }

    @Test("What comes while a block is written is not lost with what was sealed for it")
    func whileWriting() throws {
        let test = try fixture()
        let width = HeadFixture.blockRange
        try test.append([(labels, t + 3 * width, 0)])
        try test.append([(labels, t + 1, 1), (labels, t + width, 2)])
        try test.head.sealOutOfOrder()
        let cut = HeadCut(test.head, TimeRange(min: .min, max: t + 2 * width - 1))
        // Enough for a chunk, and some that wait.
        for index in 0..<40 { try test.append([(labels, t + 1000 + Int64(index), Double(index))]) }
        var written: [Timestamp] = []
        try cut.forEach(in: TimeRange(min: t, max: t + width - 1), damaged: { Issue.record("\($0)") }) { _, samples in
            written += samples.timestamps
        }
        #expect(written == [t + 1])
        test.head.gate.exclusive {
            test.head.raiseStart(to: t + width)
            test.head.beginTruncation()
        }
        let gone = test.head.gate.exclusive { test.head.truncate(0..<1, outOfOrderEnd: t + width) }
        test.head.gate.exclusive { test.head.endTruncation(gone) }
        #expect(gone.oldestOutOfOrder == t + 1000)
        #expect(
            try test.contents()[labels]?.map(\.timestamp)
                == (0..<40).map { t + 1000 + $0 } + [t + width, t + 3 * width])
        // They are a part of the next block.
        try test.head.sealOutOfOrder()
        #expect(test.head.outOfOrderWindows.first == TimeRange(min: t, max: t + width))
    }

    @Test("A series of late samples alone stays until they are in a block, and is forgotten then")
    func lateAlone() throws {
        let test = try fixture()
        try test.append([(HeadFixture.labels(0), t + 5 * HeadFixture.blockRange, 0)])
        try test.append([(labels, t, 1)])
        #expect(test.head.outOfOrderSeriesCount == 1)
        try test.checkpoint()
        try test.restart()
        #expect(test.head.outOfOrderSeriesCount == 1)
        #expect(try test.contents()[labels] == [MixedSample(t, 1)])
        #expect(try test.truncate(to: t + HeadFixture.blockRange).series == 1)
        #expect(test.head.outOfOrderSeriesCount == 0)
        #expect(test.head.seriesCount == 1)
    }

    @Test("Late chunks whose blocks were cut after the checkpoint do not make a series unreadable after a crash")
    func crashAfterCut() throws {
        let test = try HeadFixture { $0.chunkFileBytes = 512 }
        test.head.outOfOrderWindow = 12 * 3_600_000
        let end = t + HeadFixture.blockRange
        try test.append([(labels, end + 500_000, 0)])
        for index in 0..<64 { try test.append([(labels, t + Int64(index * index), Double(index) / 3)]) }
        try test.checkpoint()
        for index in 0..<400 { try test.append([(labels, end + 600_000 + Int64(index * index), Double(index) / 3)]) }
        let files = try test.disk.list("/data/chunks_head").count
        try test.truncate(to: end)
        #expect(try test.disk.list("/data/chunks_head").count < files, "the file of the late chunks is gone")
        let before = try test.contents()
        try test.restart()
        #expect(try test.contents() == before)
    }

    @Test(
        "What is read is what a naive model holds, in order and late, through truncations, checkpoints and restarts",
        arguments: Seeds.fixed(6))
    func model(_ seed: UInt64) throws {
        var history = RandomHistory(seed: seed)
        let window: Int64 = seed % 3 == 0 ? 0 : 4 * 3_600_000
        var model = HeadModel(blockRange: HeadFixture.blockRange, window: window)
        let test = try HeadFixture { $0.chunkFileBytes = 8192 }
        test.head.outOfOrderWindow = window
        for step in 0..<500 {
            let samples = history.next()
            let result = try test.append(SampleBatch(samples), flushes: !history.random.chance(30))
            let accepted = model.append(samples)
            try #require(result.accepted == accepted, "seed \(seed), step \(step): \(samples)")
            switch history.random.below(50) {
            case 0: try test.checkpoint()
            case 1: try test.restart()
            case 2:
                let end =
                    Timestamp.window(of: history.time, HeadFixture.blockRange) * HeadFixture.blockRange
                    - Int64(history.random.below(2)) * HeadFixture.blockRange
                if end > test.head.start, end > HeadFixture.start {
                    try test.truncate(to: end)
                    model.truncate(to: end)
                    try test.checkpoint()
                }
            case 3...8: break
            default: continue
            }
            let found = try test.contents()
            try #require(found == model.contents, "seed \(seed), step \(step)")
            #expect(test.head.seriesCount == model.series.count)
            #expect(test.head.outOfOrderSeriesCount == model.series.values.filter { !$0.late.isEmpty }.count)
        }
        try test.restart()
        #expect(try test.contents() == model.contents)
    }
}
