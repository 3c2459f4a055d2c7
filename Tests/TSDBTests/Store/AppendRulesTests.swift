import HeadMemory
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("Append rules")
struct AppendRulesTests {
    private let up: LabelSet = ["__name__": "up", "job": "api"]

    @Test("A sample that was appended is selected, with the reference that was given for its series")
    func roundTrip() async throws {
        let test = try TestStore()
        let first = try await test.append([(up, TestStore.start, 1)])
        let ref = try #require(first.refs[0])
        #expect(first.accepted == 1)
        #expect(first.seriesCreated == 1)
        var batch = SampleBatch()
        batch.append(ref, TestStore.start + 15_000, 0)
        let second = try await test.store.append(batch)
        #expect(second.accepted == 1)
        #expect(second.seriesCreated == 0)
        let found = try test.select([.equal("__name__", "up")])
        #expect(found.map(\.labels) == [up])
        #expect(found.first?.samples == [Sample(TestStore.start, 1), Sample(TestStore.start + 15_000, 0)])
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        /// Relative to the newest sample, which has the value 1. ms
        var offset: Int64
        var value: Double
        var rejection: AppendResult.Rejection?

        var testDescription: String { name }
    }

    @Test(
        "What becomes of a sample depends on the newest one of its series and on the bounds",
        arguments: [
            Case(name: "newer", offset: 1, value: 2, rejection: nil),
            Case(name: "the same again", offset: 0, value: 1, rejection: nil),
            Case(name: "another value at the same time", offset: 0, value: 2, rejection: .duplicateTimestamp),
            Case(name: "older", offset: -1, value: 2, rejection: .outOfOrder),
            Case(name: "older than half a block", offset: -TestStore.hour - 1, value: 2, rejection: .outOfBounds),
            Case(name: "as far ahead of the clock as may be", offset: 600_000, value: 2, rejection: nil),
            Case(name: "further ahead of the clock", offset: 600_001, value: 2, rejection: .outOfBounds),
            Case(name: "at the end of the scale", offset: .max - TestStore.start, value: 2, rejection: .outOfBounds),
            Case(name: "at its beginning", offset: .min + TestStore.start, value: 2, rejection: .outOfBounds),
        ])
    func rules(_ example: Case) async throws {
        let test = try TestStore()
        try await test.append([(up, TestStore.start - TestStore.hour * 2, 0), (up, TestStore.start, 1)])
        let timestamp = TestStore.start.addingClamped(example.offset)
        let result = try await test.append([(up, timestamp, example.value)])
        #expect(result.rejected.map(\.reason) == (example.rejection.map { [$0] } ?? []))
        #expect(result.accepted == (example.rejection == nil ? 1 : 0))
        let newest = try test.select()[0].samples.last
        let isStored = example.rejection == nil
        #expect(newest == (isStored ? Sample(timestamp, example.value) : Sample(TestStore.start, 1)))
    }

    @Test("The rules hold among the samples of one batch too, and the others are taken")
    func withinBatch() async throws {
        let test = try TestStore()
        let t = TestStore.start
        let result = try await test.append([(up, t, 1), (up, t, 1), (up, t, 2), (up, t - 1, 3), (up, t + 1, 4)])
        #expect(result.rejected.map(\.sample) == [2, 3])
        #expect(result.rejected.map(\.reason) == [.duplicateTimestamp, .outOfOrder])
        #expect(result.accepted == 3)
        #expect(result.seriesCreated == 1)
        #expect(Set(result.refs).count == 1)
        #expect(try test.contents() == [up: [Sample(t, 1), Sample(t + 1, 4)]])
    }

    @Test("Refused samples are counted by reason")
    func counted() async throws {
        let test = try TestStore()
        let t = TestStore.start
        try await test.append([(up, t, 1)])
        try await test.append([(up, t, 2), (up, t - 1, 1), (up, t + TestStore.hour, 1)])
        #expect(test.metric(#"prometheus_tsdb_out_of_order_samples_total{type="float"} 1"#))
        #expect(test.metric(#"prometheus_tsdb_out_of_bound_samples_total{type="float"} 1"#))
        #expect(test.metric("hearth_tsdb_duplicate_samples_total 1"))
        #expect(test.metric(#"prometheus_tsdb_head_samples_appended_total{type="float"} 1"#))
    }

    @Test("A series none of whose samples is accepted is not created")
    func noSeriesWithoutSample() async throws {
        let test = try TestStore()
        let result = try await test.append([(up, .max, 1)])
        #expect(result.refs == [nil])
        #expect(result.seriesCreated == 0)
        #expect(test.store.headStatistics().seriesCount == 0)
        // Its slot is free again, under a generation that was never given out.
        let next = try await test.append([(up, TestStore.start, 1)])
        #expect(next.refs == [SeriesRef(slot: 0, generation: 2)])
    }

    @Test("Labels that no series can have are refused, and the rest of the batch is taken")
    func badLabels() async throws {
        let test = try TestStore()
        let huge = LabelSet([Label("x", String(repeating: "a", count: BatchDecision.labelBytesMax))])
        let result = try await test.append([
            (.empty, TestStore.start, 1), (huge, TestStore.start, 1), (up, TestStore.start, 1),
        ])
        #expect(result.rejected.map(\.reason) == [.unknownSeries, .unknownSeries])
        #expect(result.accepted == 1)
        #expect(try test.contents().keys.sorted() == [up])
    }

    @Test("References that were never given out are reported")
    func unknownReference() async throws {
        let test = try TestStore()
        let ref = try #require(try await test.append([(up, TestStore.start, 1)]).refs[0])
        var batch = SampleBatch()
        batch.append(SeriesRef(slot: ref.slot, generation: ref.generation + 1), TestStore.start + 1, 1)
        batch.append(SeriesRef(slot: .max, generation: 1), TestStore.start + 1, 1)
        batch.append(new: 7, TestStore.start + 1, 1)
        let result = try await test.store.append(batch)
        #expect(result.rejected.map(\.reason) == [.unknownSeries, .unknownSeries, .unknownSeries])
    }

    @Test("Stale markers and other NaNs keep their bits")
    func bits() async throws {
        let test = try TestStore()
        let values = [
            StaleMarker.value, Double(bitPattern: 0x7FF8_0000_0000_0001), -0.0, .infinity, .leastNonzeroMagnitude,
        ]
        for (index, value) in values.enumerated() {
            try await test.append([(up, TestStore.start + Int64(index), value)])
        }
        try test.reopen()
        #expect(try test.select()[0].samples.map(\.bits) == values.map(\.bitPattern))
    }
}
