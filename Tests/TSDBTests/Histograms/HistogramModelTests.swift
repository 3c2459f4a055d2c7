import Blocks
import SeriesModel
import StorageAPI
import TestSupport
import Testing
import WAL

@testable import TSDB

@Suite("Histograms and floats against a model")
struct HistogramModelTests {
    /// Series as lists: what the store would be if nothing had to be fast or survive.
    private struct Model {
        private(set) var series: [LabelSet: [MixedSample]] = [:]
        private(set) var newest: [LabelSet: NativeHistogram] = [:]

        mutating func append(_ labels: LabelSet, _ sample: MixedSample, _ histogram: NativeHistogram?) {
            if let last = series[labels]?.last, sample.timestamp <= last.timestamp { return }
            series[labels, default: []].append(sample)
            newest[labels] = histogram.flatMap { $0.isStale ? nil : $0 }
        }

        func contents(_ range: TimeRange) -> [LabelSet: [MixedSample]] {
            series.mapValues { $0.filter { range.contains($0.timestamp) } }.filter { !$0.value.isEmpty }
        }
    }

    private static let pool: [LabelSet] = (0..<8).map { ["__name__": "h\($0 % 2)", "i": "\($0)"] }

    /// Appends one batch: for some series a sample of either kind, sometimes two.
    private func step(_ test: TestStore, _ model: inout Model, _ random: inout SeededRandom) async throws {
        test.clock.advance(by: Int64.random(in: 1000...240_000, using: &random))
        var batch = SampleBatch()
        for labels in HistogramModelTests.pool where Int.random(in: 0..<3, using: &random) > 0 {
            for offset in 0..<Int64.random(in: 1...2, using: &random) {
                let timestamp = test.clock.now() + offset
                if Int.random(in: 0..<6, using: &random) == 0 {
                    let isStale = Int.random(in: 0..<4, using: &random) == 0
                    let value = isStale ? StaleMarker.value : Double(Int.random(in: 0...3, using: &random))
                    batch.append(labels, timestamp, value)
                    model.append(labels, MixedSample(timestamp, value), nil)
                } else {
                    let histogram = Histograms.next(after: model.newest[labels], using: &random)
                    batch.append(labels, timestamp, histogram)
                    model.append(labels, MixedSample(timestamp, histogram), histogram)
                }
            }
        }
        let result = try await test.store.append(batch)
        // Only samples that the batch before reached already are left out, by both.
        #expect(result.rejected.allSatisfy { $0.reason == .duplicateTimestamp || $0.reason == .outOfOrder })
    }

    private func check(_ test: TestStore, _ model: Model, _ range: TimeRange, _ place: String) throws {
        let found = try test.mixed([], range)
        let expected = model.contents(range)
        for labels in HistogramModelTests.pool where found[labels] != expected[labels] {
            let (a, b) = (found[labels] ?? [], expected[labels] ?? [])
            let index = zip(a, b).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(a.count, b.count)
            Issue.record(
                """
                \(place): \(labels): \(a.count) and \(b.count) samples, from \(index) on \
                \(a.dropFirst(index).prefix(1)) and \(b.dropFirst(index).prefix(1))
                """
            )
            return
        }
        // A hint "not reset" holds against the sample before it.
        for (labels, buffer) in try test.buffers([], range) {
            for (index, histogram) in buffer.histograms.enumerated() where histogram.counterResetHint == .notReset {
                guard index > 0 else { continue }
                var now = histogram
                now.counterResetHint = .unknown
                #expect(!now.isReset(after: buffer.histograms[index - 1]), "\(place): \(labels) sample \(index)")
            }
        }
    }

    @Test("Head alone, and what a kill, a reopening or a checkpoint leaves of it", arguments: 1...3)
    func head(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let test = try TestStore { $0.blockRange = 1000 * TestStore.hour }
        var model = Model()
        for round in 0..<6 {
            for _ in 0..<30 { try await step(test, &model, &random) }
            switch round % 4 {
            case 1: try test.kill()
            case 2: try test.store.checkpoint()
            case 3: try test.reopen()
            default: break
            }
            try check(test, model, .all, "seed \(seed) round \(round)")
        }
        #expect(test.store.blocks.all.isEmpty)
        let before = test.store.headStatistics().chunkCount
        try test.store.checkpoint()
        try test.kill()
        try check(test, model, .all, "seed \(seed) at the end")
        #expect(test.store.headStatistics().chunkCount <= before)
    }

    @Test("Blocks alone, both, and any range of them", arguments: 1...3)
    func blocks(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed + 100)
        let test = try TestStore()
        var model = Model()
        for round in 0..<6 {
            for _ in 0..<50 { try await step(test, &model, &random) }
            try test.store.maintain()
            if round % 2 == 1 { try test.kill() }
            try check(test, model, .all, "seed \(seed) round \(round)")
            for _ in 0..<5 {
                let end = test.clock.now() - Int64.random(in: 0...(8 * TestStore.hour), using: &random)
                let start = end - Int64.random(in: 0...(6 * TestStore.hour), using: &random)
                try check(test, model, TimeRange(min: start, max: end), "seed \(seed) round \(round) \(start)...\(end)")
            }
        }
        #expect(test.store.blocks.all.count > 1)
        for block in test.store.blocks.all {
            try block.reader.verify()
            try check(test, model, block.range, "seed \(seed): block alone")
        }
    }

    @Test("A power cut keeps what was synced, and gives nothing that was never appended", arguments: 1...3)
    func powerCut(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed + 200)
        let test = try TestStore { $0.blockRange = 1000 * TestStore.hour }
        var model = Model()
        for _ in 0..<50 { try await step(test, &model, &random) }
        try test.store.log.sync()
        let synced = model.contents(.all)
        for _ in 0..<50 { try await step(test, &model, &random) }
        try test.losePower(using: &random)
        let after = try test.mixed()
        for (labels, samples) in model.contents(.all) {
            let kept = after[labels] ?? []
            #expect(kept.starts(with: synced[labels] ?? []), "seed \(seed)")
            #expect(samples.starts(with: kept), "seed \(seed)")
        }
    }
}
