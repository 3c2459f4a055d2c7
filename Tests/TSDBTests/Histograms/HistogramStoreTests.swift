import Blocks
import HeadMemory
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("Histograms in the store")
struct HistogramStoreTests {
    private let h: LabelSet = ["__name__": "h", "job": "api"]
    private let t = TestStore.start

    @Test("A histogram that was appended is selected, by reference and by labels")
    func roundTrip() async throws {
        let test = try TestStore()
        let first = try await test.append([(h, t, Histograms.simple(3))])
        #expect(first.accepted == 1)
        #expect(first.seriesCreated == 1)
        var batch = SampleBatch()
        batch.append(try #require(first.refs[0]), t + 15_000, Histograms.simple(4))
        #expect(try await test.store.append(batch).accepted == 1)
        let buffer = try #require(try test.buffers()[h])
        #expect(buffer.histogramTimestamps == [t, t + 15_000])
        #expect(buffer.histograms == [Histograms.simple(3), Histograms.simple(4)])
        #expect(buffer.histograms.map(\.counterResetHint) == [.unknown, .notReset])
        #expect(test.metric(#"prometheus_tsdb_head_samples_appended_total{type="histogram"} 2"#))
        #expect(test.metric(#"prometheus_tsdb_head_samples_appended_total{type="float"} 0"#))
        #expect(test.store.headStatistics().range == TimeRange(min: t, max: t + 15_000))
        #expect(test.store.headStatistics().chunkCount == 1)
    }

    @Test("A series may change its type over time, and each sample is found in the column of its kind")
    func mixedTypes() async throws {
        let test = try TestStore()
        var batch = SampleBatch()
        batch.append(h, t, 1)
        batch.append(h, t + 1, Histograms.simple(1))
        batch.append(h, t + 2, Histograms.simple(2))
        batch.append(h, t + 3, 2)
        batch.append(h, t + 4, StaleMarker.value)
        batch.append(h, t + 5, Histograms.simple(3))
        batch.append(h, t + 6, Histograms.stale)
        #expect(try await test.store.append(batch).accepted == 7)
        func check() throws {
            let buffer = try #require(try test.buffers()[h])
            #expect(buffer.timestamps == [t, t + 3, t + 4, t + 6])
            #expect(buffer.values.map(\.bitPattern) == [1, 2, StaleMarker.value, StaleMarker.value].map(\.bitPattern))
            #expect(buffer.histogramTimestamps == [t + 1, t + 2, t + 5])
            #expect(buffer.histograms == [1, 2, 3].map { Histograms.simple($0) })
            #expect(buffer.histograms.map(\.counterResetHint) == [.unknown, .notReset, .unknown])
            #expect(test.store.headStatistics().chunkCount == 4)
        }
        try check()
        try test.kill()
        try check()
        try test.store.checkpoint()
        try test.kill()
        try check()
    }

    @Test("The newest sample alone is read, of whichever kind it is")
    func newest() async throws {
        let test = try TestStore()
        func newest(_ range: TimeRange = .all) throws -> [MixedSample] {
            try test.buffers([], range, newestOnly: true)[h]?.mixed ?? []
        }
        try await test.append([(h, t, 1)])
        try await test.append([(h, t + 1, Histograms.simple(1)), (h, t + 2, Histograms.simple(2))])
        #expect(try newest() == [MixedSample(t + 2, Histograms.simple(2))])
        #expect(try test.buffers([], .all, newestOnly: true)[h]?.histograms.first?.counterResetHint == .notReset)
        #expect(try newest(TimeRange(min: 0, max: t + 1)) == [MixedSample(t + 1, Histograms.simple(1))])
        #expect(try newest(TimeRange(min: 0, max: t)) == [MixedSample(t, 1)])
        try await test.append([(h, t + 3, StaleMarker.value)])
        #expect(try newest() == [MixedSample(t + 3, StaleMarker.value)])
        try await test.append([(h, t + 4, 7)])
        #expect(try newest() == [MixedSample(t + 4, 7)])
        #expect(try newest(TimeRange(min: t + 2, max: t + 2)) == [MixedSample(t + 2, Histograms.simple(2))])
    }

    @Test("The rules for duplicates and order hold across both kinds")
    func rules() async throws {
        let test = try TestStore()
        try await test.append([(h, t, Histograms.simple(3))])
        var same = SampleBatch()
        same.append(h, t, Histograms.simple(3))
        #expect(try await test.store.append(same).accepted == 1)
        var others = SampleBatch()
        others.append(h, t, Histograms.simple(4))
        others.append(h, t, 0)
        others.append(h, t - 1, Histograms.simple(1))
        others.append(h, t - TestStore.hour - 1, Histograms.simple(1))
        others.append(h, t, StaleMarker.value)
        let result = try await test.store.append(others)
        #expect(
            result.rejected.map(\.reason) == [
                .duplicateTimestamp, .duplicateTimestamp, .outOfOrder, .outOfBounds, .duplicateTimestamp,
            ])
        #expect(test.metric(#"prometheus_tsdb_out_of_order_samples_total{type="histogram"} 1"#))
        #expect(test.metric(#"prometheus_tsdb_out_of_bound_samples_total{type="histogram"} 1"#))
        // A float is the newest now.
        try await test.append([(h, t + 1, 0)])
        let late = try await test.append([(h, t + 1, Histograms.simple(9)), (h, t, Histograms.simple(9))])
        #expect(late.rejected.map(\.reason) == [.duplicateTimestamp, .outOfOrder])
        #expect(try test.mixed()[h] == [MixedSample(t, Histograms.simple(3)), MixedSample(t + 1, 0)])
    }

