import SeriesModel
import StorageAPI
import TestSupport
import Testing
import WAL

@testable import HeadMemory

/// The rules for one sample, each beside the newest sample of its series and the bounds of the head.
@Suite("Append rules of the head")
struct AppendRuleTests {
    enum Value: Sendable {
        case float(Double)
        case histogram(NativeHistogram)
    }

    enum Outcome: Sendable, Equatable {
        case taken
        /// Taken, and logged as out of order.
        case late
        /// Accepted, and neither logged nor stored.
        case known
        case refused(AppendResult.Rejection)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        /// 0: no samples out of order are taken. ms
        var window: Int64
        /// What the series has at the head's newest time minus `age`.
        var newest: Value?
        var age: Int64 = 0
        /// Relative to the series' newest sample. ms
        var offset: Int64
        var value: Value
        var outcome: Outcome

        var testDescription: String { "\(name), window \(window)" }
    }

    private static let hour: Int64 = 3_600_000
    private static let minute: Int64 = 60_000
    private static let one = Value.float(1)
    private static let histogram = Value.histogram(Histograms.simple(3))
    private static let sameWithEmptyBuckets: NativeHistogram = {
        var histogram = Histograms.simple(3)
        histogram = NativeHistogram(
            schema: histogram.schema, zeroThreshold: histogram.zeroThreshold, zeroCount: histogram.zeroCount,
            count: histogram.count, sum: histogram.sum, positiveSpans: [.init(offset: 0, length: 4)],
            positiveBuckets: [3, 0, 0, 3], negativeSpans: [.init(offset: -2, length: 1)], negativeBuckets: [3])
        return histogram
    }()
    /// A bucket of less than nothing.
    private static let invalid = NativeHistogram(
        schema: 0, zeroThreshold: 0.001, count: 1, sum: 1, positiveSpans: [.init(offset: 0, length: 2)],
        positiveBuckets: [2, -1])

    private static let withoutWindow: [Case] = [
        Case(name: "newer", window: 0, newest: one, offset: 1, value: .float(2), outcome: .taken),
        Case(name: "same time, same value", window: 0, newest: one, offset: 0, value: one, outcome: .known),
        Case(
            name: "same time, another value", window: 0, newest: one, offset: 0, value: .float(2),
            outcome: .refused(.duplicateTimestamp)),
        Case(
            name: "same time, the other zero", window: 0, newest: .float(0), offset: 0, value: .float(-0.0),
            outcome: .refused(.duplicateTimestamp)),
        Case(
            name: "same time, the same NaN", window: 0, newest: .float(.nan), offset: 0, value: .float(.nan),
            outcome: .known),
        Case(
            name: "same time, another NaN", window: 0, newest: .float(.nan), offset: 0,
            value: .float(StaleMarker.value), outcome: .refused(.duplicateTimestamp)),
        Case(name: "older", window: 0, newest: one, offset: -1, value: one, outcome: .refused(.outOfOrder)),
        Case(
            name: "older, at the bound", window: 0, newest: one, offset: -hour, value: one,
            outcome: .refused(.outOfOrder)),
        Case(
            name: "older than half a block", window: 0, newest: one, offset: -hour - 1, value: one,
            outcome: .refused(.outOfBounds)),
        Case(
            name: "a slow series may come at the bound", window: 0, newest: one, age: hour * 3 / 2, offset: hour / 2,
            value: one, outcome: .taken),
        Case(
            name: "a slow series may not come before the bound", window: 0, newest: one, age: hour * 3 / 2,
            offset: hour / 2 - 1, value: one, outcome: .refused(.outOfBounds)),
        Case(name: "a new series at the bound", window: 0, newest: nil, offset: -hour, value: one, outcome: .taken),
        Case(
            name: "a new series before the bound", window: 0, newest: nil, offset: -hour - 1, value: one,
            outcome: .refused(.outOfBounds)),
        Case(
            name: "ten minutes ahead of the clock", window: 0, newest: one, offset: 10 * minute, value: one,
            outcome: .taken),
        Case(
            name: "further ahead", window: 0, newest: one, offset: 10 * minute + 1, value: one,
            outcome: .refused(.outOfBounds)),
        Case(name: "newer histogram", window: 0, newest: one, offset: 1, value: histogram, outcome: .taken),
        Case(name: "float after a histogram", window: 0, newest: histogram, offset: 1, value: one, outcome: .taken),
        Case(
            name: "the same histogram", window: 0, newest: histogram, offset: 0,
            value: .histogram(sameWithEmptyBuckets), outcome: .known),
        Case(
            name: "another histogram", window: 0, newest: histogram, offset: 0,
            value: .histogram(Histograms.simple(4)), outcome: .refused(.duplicateTimestamp)),
        Case(
            name: "a float beside a histogram", window: 0, newest: histogram, offset: 0, value: .float(0),
            outcome: .refused(.duplicateTimestamp)),
        Case(
            name: "a histogram beside a float", window: 0, newest: .float(0), offset: 0, value: histogram,
            outcome: .refused(.duplicateTimestamp)),
        Case(
            name: "an older histogram", window: 0, newest: histogram, offset: -1, value: histogram,
            outcome: .refused(.outOfOrder)),
        Case(
            name: "an invalid histogram", window: 0, newest: one, offset: 1, value: .histogram(invalid),
            outcome: .refused(.invalidHistogram)),
        Case(
            name: "an invalid older histogram", window: 0, newest: one, offset: -1, value: .histogram(invalid),
            outcome: .refused(.outOfOrder)),
    ]

