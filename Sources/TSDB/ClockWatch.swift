import Logging
import SelfMetrics
import SeriesModel
import Synchronization

/// Notices when the wall clock is set: it is compared with a clock that only goes on. A jump forward lets samples in
/// that others are too old beside; after one back samples are refused as out of order until the time has caught up.
/// Neither can be undone here, so they are told of.
final class ClockWatch: Sendable {
    /// What corrections and late wake-ups stay below. ms
    static let tolerance: Int64 = 5000

    private let clock: any WallClock
    private let monotonicTime: @Sendable () -> Int64
    private let logger: Logger
    private let jumps: Counter
    /// How far the wall clock is ahead of the other one. ms
    private let lead: Mutex<Int64>

    init(_ options: TSDBOptions) {
        clock = options.clock
        monotonicTime = options.monotonicTime
        logger = options.logger
        jumps = options.metrics.counter(
            "hearth_tsdb_clock_jumps_total", "Jumps of the machine's clock, either way, by more than five seconds.")
        lead = Mutex(options.clock.now().subtractingClamped(options.monotonicTime()))
    }

    /// Looks at both clocks. Cheap: it is called every second.
    func check() {
        let now = clock.now().subtractingClamped(monotonicTime())
        let jump = lead.withLock { lead in
            defer { lead = now }
            return now.subtractingClamped(lead)
        }
        guard jump.magnitude > ClockWatch.tolerance.magnitude else { return }
        jumps.increment()
        logger.warning(
            "the machine's clock was set",
            metadata: ["seconds": "\(Double(jump) / 1000)", "direction": jump > 0 ? "forward" : "back"])
    }

    /// Milliseconds of a clock that nobody sets, and that goes on while the machine sleeps.
    @Sendable
    static func continuousTime() -> Int64 {
        let elapsed = origin.duration(to: .now).components
        return elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000
    }

    private static let origin = ContinuousClock.now
}