    @Test("The same histogram once more is no duplicate, also after its chunk got buckets that it lacks")
    func repeated() async throws {
        let test = try TestStore()
        let wide = NativeHistogram(
            count: 3, positiveSpans: [.init(offset: 0, length: 3)], positiveBuckets: [0, 3, 0])
        let narrow = NativeHistogram(count: 4, positiveSpans: [.init(offset: 1, length: 1)], positiveBuckets: [4])
        try await test.append([(h, t, wide), (h, t + 1, narrow)])
        #expect(test.store.headStatistics().chunkCount == 1)
        #expect(try await test.append([(h, t + 1, narrow)]).rejected.isEmpty)
    }

    @Test("A histogram whose parts do not fit is refused, and the rest of the batch is taken")
    func invalid() async throws {
        let test = try TestStore()
        let i: LabelSet = ["__name__": "i"]
        let broken = NativeHistogram(count: 1, positiveSpans: [.init(offset: 0, length: 2)], positiveBuckets: [1])
        let unknown = NativeHistogram(schema: 9)
        let huge = NativeHistogram(
            count: 1, positiveSpans: [.init(offset: 0, length: 10_001)],
            positiveBuckets: [Double](repeating: 0, count: 10_001))
        let result = try await test.append([
            (i, t, broken), (i, t, unknown), (i, t, huge), (h, t, Histograms.simple(1)),
        ])
        #expect(result.rejected.map(\.reason) == [.invalidHistogram, .invalidHistogram, .invalidHistogram])
        #expect(result.refs.prefix(3).allSatisfy { $0 == nil })
        #expect(try Array(test.mixed().keys) == [h])
        #expect(test.metric("hearth_tsdb_invalid_histograms_total 3"))
    }

    @Test("A batch that is all or nothing is refused for a histogram that breaks a rule, and leaves nothing behind")
    func allOrNothing() async throws {
        let test = try TestStore()
        try await test.append([(h, t, Histograms.simple(3))])
        func append(_ histogram: NativeHistogram, at timestamp: Timestamp) async throws -> AppendResult {
            var batch = SampleBatch()
            batch.isAllOrNothing = true
            batch.append(h, t, Histograms.simple(3))
            batch.append(["__name__": "new"], t, Histograms.simple(1))
            batch.append(h, timestamp, histogram)
            return try await test.store.append(batch)
        }
        let duplicate = try await append(Histograms.simple(4), at: t)
        #expect(duplicate.refusal == .init(sample: 2, reason: .duplicateTimestamp, existing: nil))
        #expect(try await append(Histograms.simple(4), at: t - 1).refusal?.reason == .outOfOrder)
        #expect(try await append(NativeHistogram(schema: 9), at: t + 1).refusal?.reason == .invalidHistogram)
        #expect(try test.mixed() == [h: [MixedSample(t, Histograms.simple(3))]])
        #expect(try await append(Histograms.simple(4), at: t + 1).accepted == 3)
        #expect(try test.mixed()[h]?.count == 2)
    }

