import OwnThreads
import SeriesModel

/// The machine's clock for loops that sleep often: one thread of its own wakes them.
struct LoopClock: WallClock {
    private let clock = SystemClock()
    private let timers: TimerThread

    /// Nil where the system gives no thread.
    init?() {
        guard let timers = try? TimerThread("scrape timers") else { return nil }
        self.timers = timers
    }

    func now() -> Timestamp { clock.now() }

    func sleep(until deadline: Timestamp) async throws {
        // As `SystemClock` does it: the wall clock may be set meanwhile, the caller looks again.
        try await timers.sleep(milliseconds: min(deadline.subtractingClamped(now()), 86_400_000))
    }
}
