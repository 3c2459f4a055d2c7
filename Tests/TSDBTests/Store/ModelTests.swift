import Blocks
import HeadMemory
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

/// The store as a dictionary: what it would be if nothing had to be fast or survive.
struct ModelStore {
    private(set) var series: [LabelSet: [Sample]] = [:]
    private var newest: Timestamp?
    /// What was cut off is closed to new samples.
    private var appendStart: Timestamp = .min

    mutating func append(_ samples: [(LabelSet, Timestamp, Double)], now: Timestamp) -> [Int: AppendResult.Rejection] {
        var rejected: [Int: AppendResult.Rejection] = [:]
        let lowerBound = max(appendStart, newest.map { $0 - TestStore.hour } ?? .min)
        for (index, (labels, timestamp, value)) in samples.enumerated() {
            let last = series[labels]?.last
            if timestamp < lowerBound || timestamp > now + 600_000 {
                rejected[index] = .outOfBounds
            } else if let last, timestamp < last.timestamp {
                rejected[index] = .outOfOrder
            } else if let last, timestamp == last.timestamp {
                if last.bits != value.bitPattern { rejected[index] = .duplicateTimestamp }
            } else {
                series[labels, default: []].append(Sample(timestamp, value))
                newest = max(newest ?? timestamp, timestamp)
            }
        }
        return rejected
    }

    /// The first series in which two answers differ; nil where they are the same.
    static func difference(_ found: [LabelSet: [Sample]], _ expected: [LabelSet: [Sample]]) -> String? {
        for labels in Set(found.keys).union(expected.keys).sorted() {
            let (a, b) = (found[labels] ?? [], expected[labels] ?? [])
            if a == b { continue }
            let index = zip(a, b).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(a.count, b.count)
            return "\(labels): \(a.count) and \(b.count) samples, from \(index) on "
                + "\(a.dropFirst(index).prefix(2)) and \(b.dropFirst(index).prefix(2))"
        }
        return nil
    }

    mutating func cut(upTo start: Timestamp) { appendStart = max(appendStart, start) }

    func contents(_ matchers: [LabelMatcher], _ range: TimeRange) -> [LabelSet: [Sample]] {
        var found: [LabelSet: [Sample]] = [:]
        for (labels, samples) in series where matchers.allSatisfy({ $0.matches(labels) }) {
            let within = samples.filter { range.contains($0.timestamp) }
            if !within.isEmpty { found[labels] = within }
        }
        return found
    }
}

@Suite("The store against a model")
struct ModelTests {
    @Test("Random batches, queries, cuts, checkpoints, kills and reopenings agree with the model", arguments: 1...6)
    func random(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let test = try TestStore()
        var model = ModelStore()
        let pool = (0..<40).map { index in
            LabelSet([
                Label("__name__", "metric\(index % 5)"), Label("job", ["api", "web", "db"][index % 3]),
                Label("i", "\(index)"),
            ])
        }
        var refs: [LabelSet: SeriesRef] = [:]
        for step in 0..<400 {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<70:
                test.clock.advance(by: Int64.random(in: 1...300_000, using: &random))
                let samples = batch(pool, now: test.clock.now(), &random)
                let expected = model.append(samples, now: test.clock.now())
                let result = try await append(samples, test, &refs)
                #expect(result == expected, "seed \(seed) step \(step)")
            case 70..<90:
                try check(test, model, pool, &random, "seed \(seed) step \(step)")
            case 90..<95:
                try test.store.maintain()
                model.cut(upTo: test.store.head.start)
            case 95: try test.store.checkpoint()
            case 96, 97:
                try test.kill()
                refs = [:]
            default:
                try test.reopen()
                refs = [:]
            }
        }
        #expect(ModelStore.difference(try test.contents(), model.contents([], .all)) == nil, "seed \(seed)")
        try test.store.maintain()
        #expect(ModelStore.difference(try test.contents(), model.contents([], .all)) == nil, "seed \(seed)")
        for block in test.store.blocks.all { try block.reader.verify() }
    }

    private func batch(
        _ pool: [LabelSet], now: Timestamp, _ random: inout SeededRandom
    ) -> [(LabelSet, Timestamp, Double)] {
        (0..<Int.random(in: 1...30, using: &random)).map { _ in
            let labels = pool[Int.random(in: 0..<pool.count, using: &random)]
            let offset: Int64 =
                switch Int.random(in: 0..<20, using: &random) {
                case 0: -Int64.random(in: 0...(3 * TestStore.hour), using: &random)
                case 1: Int64.random(in: 0...700_000, using: &random)
                default: 0
                }
            return (labels, now + offset, Double(Int.random(in: 0...3, using: &random)))
        }
    }

    /// Appends by reference where there is one; references that have become void are replaced by labels.
    private func append(
        _ samples: [(LabelSet, Timestamp, Double)], _ test: TestStore, _ refs: inout [LabelSet: SeriesRef]
    ) async throws -> [Int: AppendResult.Rejection] {
        var batch = SampleBatch()
        for (labels, timestamp, value) in samples {
            if let ref = refs[labels], test.store.head.contains(ref) {
                batch.append(ref, timestamp, value)
            } else {
                batch.append(labels, timestamp, value)
            }
        }
        let result = try await test.store.append(batch)
        for (labels, ref) in zip(batch.newSeries, result.refs) { refs[labels] = ref ?? refs[labels] }
        return Dictionary(uniqueKeysWithValues: result.rejected.map { ($0.sample, $0.reason) })
    }

    private func check(
        _ test: TestStore, _ model: ModelStore, _ pool: [LabelSet], _ random: inout SeededRandom, _ place: String
    ) throws {
        let now = test.clock.now()
        let width = Int64.random(in: 0...(8 * TestStore.hour), using: &random)
        let end = now - Int64.random(in: -TestStore.hour...(4 * TestStore.hour), using: &random)
        let range = TimeRange(min: end - width, max: end)
        let matchers: [LabelMatcher] =
            try [
                [], [.equal("job", "api")], [.notEqual("job", "api"), LabelMatcher(.regex, "i", "1.*")],
                [LabelMatcher(.regex, "__name__", "metric[12]")], [LabelMatcher(.notRegex, "i", "1|2|3.*")],
            ].randomElement(using: &random) ?? []
        var found: [LabelSet: [Sample]] = [:]
        for (labels, samples) in try test.select(matchers, range) where !samples.isEmpty { found[labels] = samples }
        let difference = ModelStore.difference(found, model.contents(matchers, range))
        #expect(difference == nil, "\(place)")
    }
}
