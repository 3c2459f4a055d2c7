import SeriesModel
import StorageAPI
import Synchronization
import TestSupport
import Testing

@testable import TSDB

@Suite("A machine's clock that is set")
struct ClockJumpTests {
    private static let day: Int64 = 24 * TestStore.hour
    private let up: LabelSet = ["__name__": "up"]

    @Test("is noticed against the clock that nobody sets, either way, and told of")
    func noticed() throws {
        let monotonic = ManualClock(now: 5)
        let test = try TestStore { $0.monotonicTime = { monotonic.now() } }
        func check(_ wall: Int64, _ other: Int64, _ count: Int) {
            test.clock.set(to: test.clock.now() + wall)
            monotonic.advance(by: other)
            test.store.clockWatch.check()
            #expect(test.metric("hearth_tsdb_clock_jumps_total \(count)"))
        }
        check(1000, 1000, 0)
        // The check itself was late, the clock was not set.
        check(60_000, 60_000, 0)
        // A correction by little steps.
        check(1200, 1000, 0)
        check(ClockJumpTests.day, 1000, 1)
        check(1000, 1000, 1)
        check(-ClockJumpTests.day, 1000, 2)
    }

    @Test("Samples more than ten minutes ahead of the clock are refused, and spoil nothing for those that are not")
    func ahead() async throws {
        let test = try TestStore()
        try await test.append([(up, TestStore.start, 1)])
        let result = try await test.append([(up, TestStore.start + ClockJumpTests.day, 2)])
        #expect(result.rejected.map(\.reason) == [.outOfBounds])
        #expect(test.metric(#"prometheus_tsdb_out_of_bound_samples_total{type="float"} 1"#))
        #expect(try await test.append([(up, TestStore.start + 15_000, 3)]).accepted == 1)
        #expect(try test.contents()[up]?.map(\.timestamp) == [TestStore.start, TestStore.start + 15_000])
    }

    @Test("A day forward and back: series go on when the time has caught up, new ones and queries at once")
    func forwardAndBack() async throws {
        let test = try TestStore { $0.settings.outOfOrderWindow = 2 * ClockJumpTests.day }
        try await test.append([(up, TestStore.start, 1)])
        test.clock.set(to: TestStore.start + ClockJumpTests.day)
        try await test.append([(up, test.clock.now(), 2)])
        try test.store.maintain()
        test.clock.set(to: TestStore.start + 15_000)
        let other: LabelSet = ["__name__": "other"]
        // The window for late samples takes what is behind.
        #expect(try await test.append([(up, test.clock.now(), 3), (other, test.clock.now(), 4)]).accepted == 2)
        test.clock.set(to: TestStore.start + ClockJumpTests.day + 15_000)
        #expect(try await test.append([(up, test.clock.now(), 5)]).accepted == 1)
        try test.store.maintain()
        let values = try test.contents().mapValues { $0.map { Double(bitPattern: $0.bits) } }
        #expect(values == [up: [1, 3, 2, 5], other: [4]])
        try test.kill()
        #expect(try test.contents().mapValues { $0.map { Double(bitPattern: $0.bits) } } == values)
    }

    @Test("Without a window for late samples they are refused and counted until the time has caught up")
    func back() async throws {
        let test = try TestStore()
        test.clock.set(to: TestStore.start + ClockJumpTests.day)
        try await test.append([(up, test.clock.now(), 1)])
        test.clock.set(to: TestStore.start)
        let result = try await test.append([(up, test.clock.now(), 2)])
        #expect(result.rejected.map(\.reason) == [.outOfBounds])
        test.clock.set(to: TestStore.start + ClockJumpTests.day + 15_000)
        #expect(try await test.append([(up, test.clock.now(), 3)]).accepted == 1)
        #expect(try test.contents()[up]?.count == 2)
    }
}
