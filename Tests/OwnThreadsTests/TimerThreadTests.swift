import OwnThreads
import Synchronization
import Testing

@Suite("A thread of timers")
struct TimerThreadTests {
    private let timers: TimerThread

    private final class Record: Sendable {
        let woken = Mutex<[Int64]>([])
        let endedCount = Atomic(0)
    }

    init() throws { timers = try TimerThread("timers") }

    @Test("wakes every sleeper, none too early")
    func all() async throws {
        let record = Record()
        try await withThrowingTaskGroup { group in
            let timers = timers
            for milliseconds: Int64 in [80, 20, 60, 40, 1, 0] {
                group.addTask {
                    let start = ContinuousClock.now
                    try await timers.sleep(milliseconds: milliseconds)
                    #expect(start.duration(to: .now) >= .milliseconds(milliseconds))
                    record.woken.withLock { $0.append(milliseconds) }
                }
            }
            try await group.waitForAll()
        }
        #expect(record.woken.withLock { $0.count } == 6)
    }

    @Test("ends the sleep of a task that is cancelled, before it and in it")
    func cancellation() async throws {
        let start = ContinuousClock.now
        let sleeping = Task { try await timers.sleep(milliseconds: 600_000) }
        let cancelled = Task {
            while !Task.isCancelled { await Task.yield() }
            try await timers.sleep(milliseconds: 600_000)
        }
        cancelled.cancel()
        await Task.yield()
        sleeping.cancel()
        await #expect(throws: CancellationError.self) { try await sleeping.value }
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(start.duration(to: .now) < .seconds(60))
    }

    @Test("loses nobody among many that sleep, are cancelled and sleep again")
    func stress() async throws {
        let record = Record()
        await withTaskGroup { group in
            let timers = timers
            for index in 0..<2000 {
                group.addTask {
                    let task = Task { try await timers.sleep(milliseconds: Int64(index % 40)) }
                    if index % 3 == 0 { task.cancel() }
                    do {
                        try await task.value
                        record.woken.withLock { $0.append(1) }
                    } catch {
                        record.endedCount.add(1, ordering: .relaxed)
                    }
                }
            }
        }
        let wokenCount = record.woken.withLock { $0.count }
        #expect(wokenCount + record.endedCount.load(ordering: .relaxed) == 2000)
        #expect(wokenCount >= 1333)
    }
}
