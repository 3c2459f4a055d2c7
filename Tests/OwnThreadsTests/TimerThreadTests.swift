import OwnThreads
import Synchronization
import Testing

@Suite("A thread of timers")
struct TimerThreadTests {
    private let timers: TimerThread

    init() throws { timers = try TimerThread("timers") }

    @Test("calls each body once, in the order of their times, none too early", .timeLimit(.minutes(1)))
    func all() async {
        let (calls, called) = AsyncStream.makeStream(of: (wanted: Int64, took: Duration).self)
        for milliseconds: Int64 in [80, 20, 60, 40, 1, 0, -5] {
            let start = ContinuousClock.now
            timers.call(after: milliseconds) { called.yield((milliseconds, start.duration(to: .now))) }
        }
        var order: [Int64] = []
        for await (wanted, took) in calls {
            #expect(took >= .milliseconds(wanted))
            order.append(wanted)
            if order.count == 7 { break }
        }
        #expect(Array(order.suffix(4)) == [20, 40, 60, 80])
        #expect(Set(order.prefix(3)) == [-5, 0, 1])
    }

    @Test("loses none of many that come from everywhere, from bodies too", .timeLimit(.minutes(1)))
    func stress() async {
        let count = Atomic(0)
        await withTaskGroup { group in
            let timers = timers
            for index in 0..<2000 {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        timers.call(after: Int64(index % 40)) {
                            timers.call(after: Int64(index % 7)) { continuation.resume() }
                        }
                    }
                }
            }
            for await _ in group { count.add(1, ordering: .relaxed) }
        }
        #expect(count.load(ordering: .relaxed) == 2000)
    }

    private final class Witness: Sendable {
        private let isGone: CheckedContinuation<Void, Never>

        init(_ isGone: CheckedContinuation<Void, Never>) { self.isGone = isGone }

        deinit { isGone.resume() }
    }

    @Test("forgets what is not due when it goes", .timeLimit(.minutes(1)))
    func end() async throws {
        var ending: TimerThread? = try TimerThread("ending")
        await withCheckedContinuation { isGone in
            let witness = Witness(isGone)
            ending?.call(after: 600_000) { withExtendedLifetime(witness) {} }
            ending = nil
        }
    }
}
