import Testing

@testable import RemoteStorage

@Suite("How many shards a queue has")
struct ShardCountRuleTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var incoming = 10_000.0
        var outgoing = 10_000.0
        var dropped = 0.0
        var sendingSeconds: Double
        var delay = 0.0
        var current: Int
        var expected: Int
    }

    /// Rows are for ten seconds.
    static let cases: [Case] = [
        Case(testDescription: "nothing sent yet", outgoing: 0, sendingSeconds: 0, current: 3, expected: 3),
        Case(testDescription: "one shard is enough", sendingSeconds: 5, current: 1, expected: 1),
        Case(
            testDescription: "sending takes longer than a shard has time", sendingSeconds: 45, current: 1, expected: 5),
        Case(testDescription: "within a third nothing changes", sendingSeconds: 125, current: 10, expected: 10),
        Case(testDescription: "beyond it it does", sendingSeconds: 135, current: 10, expected: 14),
        Case(testDescription: "too many shards", sendingSeconds: 20, current: 10, expected: 2),
        Case(
            testDescription: "none is taken away while behind", sendingSeconds: 5, delay: 11, current: 10, expected: 10),
        Case(
            testDescription: "a backlog of 100 s asks for five times more", sendingSeconds: 10, delay: 100, current: 1,
            expected: 6),
        Case(
            testDescription: "dropped rows need no shards", incoming: 20_000, dropped: 10_000, sendingSeconds: 30,
            current: 1, expected: 3),
        Case(testDescription: "no more than the maximum", sendingSeconds: 9000, current: 20, expected: 50),
        Case(testDescription: "no fewer than the minimum", sendingSeconds: 0.1, current: 20, expected: 2),
        Case(
            testDescription: "the clock of the samples is ahead", sendingSeconds: 45, delay: -50, current: 5,
            expected: 5),
    ]

    @Test("follows rates, time and backlog", arguments: cases)
    func table(_ example: Case) {
        var rule = ShardCountRule(shardsMin: example.expected == 1 ? 1 : 2, shardsMax: 50)
        var observation = ShardCountRule.Observation()
        observation.incoming = example.incoming
        observation.outgoing = example.outgoing
        observation.dropped = example.dropped
        observation.sendingSeconds = example.sendingSeconds
        observation.delay = example.delay
        #expect(rule.answer(to: observation, shardCount: example.current).shardCount == example.expected)
    }

    @Test("rates are averages that a single quiet moment does not overturn")
    func averages() {
        var rule = ShardCountRule(shardsMin: 1, shardsMax: 50)
        var busy = ShardCountRule.Observation()
        (busy.incoming, busy.outgoing, busy.sendingSeconds) = (10_000, 10_000, 100)
        #expect(rule.answer(to: busy, shardCount: 10).shardCount == 10)
        #expect(rule.answer(to: ShardCountRule.Observation(), shardCount: 10).shardCount == 10)
        var answer = ShardCountRule.Answer(shardCount: 10, desired: nil)
        for _ in 0..<20 { answer = rule.answer(to: ShardCountRule.Observation(), shardCount: answer.shardCount) }
        #expect(answer.shardCount == 1)
    }

    @Test("resharding waits for a sending of late, and for who asked for patience")
    func permission() {
        let progress = QueueProgress()
        #expect(!progress.allowsResharding(at: 100_000, lastSendWithin: 10_000))
        progress.sent(newest: 1, at: 95_000)
        #expect(progress.allowsResharding(at: 100_000, lastSendWithin: 10_000))
        #expect(!progress.allowsResharding(at: 105_001, lastSendWithin: 10_000))
        progress.disableResharding(until: 102_000)
        #expect(!progress.allowsResharding(at: 101_999, lastSendWithin: 10_000))
        #expect(progress.allowsResharding(at: 102_000, lastSendWithin: 10_000))
    }

    @Test("a log that is closed for a while, or whose numbers go back, does not count as a flood")
    func logAway() {
        let progress = QueueProgress()
        func observe(_ newest: UInt64?) -> Double {
            progress.read(rows: 100, dropped: 0, newest: 1000)
            return progress.take(newestRecord: newest, newestTimestamp: nil).incoming
        }
        #expect(observe(5000) == 100)
        #expect(observe(5010) == 1000)
        #expect(observe(nil) == 100)
        #expect(observe(5100) == 100)
        #expect(observe(40) == 100)
        #expect(observe(42) == 200)
    }
}
