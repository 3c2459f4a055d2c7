import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import HeadMemory

@Suite("Matchers on the head's series")
struct HeadMatchingTests {
    private static let names = ["__name__", "job", "zone", "é"]
    private static let values = ["a", "b", "ab", "a.b", "host-1", "host-2", "HOST-1", "e\u{301}", "\u{E9}", "x|y"]
    private static let patterns = [
        "a", "a|b", "a|", "", ".*", ".+", "host-.*", "host-[12]", "(?i:host-1)", "a\\.b", "x\\|y", "[^a].*", "b?",
        "a.b|b",
        "\u{E9}",
    ]

    private func matcher(_ random: inout SeededRandom) throws -> LabelMatcher {
        let kind = random.pick(LabelMatcher.Kind.allCases)
        let isPattern = kind == .regex || kind == .notRegex
        let value = random.pick(isPattern ? HeadMatchingTests.patterns : HeadMatchingTests.values + [""])
        return try LabelMatcher(kind, random.pick(HeadMatchingTests.names + ["absent"]), value)
    }

    private func labels(_ random: inout SeededRandom) -> LabelSet {
        let pairs = HeadMatchingTests.names.compactMap { name in
            random.chance(70) ? Label(name, random.pick(HeadMatchingTests.values)) : nil
        }
        return LabelSet(pairs.isEmpty ? [Label("job", "a")] : pairs)
    }

    @Test(
        "Any matchers select the series that a naive filter does, while series come and go", arguments: Seeds.fixed(4))
    func naive(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let test = try HeadFixture()
        var time = HeadFixture.start
        var alive: [LabelSet: Timestamp] = [:]
        for _ in 0..<6 {
            time += HeadFixture.blockRange / 3
            for _ in 0..<60 {
                let labels = labels(&random)
                try test.append([(labels, time, 1)])
                alive[labels] = time
            }
            for _ in 0..<150 {
                let matchers = try (0..<1 + random.below(3)).map { _ in try matcher(&random) }
                let found = HeadFixture.select(matchers, in: test.head).entries.map(\.labels)
                let expected = alive.keys.filter { labels in matchers.allSatisfy { $0.matches(labels) } }
                if Set(found) != Set(expected) || found.count != expected.count {
                    Issue.record("seed \(seed): \(matchers): \(found.count) instead of \(expected.count)")
                }
            }
            let end = time - HeadFixture.blockRange / 3
            try test.truncate(to: end)
            alive = alive.filter { $0.value >= end }
        }
        let index = HeadIndex(test.head)
        #expect(index.allPostings().count == alive.count)
        #expect(Set(index.labelNames()) == Set(alive.keys.flatMap { $0.map(\.name) }))
        #expect(Set(index.labelValues(of: "job")) == Set(alive.keys.compactMap { $0["job"] }))
        for value in HeadMatchingTests.values {
            let expected = alive.keys.filter { ($0["zone"] ?? "").utf8.elementsEqual(value.utf8) }
            #expect(index.postings(name: "zone", value: value).count == expected.count)
        }
        #expect(index.pairCounts().reduce(0) { $0 + $1.seriesCount } == alive.keys.reduce(0) { $0 + $1.count })
    }

    @Test("A pair that came after the patterns were run is looked at nevertheless")
    func cameSince() throws {
        let test = try HeadFixture()
        try test.append([(HeadFixture.labels(1), HeadFixture.start, 1)])
        let stay = test.head.epochs.enter()
        let picks = HeadMatching([try LabelMatcher(.regex, "instance", "host-.*")], test.head, stay)
        let leaves = HeadMatching([try LabelMatcher(.notRegex, "instance", "host-.*x")], test.head, stay)
        try test.append([
            (HeadFixture.labels(2), HeadFixture.start, 1), (["instance": "other"], HeadFixture.start, 1),
            (["instance": "host-x"], HeadFixture.start, 1),
        ])
        #expect(test.head.gate.shared { picks.slots() } == [0, 1, 3])
        #expect(test.head.gate.shared { leaves.slots() } == [0, 1, 2])
    }

    @Test("The number of a pair that left is not given to another while a reader knows it")
    func numbersStay() throws {
        let test = try HeadFixture()
        try test.append([(["a": "yes"], HeadFixture.start, 1)])
        let stay = test.head.epochs.enter()
        let matching = HeadMatching([try LabelMatcher(.regex, "a", "y.*")], test.head, stay)
        try test.truncate(to: HeadFixture.start + HeadFixture.blockRange)
        try test.append([(["a": "no"], HeadFixture.start + HeadFixture.blockRange, 1)])
        #expect(test.head.gate.shared { matching.slots() }.isEmpty)
    }
}
