import SeriesModel
import Testing

@Suite("Clocks")
struct ClockTests {
    @Test("sleepers of a manual clock wake when their time has come", .timeLimit(.minutes(1)))
    func manualClock() async throws {
        let clock = ManualClock(now: 1000)
        let early = Task { try await clock.sleep(until: 2000) }
        let late = Task { try await clock.sleep(until: 3000) }
        while clock.sleeperCount < 2 { await Task.yield() }
        clock.advance(to: 2000)
        try await early.value
        #expect(clock.sleeperCount == 1)
        clock.advance(by: 1000)
        try await late.value
        #expect(clock.now() == 3000)
    }

    @Test("a deadline that has passed does not wait, and the clock never goes back", .timeLimit(.minutes(1)))
    func passed() async throws {
        let clock = ManualClock(now: 1000)
        try await clock.sleep(until: 1000)
        clock.advance(to: 500)
        #expect(clock.now() == 1000)
    }

    @Test("a cancelled sleeper leaves", .timeLimit(.minutes(1)))
    func cancellation() async {
        let clock = ManualClock(now: 0)
        let task = Task { try await clock.sleep(until: 1) }
        while clock.sleeperCount < 1 { await Task.yield() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(clock.sleeperCount == 0)
    }
}
