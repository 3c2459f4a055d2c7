import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import PromQLEngine

@Suite("Selecting the greatest and least of a group")
struct RankedGroupTests {
    private static let labels = (0..<40).map { LabelSet([Label("i", String($0 * 7 % 40))]) }

    private func context() -> EvaluationContext {
        EvaluationContext(
            options: EngineOptions(), query: [],
            budget: QueryBudget(maxSamples: .max, maxMemory: .max, cancellation: Cancellation(), deadline: .max),
            lookbackDelta: 300_000, profile: nil)
    }

    @Test("finds what sorting finds, with NaN last and equal values in the order of their labels", arguments: 0..<50)
    func againstSorting(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let labels = RankedGroupTests.labels
        let choices = [0, -0.0, 1, 2, -3, .nan, .infinity, -.infinity, 5, 6, 7]
        let values = labels.map { _ in choices.randomElement(using: &random) ?? 0 }
        for isTop in [true, false] {
            let sorted = labels.indices.sorted { a, b in
                let (x, y) = (values[a], values[b])
                if x.isNaN != y.isNaN { return y.isNaN }
                if x == y || x.isNaN { return labels[a] < labels[b] }
                return isTop ? x > y : x < y
            }
            for count in [0, 1, 2, 3, 17, 40, 100] {
                var group = RankedGroup(isTop: isTop, counts: [count])
                for member in labels.indices.shuffled(using: &random) {
                    try group.add(
                        VectorSeries(labels: labels[member], column: Column(values: [values[member]])), context())
                }
                #expect(group.series.map(\.labels) == sorted.prefix(count).map { labels[$0] })
            }
        }
    }

    @Test("each step keeps its own members, as many as it asks for")
    func steps() throws {
        var group = RankedGroup(isTop: true, counts: [1, 0, 2])
        for (number, values) in [[1.0, 9, 1], [2, 8, 3], [0, 7, 2]].enumerated() {
            try group.add(
                VectorSeries(labels: RankedGroupTests.labels[number], column: Column(values: values)), context())
        }
        let found = Dictionary(uniqueKeysWithValues: group.series.map { ($0.labels, $0.column) })
        #expect(found[RankedGroupTests.labels[0]] == nil)
        #expect(found[RankedGroupTests.labels[1]].map { [$0[0], $0[1], $0[2]] } == [2, nil, 3])
        #expect(found[RankedGroupTests.labels[2]].map { [$0[0], $0[1], $0[2]] } == [nil, nil, 2])
    }
}
