import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("Matchers")
struct MatcherTests {
    private static let series: [LabelSet] = [
        ["__name__": "http_requests_total", "job": "api", "code": "200"],
        ["__name__": "http_requests_total", "job": "api", "code": "404"],
        ["__name__": "http_requests_total", "job": "web", "code": "500"],
        ["__name__": "http_requests_total", "job": "web"],
        ["__name__": "up", "job": "api"],
        ["__name__": "up", "job": "b|c"],
        ["__name__": "up"],
        ["job": "api", "é": "\u{65}\u{301}"],
        ["job": "api", "é": "\u{e9}"],
    ]

    private static func matcher(_ kind: LabelMatcher.Kind, _ name: String, _ value: String) throws -> LabelMatcher {
        try LabelMatcher(kind, name, value)
    }

    /// Head and block must answer alike.
    private func expectAlike(_ matchers: [LabelMatcher], in tests: [TestStore]) throws {
        let expected = MatcherTests.series.filter { labels in matchers.allSatisfy { $0.matches(labels) } }.sorted()
        for test in tests {
            let found = try test.select(matchers).map(\.labels).sorted()
            #expect(found == expected, "\(matchers)")
            let series = try test.store.series(matching: [matchers], in: .all, cancellation: Cancellation())
            #expect(series == expected, "\(matchers)")
        }
    }

    private func stores() async throws -> [TestStore] {
        let head = try TestStore()
        try await head.append(MatcherTests.series.map { ($0, TestStore.start, 1) })
        let block = try TestStore()
        try await block.append(MatcherTests.series.map { ($0, TestStore.start, 1) })
        block.clock.advance(by: 4 * TestStore.hour)
        let other: LabelSet = ["__name__": "other"]
        try await block.append([(other, block.clock.now(), 1)])
        try block.store.maintain()
        #expect(block.store.blocks.all.count == 1)
        // The head of this one is emptied of what would be found beside the block.
        return [head, block]
    }

    @Test("Every kind of matcher finds what a look at each series finds, in the head and in a block")
    func kinds() async throws {
        let tests = try await stores()
        let values = ["", "api", "web", "api|web", "(?:api|b\\|c)", ".*", ".+", "a.*", "|api", "nothing", "404|5.."]
        for name in ["job", "code", "missing"] {
            for kind in LabelMatcher.Kind.allCases {
                for value in values {
                    let matcher = try LabelMatcher(kind, name, value)
                    try expectAlike([.notEqual("__name__", "other"), matcher], in: tests)
                    try expectAlike([.equal("__name__", "up"), matcher], in: tests)
                }
            }
        }
    }

    @Test("Several matchers must all hold")
    func several() async throws {
        let tests = try await stores()
        let all = try [
            LabelMatcher.equal("job", "api"), .notEqual("code", "404"), LabelMatcher(.regex, "__name__", "http.*|up"),
            LabelMatcher(.notRegex, "code", "5.."), LabelMatcher(.regex, "code", ".*"), .equal("missing", ""),
            .notEqual("__name__", "other"),
        ]
        for first in all {
            for second in all {
                for third in all { try expectAlike([.notEqual("__name__", "other"), first, second, third], in: tests) }
            }
        }
    }

    @Test("Values that look alike and differ in bytes are different")
    func bytes() async throws {
        for test in try await stores() {
            #expect(try test.select([.equal("é", "\u{e9}")]).count == 1)
            #expect(try test.select([.equal("é", "\u{65}\u{301}")]).count == 1)
            let values = try test.store.labelValues(of: "é", matching: [], in: .all, cancellation: Cancellation())
            #expect(values.map { Array($0.utf8) } == ["\u{65}\u{301}", "\u{e9}"].map { Array($0.utf8) })
        }
    }

    @Test("Label names and values are sorted, and narrowed by matchers and range")
    func names() async throws {
        for test in try await stores() {
            let end = TimeRange(min: TestStore.start, max: TestStore.start + 1)
            func values(_ name: String, _ matching: [[LabelMatcher]], _ range: TimeRange) throws -> [String] {
                try test.store.labelValues(of: name, matching: matching, in: range, cancellation: Cancellation())
            }
            #expect(try values("code", [], end) == ["200", "404", "500"])
            #expect(try values("code", [[.equal("job", "api")]], end) == ["200", "404"])
            #expect(
                try values("code", [[.equal("code", "200")], [.equal("code", "500")]], end) == ["200", "500"])
            #expect(try values("missing", [], end) == [])
            #expect(try values("code", [], TimeRange(min: 0, max: 1)) == [])
            let names = try test.store.labelNames(
                matching: [[.equal("__name__", "up")]], in: end, cancellation: Cancellation())
            #expect(names == ["__name__", "job"])
            let all = try test.store.labelNames(matching: [], in: end, cancellation: Cancellation())
            #expect(all == ["__name__", "code", "job", "é"])
        }
    }

    @Test("Series come in the order of their stable hash")
    func order() async throws {
        for test in try await stores() {
            let found = try test.select().map(\.labels)
            #expect(found == found.sorted { ($0.stableHash, $0.packed.count) < ($1.stableHash, $1.packed.count) })
        }
    }

    @Test("A cancelled query ends")
    func cancelled() async throws {
        let test = try await stores()[1]
        let cancellation = Cancellation()
        cancellation.cancel()
        #expect(throws: CancellationError.self) {
            _ = try test.store.select([Selection(matchers: [], range: .all)], cancellation: cancellation)
        }
    }
}