    private static let withWindow: [Case] = [
        Case(name: "newer", window: hour / 2, newest: one, offset: 1, value: .float(2), outcome: .taken),
        Case(name: "same time, same value", window: hour / 2, newest: one, offset: 0, value: one, outcome: .known),
        Case(
            name: "same time, another value", window: hour / 2, newest: one, offset: 0, value: .float(2),
            outcome: .refused(.duplicateTimestamp)),
        Case(name: "older", window: hour / 2, newest: one, offset: -1, value: one, outcome: .late),
        Case(
            name: "older, at the end of the window", window: hour / 2, newest: one, offset: -hour / 2, value: one,
            outcome: .late),
        Case(
            name: "older than the window", window: hour / 2, newest: one, offset: -hour / 2 - 1, value: one,
            outcome: .refused(.tooOld)),
        Case(
            name: "far older than the window", window: hour / 2, newest: one, offset: -9 * hour, value: one,
            outcome: .refused(.tooOld)),
        Case(
            name: "before the bound of the head", window: 9 * hour, newest: one, offset: -9 * hour, value: one,
            outcome: .late),
        Case(
            name: "a window counts from the head's newest time", window: hour / 2, newest: one, age: hour / 4,
            offset: -hour / 4 - 1, value: one, outcome: .refused(.tooOld)),
        Case(
            name: "a slow series that goes on before the bound", window: 9 * hour, newest: one, age: 2 * hour,
            offset: 1, value: one, outcome: .late),
        Case(
            name: "a new series in the window, within bounds", window: 9 * hour, newest: nil, offset: -hour, value: one,
            outcome: .taken),
        Case(
            name: "a new series in the window, before the bound", window: 9 * hour, newest: nil, offset: -hour - 1,
            value: one, outcome: .late),
        Case(
            name: "a new series before the window and the bound", window: hour / 2, newest: nil, offset: -hour - 1,
            value: one, outcome: .refused(.tooOld)),
        Case(
            name: "further ahead", window: hour / 2, newest: one, offset: 10 * minute + 1, value: one,
            outcome: .refused(.outOfBounds)),
        Case(name: "an older histogram", window: hour, newest: histogram, offset: -1, value: histogram, outcome: .late),
        Case(
            name: "an older float of histograms", window: hour, newest: histogram, offset: -1, value: one,
            outcome: .late),
        Case(
            name: "an invalid older histogram", window: hour, newest: one, offset: -1, value: .histogram(invalid),
            outcome: .refused(.invalidHistogram)),
        Case(
            name: "an invalid histogram older than the window", window: hour, newest: one, offset: -hour - 1,
            value: .histogram(invalid), outcome: .refused(.tooOld)),
    ]