    @Test("Chunks are closed at 120 samples, at four kilobytes, and at the end of a block's range")
    func chunkLimits() async throws {
        let test = try TestStore()
        for step in 0..<130 { try await test.append([(h, t + Int64(step) * 1000, Histograms.simple(step))]) }
        #expect(test.store.headStatistics().chunkCount == 2)
        let wide: LabelSet = ["__name__": "wide"]
        var random = SeededRandom(seed: 1)
        var counts = [Double](repeating: 0, count: 200)
        for step in 0..<60 {
            for index in counts.indices { counts[index] += Double(Int.random(in: 0...500, using: &random)) }
            let histogram = NativeHistogram(
                count: counts.reduce(0, +), positiveSpans: [.init(offset: 0, length: 200)], positiveBuckets: counts)
            try await test.append([(wide, t + 200_000 + Int64(step) * 1000, histogram)])
        }
        #expect(test.store.headStatistics().chunkCount == 5)
        #expect(try test.mixed()[wide]?.count == 60)
        test.clock.advance(by: 2 * TestStore.hour)
        try await test.append([(h, t + 2 * TestStore.hour - 1, Histograms.simple(200))])
        #expect(test.store.headStatistics().chunkCount == 5)
        try await test.append([(h, t + 2 * TestStore.hour, Histograms.simple(201))])
        #expect(test.store.headStatistics().chunkCount == 6)
    }

    @Test("A view goes on seeing what it saw while histograms are appended")
    func isolation() async throws {
        let test = try TestStore()
        try await test.append([(h, t, Histograms.simple(1)), (h, t + 1, Histograms.simple(2))])
        let view = try test.store.select([Selection(matchers: [], range: .all)], cancellation: Cancellation())[0]
        // A new bucket rewrites the open chunk.
        var more = Histograms.simple(3)
        more.positive = HistogramSide(spans: [.init(offset: 0, length: 9)], counts: Array(repeating: 3, count: 9))
        more.count = 31
        try await test.append([(h, t + 2, more)])
        var buffer = SampleBuffer()
        try view.read(0, into: &buffer)
        #expect(buffer.histograms == [Histograms.simple(1), Histograms.simple(2)])
        let after = try #require(try test.buffers()[h])
        #expect(after.histograms.count == 3)
        #expect(after.histograms.first?.positiveBuckets.count == 9)
        #expect(try test.mixed()[h]?.first == MixedSample(t, Histograms.simple(1)))
    }

    @Test("Blocks that overlap give one order, the first source wins, and no hint is believed across sources")
    func overlap() async throws {
        let test = try TestStore()
        for minute in 0..<(4 * 60) {
            test.clock.advance(by: 60_000)
            try await test.append([(h, t + Int64(minute) * 60_000, Histograms.simple(minute))])
        }
        try test.store.maintain()
        let block = try #require(test.store.blocks.all.first)
        #expect(try test.buffers()[h]?.histograms.count == 240)
        // The same block once more, under a later name, with some samples of its own in between.
        var writer = try BlockWriter(
            fileSystem: test.disk, directory: test.directory.path + "/blocks",
            identifier: BlockIdentifier(timestamp: test.clock.now() + 1), range: TimeRange(min: t, max: t + 7_200_000),
            lsn: 0)
        var more = SampleBuffer()
        more.append(t, 5)
        more.append(t + 30_000, 6)
        try writer.addSeries(h, more)
        _ = try writer.finish()
        try test.store.reloadBlocks()
        #expect(test.store.blocks.all.count == 2)
        let buffer = try #require(try test.buffers()[h])
        #expect(test.store.blocks.all.first?.identifier == block.identifier)
        #expect(buffer.timestamps == [t + 30_000])
        #expect(buffer.histogramTimestamps == (0..<240).map { t + Int64($0) * 60_000 })
        #expect(buffer.histograms.allSatisfy { $0.counterResetHint == .unknown })
        // A merge gives the same samples, and one block.
        try test.store.maintain()
        #expect(test.store.blocks.all.count == 1)
        let merged = try #require(try test.buffers()[h])
        #expect(merged.timestamps == buffer.timestamps)
        #expect(merged.histogramTimestamps == buffer.histogramTimestamps)
        #expect(zip(merged.histograms, buffer.histograms).allSatisfy { $0.holdsSame(as: $1) })
    }
}
