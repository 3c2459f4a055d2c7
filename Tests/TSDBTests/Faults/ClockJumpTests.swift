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

    // MARK: - Doubt

    /// A store whose two clocks are the test's.
    private func watched(
        _ adjust: @escaping (inout TSDBOptions) -> Void = { _ in }
    ) throws -> (TestStore, pass: (Int64) -> Void) {
        let monotonic = ManualClock(now: 5)
        let test = try TestStore { options in
            options.monotonicTime = { monotonic.now() }
            adjust(&options)
        }
        return (
            test,
            { milliseconds in
                monotonic.advance(by: milliseconds)
                test.clock.advance(by: milliseconds)
                test.store.clockWatch.check()
            }
        )
    }

    @Test(
        "After a jump forward the new time is refused, counted and told of, and when the clock is put right all goes on"
    )
    func doubted() async throws {
        let (test, pass) = try watched()
        try await test.append([(up, test.clock.now(), 1)])
        test.clock.advance(by: ClockJumpTests.day)
        // Nobody has looked at the clock: the batch does.
        let refused = try await test.append([(up, test.clock.now(), 2), (["__name__": "new"], test.clock.now(), 2)])
        #expect(refused.rejected.map(\.reason) == [.outOfBounds, .outOfBounds])
        #expect(test.metric("hearth_tsdb_clock_jumps_total 1"))
        #expect(test.metric(#"prometheus_tsdb_out_of_bound_samples_total{type="float"} 2"#))
        #expect(test.store.problems.map(\.kind) == [.clock])
        #expect(test.store.problems.first?.text.contains("86400 s") ?? false)
        pass(15_000)
        // Whoever has the right time is heard.
        #expect(try await test.append([(up, test.clock.now() - ClockJumpTests.day, 3)]).accepted == 1)
        pass(60_000)
        test.clock.set(to: test.clock.now() - ClockJumpTests.day)
        pass(15_000)
        #expect(test.store.problems.isEmpty)
        #expect(try await test.append([(up, test.clock.now(), 4)]).accepted == 1)
        #expect(try test.contents()[up]?.map { Double(bitPattern: $0.bits) } == [1, 3, 4])
        #expect(test.metric("hearth_tsdb_clock_jumps_total 2"))
    }

    @Test("A clock that stands for five minutes where it was set to is believed")
    func believed() async throws {
        let (test, pass) = try watched()
        try await test.append([(up, test.clock.now(), 1)])
        test.clock.advance(by: ClockJumpTests.day)
        for _ in 0..<299 {
            pass(1000)
            #expect(try await test.append([(up, test.clock.now(), 2)]).accepted == 0)
        }
        pass(2000)
        pass(1000)
        #expect(try await test.append([(up, test.clock.now(), 3)]).accepted == 1)
        #expect(test.store.problems.isEmpty)
        #expect(test.metric("hearth_tsdb_clock_jumps_total 1"))
    }

    @Test("A clock that jumps on while it is doubted has to stand again")
    func doubtedAgain() async throws {
        let (test, pass) = try watched()
        test.clock.advance(by: ClockJumpTests.day)
        for _ in 0..<250 { pass(1000) }
        test.clock.advance(by: ClockJumpTests.day)
        for _ in 0..<250 { pass(1000) }
        #expect(try await test.append([(up, test.clock.now(), 1)]).accepted == 0)
        for _ in 0..<60 { pass(1000) }
        #expect(try await test.append([(up, test.clock.now(), 1)]).accepted == 1)
    }

    @Test("Ten minutes forward, and corrections, are believed at once")
    func small() async throws {
        let (test, pass) = try watched()
        pass(1000)
        test.clock.advance(by: 600_000)
        pass(1000)
        #expect(try await test.append([(up, test.clock.now(), 1)]).accepted == 1)
        for _ in 0..<600 {
            test.clock.advance(by: 4000)
            pass(1000)
        }
        #expect(try await test.append([(up, test.clock.now(), 2)]).accepted == 1)
        #expect(test.metric("hearth_tsdb_clock_jumps_total 1"))
    }

    @Test("A clock that was set back and is put right again is believed at once, and the problem ends with it")
    func backAndForward() async throws {
        let (test, pass) = try watched()
        try await test.append([(up, test.clock.now(), 1)])
        test.clock.set(to: test.clock.now() - ClockJumpTests.day)
        pass(1000)
        #expect(test.store.problems.map(\.kind) == [.clock])
        #expect(try await test.append([(up, test.clock.now(), 2)]).accepted == 0)
        test.clock.advance(by: ClockJumpTests.day)
        pass(1000)
        #expect(try await test.append([(up, test.clock.now(), 3)]).accepted == 1)
        #expect(test.store.problems.isEmpty)
    }

    @Test("After a jump back the store follows, and tells of it until the time has caught up")
    func followsBack() async throws {
        let (test, pass) = try watched()
        try await test.append([(up, test.clock.now(), 1)])
        test.clock.set(to: test.clock.now() - 30 * 60_000)
        pass(1000)
        let other: LabelSet = ["__name__": "other"]
        // Series without newer samples go on at once, as far back as the head's bound.
        #expect(try await test.append([(other, test.clock.now(), 1)]).accepted == 1)
        for _ in 0..<30 {
            #expect(test.store.problems.map(\.kind) == [.clock])
            pass(60_000)
        }
        #expect(test.store.problems.isEmpty)
        #expect(try await test.append([(up, test.clock.now() + 1, 2)]).accepted == 1)
    }

    @Test("A start with a clock behind the newest sample tells of it, and a window for late samples helps")
    func startBehind() async throws {
        let test = try TestStore()
        test.clock.advance(by: ClockJumpTests.day)
        try await test.append([(up, test.clock.now(), 1)])
        test.clock.set(to: test.clock.now() - ClockJumpTests.day)
        try test.reopen()
        #expect(test.store.problems.map(\.kind) == [.clock])
        #expect(try await test.append([(up, test.clock.now(), 2)]).accepted == 0)
        var settings = StorageSettings()
        settings.outOfOrderWindow = 2 * ClockJumpTests.day
        try test.store.apply(settings)
        #expect(try await test.append([(up, test.clock.now(), 2)]).accepted == 1)
        test.clock.advance(by: ClockJumpTests.day + 1000)
        test.store.clockWatch.check()
        #expect(test.store.problems.isEmpty)
    }
}