    @Test("A sample is taken, known or refused by the rule", arguments: withoutWindow + withWindow)
    func rule(_ example: Case) throws {
        let test = try HeadFixture()
        let newest = HeadFixture.start + 12 * AppendRuleTests.hour
        let labels: LabelSet = ["__name__": "s"]
        if let value = example.newest { try test.append(batch(labels, newest - example.age, value)) }
        // The head's newest time.
        try test.append([(["__name__": "other"], newest, 1)])
        test.head.outOfOrderWindow = example.window
        let before = test.head.seriesCount

        let decision = BatchDecision(
            batch(labels, newest - example.age + example.offset, example.value), head: test.head, now: newest)
        let logged = decision.log.count == 1
        let outcome: Outcome =
            if let rejection = decision.result.rejected.first {
                .refused(rejection.reason)
            } else {
                logged ? (decision.log.outOfOrderRows == [0] ? .late : .taken) : .known
            }
        #expect(outcome == example.outcome)
        let isRefused = decision.result.accepted == 0
        #expect(decision.result.rejected.map(\.sample) == (isRefused ? [0] : []))
        test.head.gate.exclusive { decision.apply() }
        #expect(test.head.seriesCount == before + (example.newest == nil && !isRefused ? 1 : 0))
        let stored = (example.newest == nil ? 0 : 1) + (logged ? 1 : 0)
        #expect(try test.contents()[labels]?.count ?? 0 == stored)
    }

    private func batch(_ labels: LabelSet, _ timestamp: Timestamp, _ value: Value) -> SampleBatch {
        var batch = SampleBatch()
        switch value {
        case .float(let value): batch.append(labels, timestamp, value)
        case .histogram(let histogram): batch.append(labels, timestamp, histogram)
        }
        return batch
    }

    @Test("No sample comes before the block that is being cut, but one out of order")
    func whileCutting() throws {
        let test = try HeadFixture()
        let t = HeadFixture.start + 10
        try test.append([(HeadFixture.labels(1), t, 1)])
        test.head.gate.exclusive { test.head.raiseStartForAppends(to: t + 100) }
        let refused = try test.append([(HeadFixture.labels(1), t + 99, 1), (HeadFixture.labels(2), t + 99, 1)])
        #expect(refused.rejected.map(\.reason) == [.outOfBounds, .outOfBounds])
        test.head.outOfOrderWindow = 1000
        let late = try test.append([(HeadFixture.labels(1), t + 99, 1)])
        #expect(late.accepted == 1)
        #expect(test.head.outOfOrderSeriesCount == 1)
        let bound = try test.append([(HeadFixture.labels(1), t + 100, 1)])
        #expect(bound.accepted == 1)
        #expect(try test.contents()[HeadFixture.labels(1)]?.map(\.timestamp) == [t, t + 99, t + 100])
    }

