import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import HeadMemory

@Suite("Series that come and go")
struct ChurnTests {
    @Test("100,000 short-lived series leave no more behind than two truncations' worth of them")
    func bounded() throws {
        let test = try HeadFixture { $0.chunkFileBytes = 1 << 20 }
        let (rounds, perRound) = (50, 2000)
        let step = HeadFixture.blockRange / 2
        var memoryMax = 0
        for round in 0..<rounds {
            let time = HeadFixture.start + Int64(round) * step
            var batch = SampleBatch()
            for number in 0..<perRound {
                let series = batch.addSeries([
                    "__name__": "up", "job": "node", "pod": "pod-\(round)-\(number)", "round": "\(round)",
                ])
                for offset: Int64 in [0, 1, 2] { batch.append(new: series, time + offset * 1000, Double(offset)) }
            }
            #expect(try test.append(batch).accepted == perRound * 3)
            try test.truncate(to: time - step)
            try test.checkpoint()
            // Two rounds live, and the slots of one wait for the checkpoint.
            #expect(test.head.seriesCount <= 2 * perRound)
            #expect(test.head.slotCount <= 3 * perRound)
            #expect(test.head.labelPairCount <= 2 * (perRound + 1) + 2)
            if round == 5 { memoryMax = test.head.memoryBytes }
            if round > 5 { #expect(test.head.memoryBytes <= memoryMax * 5 / 4) }
        }
        try test.restart()
        #expect(test.head.seriesCount == 2 * perRound)
        #expect(test.head.slotCount <= 3 * perRound)
    }

    @Test("A slot is given on only when a checkpoint without its series is durable, under another generation")
    func slots() throws {
        let test = try HeadFixture()
        let t = HeadFixture.start
        let first = try #require(try test.append([(HeadFixture.labels(1), t, 1)]).refs[0])
        try test.truncate(to: t + HeadFixture.blockRange)
        #expect(!test.head.contains(first))
        #expect(test.head.leftSlotCount == 1)
        let second = try test.append([(HeadFixture.labels(2), t + HeadFixture.blockRange, 1)])
        #expect(second.refs == [SeriesRef(slot: 1, generation: 1)])
        try test.checkpoint()
        let third = try test.append([(HeadFixture.labels(3), t + HeadFixture.blockRange, 1)])
        #expect(third.refs == [SeriesRef(slot: 0, generation: 2)])
        #expect(try test.append(old(first)).rejected.map(\.reason) == [.unknownSeries])
        let before = try test.contents()
        try test.restart()
        #expect(try test.contents() == before)
        #expect(test.head.ref(of: HeadFixture.labels(3)) == third.refs[0])
    }

    private func old(_ ref: SeriesRef) -> SampleBatch {
        var batch = SampleBatch()
        batch.append(ref, HeadFixture.start + 2 * HeadFixture.blockRange, 1)
        return batch
    }

    @Test("A series that came back in another slot is one series after a replay, with all its samples")
    func back() throws {
        let test = try HeadFixture()
        let t = HeadFixture.start
        let labels = HeadFixture.labels(1)
        try test.append([(labels, t, 1)])
        try test.truncate(to: t + HeadFixture.blockRange)
        try test.append([(labels, t + HeadFixture.blockRange, 2)])
        // The block that was cut is lost, the log has its sample still.
        let (head, _) = try HeadFixture.restore(test.disk.killProcess(), start: .min)
        #expect(head.seriesCount == 1)
        #expect(
            try HeadFixture.contents(of: head)[labels]
                == [MixedSample(t, 1), MixedSample(t + HeadFixture.blockRange, 2)])
    }

    @Test("A slot given out again in the log is the new owner's after a replay")
    func reused() throws {
        let test = try HeadFixture()
        let t = HeadFixture.start
        let width = HeadFixture.blockRange
        for round in 0..<20 {
            var samples: [(LabelSet, Timestamp, Double)] = []
            for number in 0..<10 where (number + round) % 3 != 0 {
                samples.append((HeadFixture.labels(round / 4 * 10 + number), t + Int64(round) * width, Double(round)))
            }
            try test.append(samples)
            try test.truncate(to: t + Int64(round) * width)
            if round % 5 == 4 { try test.checkpoint() }
            if round % 7 == 6 {
                let before = try test.contents()
                try test.restart()
                #expect(try test.contents() == before)
            }
        }
    }
}
