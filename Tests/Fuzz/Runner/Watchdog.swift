import Foundation
import OwnThreads
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A thread that ends the process when an input takes too long, or the process too much memory.
final class Watchdog: Sendable {
    /// A machine that is busy with other things makes everything slow: an input hangs when it has computed for so long,
    /// or not come back for much longer. Seconds.
    private static let computedMax = 5.0
    private static let elapsedMax = 60.0
    /// Resident, bytes.
    private static let memoryMax = 1536 << 20
    private static let pollMicroseconds: UInt32 = 50_000

    private struct Moment {
        var elapsed: Double
        var computed: Double

        static var now: Moment {
            Moment(elapsed: seconds(CLOCK_MONOTONIC), computed: seconds(CLOCK_PROCESS_CPUTIME_ID))
        }

        private static func seconds(_ clock: clockid_t) -> Double {
            var time = timespec()
            clock_gettime(clock, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
    }

    /// Counts up at the beginning and at the end of an input: odd while one runs.
    private let turns = Atomic(0)

    init() throws {
        try SystemThread.start("watchdog") { [self] in watch() }
    }

    func inputBegan() { turns.add(1, ordering: .relaxed) }

    func inputEnded() { turns.add(1, ordering: .relaxed) }

    private func watch() {
        var (seen, since) = (0, Moment.now)
        while true {
            usleep(Watchdog.pollMicroseconds)
            let memory = Watchdog.residentBytes()
            if memory > Watchdog.memoryMax { Child.end(.memory, "\(memory >> 20) MiB are resident") }
            let (turn, now) = (turns.load(ordering: .relaxed), Moment.now)
            if turn != seen || turn % 2 == 0 {
                (seen, since) = (turn, now)
                continue
            }
            let (elapsed, computed) = (now.elapsed - since.elapsed, now.computed - since.computed)
            if computed > Watchdog.computedMax || elapsed > Watchdog.elapsedMax {
                Child.end(.hang, "an input runs for \(Int(elapsed)) s, of which \(Int(computed)) s it computed")
            }
        }
    }

    private static func residentBytes() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
