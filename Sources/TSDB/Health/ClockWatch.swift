import Logging
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization

/// Tells a wall clock that goes on from one that was set: it is compared with a clock that only goes on. The wall time
/// at their last agreement and what has elapsed since are the time that is trusted.
///
/// A jump forward is not believed at once: one sample with a time of next year would drag the head's bounds there, and
/// all that come with the right time later would be refused. For five minutes nothing is taken that is far ahead of the
/// trusted time; a clock that still stands there then was put right, not wrong. A jump back is believed: it can spoil
/// nothing, only meet samples that are newer.
final class ClockWatch: Sendable {
    /// What corrections and late wake-ups stay below. ms
    static let tolerance: Int64 = 5000
    /// A jump forward by more is doubted. ms
    static let doubtedJump: Int64 = 10 * 60_000
    /// How long. ms
    static let doubtTime: Int64 = 5 * 60_000

    private struct State {
        /// How far the wall clock is ahead of the other one, as far as it is believed. ms
        var lead: Int64
        /// The same, before the wall clock was set back.
        var leadBefore: Int64?
        /// Where the wall clock stands and is not believed yet, and when it is going to be, on the other clock. ms
        var doubt: (lead: Int64, end: Int64)?
        /// When a clock that was set back has caught up with the samples that are there. ms
        var caughtUp: Timestamp?
    }

    private let clock: any WallClock
    private let monotonicTime: @Sendable () -> Int64
    private let logger: Logger
    private let health: HealthRegister
    private let jumps: Counter
    private let state: Mutex<State>
    /// That of the state: what a batch looks at. ms
    private let lead: Atomic<Int64>

    init(_ options: TSDBOptions, _ health: HealthRegister) {
        let clock = options.clock
        self.clock = clock
        let monotonicTime = options.monotonicTime ?? ClockWatch.monotonicTime(beside: clock)
        self.monotonicTime = monotonicTime
        logger = options.logger
        self.health = health
        jumps = options.metrics.counter(
            "hearth_tsdb_clock_jumps_total", "Jumps of the machine's clock, either way, by more than five seconds.")
        let lead = clock.now().subtractingClamped(monotonicTime())
        self.lead = Atomic(lead)
        state = Mutex(State(lead: lead))
    }

    /// The time that samples are judged by: the wall clock's, or the trusted one while that is doubted. A jump is noticed
    /// here, before a sample of it is taken. Once a batch.
    func now() -> Timestamp {
        let (wall, other) = (clock.now(), monotonicTime())
        if wall.subtractingClamped(other).subtractingClamped(lead.load(ordering: .relaxed)) <= ClockWatch.doubtedJump {
            return wall
        }
        return look(wall, other)
    }

    /// Looks at both clocks. Cheap: it is called every second.
    func check() { _ = look(clock.now(), monotonicTime()) }

    /// The head has samples already: where they are ahead of the clock, it was set back while nobody looked.
    func noteNewest(_ newest: Timestamp) {
        let ahead = newest.subtractingClamped(clock.now())
        guard ahead > ClockWatch.doubtedJump else { return }
        state.withLock { $0.caughtUp = newest }
        tellOfBack(ahead, until: newest)
    }

    private func look(_ wall: Timestamp, _ other: Int64) -> Timestamp {
        state.withLock { state in
            let now = wall.subtractingClamped(other)
            let jump = now.subtractingClamped(state.lead)
            if jump.magnitude <= ClockWatch.tolerance.magnitude {
                if let doubt = state.doubt { tell(now.subtractingClamped(doubt.lead)) }
                believe(now, &state)
            } else if jump > ClockWatch.doubtedJump {
                doubt(now, jump, other, &state)
            } else {
                tell(jump)
                if jump < 0, state.doubt == nil {
                    let trusted = other.addingClamped(state.lead)
                    state.leadBefore = state.lead
                    state.caughtUp = max(trusted, state.caughtUp ?? trusted)
                    tellOfBack(-jump, until: trusted)
                }
                believe(now, &state)
            }
            if let caughtUp = state.caughtUp, wall >= caughtUp {
                state.caughtUp = nil
                if state.doubt == nil { health.clear(.clock) }
            }
            return min(wall, other.addingClamped(state.lead))
        }
    }

    private func believe(_ now: Int64, _ state: inout State) {
        if state.doubt != nil { health.clear(.clock) }
        state.doubt = nil
        state.lead = now
        lead.store(now, ordering: .relaxed)
    }

    private func doubt(_ now: Int64, _ jump: Int64, _ other: Int64, _ state: inout State) {
        if let before = state.leadBefore, now.subtractingClamped(before).magnitude <= ClockWatch.tolerance.magnitude {
            // It was set back, and is as it was.
            tell(jump)
            state.leadBefore = nil
            believe(now, &state)
            return
        }
        if let doubt = state.doubt,
            now.subtractingClamped(doubt.lead).magnitude <= ClockWatch.tolerance.magnitude
        {
            if other < doubt.end {
                state.doubt?.lead = now
            } else {
                logger.warning("the machine's clock stands where it was set to, and is believed now")
                believe(now, &state)
            }
            return
        }
        tell(jump)
        state.doubt = (now, other.addingClamped(ClockWatch.doubtTime))
        health.raise(
            .clock,
            "The machine's clock was set forward by \(jump / 1000) s: samples of the new time are refused "
                + "until it has stood there for \(ClockWatch.doubtTime / 60_000) minutes")
    }

    private func tell(_ jump: Int64) {
        jumps.increment()
        logger.warning(
            "the machine's clock was set",
            metadata: ["seconds": "\(Double(jump) / 1000)", "direction": jump > 0 ? "forward" : "back"])
    }

    private func tellOfBack(_ jump: Int64, until time: Timestamp) {
        health.raise(
            .clock,
            "The machine's clock was set back by \(jump / 1000) s: samples are refused as old until it has caught up, "
                + "at \(time) ms, unless storage.tsdb.out_of_order_time_window takes them")
    }

    static func monotonicTime(beside clock: any WallClock) -> @Sendable () -> Int64 {
        if clock is SystemClock { return continuousTime }
        return { clock.now() }
    }

    /// Milliseconds of a clock that nobody sets, and that goes on while the machine sleeps.
    @Sendable
    static func continuousTime() -> Int64 {
        let elapsed = origin.duration(to: .now).components
        return elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000
    }

    private static let origin = ContinuousClock.now
}
