import HeadMemory
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("Batches that are all or nothing, and history pushed in one go")
struct HistoryTests {
    private let a: LabelSet = ["__name__": "m", "i": "a"]
    private let b: LabelSet = ["__name__": "m", "i": "b"]

    private func batch(_ samples: [(LabelSet, Timestamp, Double)]) -> SampleBatch {
        var batch = SampleBatch()
        batch.isAllOrNothing = true
        for (labels, timestamp, value) in samples { batch.append(labels, timestamp, value) }
        return batch
    }

    @Test("A sample that breaks a rule has its whole batch refused: no sample is stored, no series created")
    func refused() async throws {
        let test = try TestStore()
        let t = TestStore.start
        try await test.append([(a, t, 1)])
        let cases: [(Timestamp, Double, AppendResult.Rejection)] = [
            (t - 1, 2, .outOfOrder), (t, 2, .duplicateTimestamp), (t - TestStore.hour - 1, 2, .outOfBounds),
            (t + 600_001, 2, .outOfBounds),
        ]
        for (timestamp, value, reason) in cases {
            let result = try await test.store.append(batch([(b, t, 5), (a, timestamp, value), (b, t + 1, 6)]))
            #expect(result.refusal == .init(sample: 1, reason: reason, existing: 1))
            #expect(result.rejected.map(\.sample) == [1])
            #expect(result.accepted == 0)
            #expect(result.seriesCreated == 0)
        }
        #expect(try test.contents() == [a: [Sample(t, 1)]])
        // Nothing is left of what was decided before the refusal.
        let result = try await test.store.append(batch([(b, t, 7), (a, t + 1, 2)]))
        #expect(result.refusal == nil)
        #expect(result.accepted == 2)
        #expect(try test.contents() == [a: [Sample(t, 1), Sample(t + 1, 2)], b: [Sample(t, 7)]])
        try test.kill()
        #expect(try test.contents() == [a: [Sample(t, 1), Sample(t + 1, 2)], b: [Sample(t, 7)]])
    }

    @Test("What breaks a rule only against the batch itself is left out of it")
    func withinBatch() async throws {
        let test = try TestStore()
        let t = TestStore.start
        let result = try await test.store.append(batch([(a, t, 1), (a, t - 1, 2), (a, t, 3), (a, t + 1, 4)]))
        #expect(result.refusal == nil)
        #expect(result.rejected.map(\.reason) == [.outOfOrder, .duplicateTimestamp])
        #expect(try test.contents() == [a: [Sample(t, 1), Sample(t + 1, 4)]])
    }

    @Test("A refused batch counts one refused sample")
    func counted() async throws {
        let test = try TestStore()
        let t = TestStore.start
        try await test.append([(a, t, 1), (b, t, 1)])
        _ = try await test.store.append(batch([(a, t - 1, 2), (b, t - 1, 2)]))
        #expect(test.metric("prometheus_tsdb_out_of_order_samples_total{type=\"float\"} 1"))
        #expect(test.metric("prometheus_tsdb_head_samples_appended_total{type=\"float\"} 2"))
    }

    @Test("A day of old samples goes into an empty store in time order, and becomes blocks of two hours")
    func history() async throws {
        let test = try TestStore(now: TestStore.start + 24 * TestStore.hour)
        var expected: [LabelSet: [Sample]] = [:]
        // Ten minutes a batch, a sample a minute; the second series is half a minute late, as with real scrapes.
        for first in stride(from: 0, to: 24 * 60, by: 10) {
            var samples: [(LabelSet, Timestamp, Double)] = []
            for (labels, offset) in [(a, Int64(0)), (b, 30_000)] {
                for minute in first..<first + 10 {
                    let time = TestStore.start + Int64(minute) * 60_000 + offset
                    samples.append((labels, time, Double(minute)))
                    expected[labels, default: []].append(Sample(time, Double(minute)))
                }
            }
            let result = try await test.store.append(batch(samples))
            #expect(result.refusal == nil)
            #expect(result.accepted == 20)
            // The maintenance is behind, as it is when samples stream in.
            if first % 500 == 490 { try test.store.maintain() }
        }
        try test.store.maintain()
        #expect(try test.contents() == expected)
        let blocks = test.store.blocks.all
        #expect(blocks.map(\.range.min) == (0..<11).map { TestStore.start + $0 * 2 * TestStore.hour })
        #expect(test.store.head.range?.min == TestStore.start + 22 * TestStore.hour)
        try test.reopen()
        #expect(try test.contents() == expected)
    }
}
