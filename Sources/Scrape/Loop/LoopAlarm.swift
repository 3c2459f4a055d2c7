import OwnThreads
import SeriesModel

/// What wakes loops that sleep.
enum LoopAlarm: Sendable {
    /// For the machine's clock: `Task.sleep` has three threads woken for each sleeper on Linux, which is dear for loops that
    /// sleep some hundred times a second.
    case thread(TimerThread)
    /// For any other clock, and where the system gives no thread.
    case clock(any WallClock)

    /// A longer sleep is cut: the wall clock may be set meanwhile, the loop looks again. ms
    private static let sleepMax: Int64 = 86_400_000

    init(for clock: any WallClock) {
        if clock is SystemClock, let thread = try? TimerThread("scrape timers") {
            self = .thread(thread)
        } else {
            self = .clock(clock)
        }
    }

    /// Calls the body once, when the time has come or perhaps before: whoever is woken looks at the clock.
    /// - Returns: what to cancel when the call is not wanted any more; it may come nevertheless. Nil where it is not worth it.
    func call(at deadline: Timestamp, now: Timestamp, _ body: @escaping @Sendable () -> Void) -> Task<Void, Never>? {
        switch self {
        case .thread(let timers):
            timers.call(after: min(deadline.subtractingClamped(now), LoopAlarm.sleepMax), body)
            return nil
        case .clock(let clock):
            return Task {
                _ = try? await clock.sleep(until: deadline)
                body()
            }
        }
    }
}
