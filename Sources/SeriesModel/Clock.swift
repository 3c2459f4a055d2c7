import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Where "now" comes from. Injected, so that tests own the time.
package protocol WallClock: Sendable {
    /// Milliseconds since the epoch.
    func now() -> Timestamp

    /// Returns when `now()` has reached `deadline`; at once when it has passed.
    /// - Throws: `CancellationError` when the task is cancelled while it waits.
    func sleep(until deadline: Timestamp) async throws
}

extension WallClock {
    package func sleep(milliseconds: Int64) async throws {
        try await sleep(until: now().addingClamped(milliseconds))
    }
}

/// The machine's clock.
package struct SystemClock: WallClock {
    package init() {}

    package func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    package func sleep(until deadline: Timestamp) async throws {
        let wait = deadline.subtractingClamped(now())
        if wait > 0 {
            // A wait beyond a day is cut: the wall clock may have been set meanwhile, the caller looks again.
            try await Task.sleep(for: .milliseconds(min(wait, 86_400_000)))
        } else {
            try Task.checkCancellation()
        }
    }
}

/// A clock that stands still until it is told to move. Sleepers wake in the order of their deadlines.
package final class ManualClock: WallClock {
    private struct State {
        var now: Timestamp
        var nextIdentifier = 0
        var sleepers: [(identifier: Int, deadline: Timestamp, continuation: CheckedContinuation<Void, any Error>)] = []
    }

    private let state: Mutex<State>

    package init(now: Timestamp) {
        state = Mutex(State(now: now))
    }

    package func now() -> Timestamp { state.withLock { $0.now } }

    /// How many tasks wait; a test can wait for its subject to be asleep before it moves the clock.
    package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    package func advance(to time: Timestamp) {
        let due = state.withLock { state in
            state.now = max(state.now, time)
            let now = state.now
            let due = state.sleepers.filter { $0.deadline <= now }.sorted { $0.deadline < $1.deadline }
            state.sleepers.removeAll { $0.deadline <= now }
            return due.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    /// Sets the clock, back too, as somebody sets that of a machine.
    package func set(to time: Timestamp) {
        state.withLock { $0.now = min($0.now, time) }
        advance(to: time)
    }

    package func advance(by milliseconds: Int64) { advance(to: now().addingClamped(milliseconds)) }

    package func sleep(until deadline: Timestamp) async throws {
        let identifier = state.withLock { state in
            state.nextIdentifier += 1
            return state.nextIdentifier
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isDue = state.withLock { state in
                    if state.now >= deadline || Task.isCancelled { return true }
                    state.sleepers.append((identifier, deadline, continuation))
                    return false
                }
                if isDue { continuation.resume() }
            }
            try Task.checkCancellation()
        } onCancel: {
            let sleeper = state.withLock { state in
                let index = state.sleepers.firstIndex { $0.identifier == identifier }
                return index.map { state.sleepers.remove(at: $0).continuation }
            }
            sleeper?.resume(throwing: CancellationError())
        }
    }
}