    @Test("Rows of one batch are decided one after the other, a late one changes nothing for the next")
    func oneBatch() throws {
        let test = try HeadFixture()
        test.head.outOfOrderWindow = 1000
        let t = HeadFixture.start
        let labels = HeadFixture.labels(1)
        try test.append([(labels, t, 0)])
        let result = try test.append([
            (labels, t + 10, 1), (labels, t + 5, 2), (labels, t + 10, 1), (labels, t + 10, 3), (labels, t + 11, 4),
        ])
        #expect(result.accepted == 4)
        #expect(result.rejected.map(\.sample) == [3])
        #expect(result.rejected.map(\.reason) == [.duplicateTimestamp])
        #expect(
            try test.contents()[labels] == [
                MixedSample(t, 0), MixedSample(t + 5, 2), MixedSample(t + 10, 1), MixedSample(t + 11, 4),
            ])
    }

    // MARK: - All or nothing

    @Test("A batch that is all or nothing falls by its first sample against what is stored, and leaves no trace")
    func allOrNothing() throws {
        let test = try HeadFixture()
        let t = HeadFixture.start
        try test.append([(HeadFixture.labels(1), t, 5)])
        var batch = SampleBatch()
        batch.isAllOrNothing = true
        batch.append(HeadFixture.labels(2), t, 1)
        batch.append(HeadFixture.labels(1), t, 6)
        batch.append(HeadFixture.labels(1), t - 1, 6)
        let result = try test.append(batch)
        #expect(result.refusal == .init(sample: 1, reason: .duplicateTimestamp, existing: 5))
        #expect(result.rejected.map(\.sample) == [1])
        #expect(result.accepted == 0)
        #expect(result.seriesCreated == 0)
        #expect(result.refs == [nil, nil, nil])
        #expect(test.head.seriesCount == 1)
        #expect(try test.contents() == [HeadFixture.labels(1): [MixedSample(t, 5)]])
        // The slot that was taken for the new series is free again.
        #expect(try test.append([(HeadFixture.labels(3), t, 1)]).refs.first??.slot == 1)
    }

    @Test("What breaks a rule against the batch's own samples alone is left out of a batch that is all or nothing")
    func allOrNothingWithin() throws {
        let test = try HeadFixture()
        let t = HeadFixture.start
        var batch = SampleBatch()
        batch.isAllOrNothing = true
        batch.append(HeadFixture.labels(1), t, 1)
        batch.append(HeadFixture.labels(1), t, 2)
        batch.append(HeadFixture.labels(1), t - 1, 2)
        let result = try test.append(batch)
        #expect(result.refusal == nil)
        #expect(result.accepted == 1)
        #expect(result.rejected.map(\.reason) == [.duplicateTimestamp, .outOfOrder])
    }

    @Test("With a window, what is late in a batch that is all or nothing is taken, and what is too old refuses it")
    func allOrNothingLate() throws {
        let test = try HeadFixture()
        test.head.outOfOrderWindow = 1000
        let t = HeadFixture.start
        let labels = HeadFixture.labels(1)
        try test.append([(labels, t, 5)])
        var batch = SampleBatch()
        batch.isAllOrNothing = true
        batch.append(labels, t - 1000, 1)
        #expect(try test.append(batch).accepted == 1)
        batch.append(labels, t - 1001, 1)
        #expect(try test.append(batch).refusal == .init(sample: 1, reason: .tooOld, existing: 5))
    }

    @Test("An unknown reference refuses a batch that is all or nothing")
    func allOrNothingUnknown() throws {
        let test = try HeadFixture()
        var batch = SampleBatch()
        batch.isAllOrNothing = true
        batch.append(HeadFixture.labels(1), HeadFixture.start, 1)
        batch.append(SeriesRef(slot: 9, generation: 1), HeadFixture.start, 1)
        let result = try test.append(batch)
        #expect(result.refusal == .init(sample: 1, reason: .unknownSeries))
        #expect(test.head.seriesCount == 0)
    }

    @Test("A histogram among the stored has no value to tell of in a refusal")
    func refusalOfHistogram() throws {
        let test = try HeadFixture()
        var batch = SampleBatch()
        batch.append(HeadFixture.labels(1), HeadFixture.start, Histograms.simple(1))
        try test.append(batch)
        batch.removeAll()
        batch.isAllOrNothing = true
        batch.append(HeadFixture.labels(1), HeadFixture.start, 1)
        #expect(try test.append(batch).refusal == .init(sample: 0, reason: .duplicateTimestamp, existing: nil))
    }
}
