/// Wakes tasks that sleep, from one thread that does nothing else. `Task.sleep` has three threads woken for each sleeper on
/// Linux, which is dear for loops that sleep some hundred times a second.
///
/// The thread ends when the timers go; who sleeps keeps them alive.
package final class TimerThread: Sendable {
    private struct State {
        var sleepers = SleeperHeap()
        var isClosed = false
    }

    private let state = Monitor(State())

    package init(_ name: String) throws(SystemThread.Failure) {
        let state = state
        try SystemThread.start(name) {
            while let due = TimerThread.next(state) { for sleeper in due { sleeper.resume() } }
        }
    }

    deinit { state.change { $0.isClosed = true } }

    /// Returns after so long, at most a millisecond late; at once where that is nothing.
    /// - Throws: `CancellationError` when the task is cancelled while it waits.
    package func sleep(milliseconds: Int64) async throws {
        try Task.checkCancellation()
        guard milliseconds > 0 else { return }
        let deadline = ContinuousClock.now.advanced(by: .milliseconds(milliseconds))
        let identifier = state.withState { $0.sleepers.makeIdentifier() }
        defer { state.withState { $0.sleepers.forget(identifier) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let added = state.withState { $0.sleepers.add(identifier, until: deadline, continuation) }
                switch added {
                case .cancelled: continuation.resume(throwing: CancellationError())
                // The thread waits for a later one.
                case .first: state.wake(one: true)
                case .later: break
                }
            }
        } onCancel: {
            state.withState { $0.sleepers.cancel(identifier) }?.resume(throwing: CancellationError())
        }
    }

    /// Waits for those whose time has come; nil at the end.
    private static func next(_ state: Monitor<State>) -> [CheckedContinuation<Void, any Error>]? {
        while true {
            var first: ContinuousClock.Instant?
            let found = state.withState { state -> [CheckedContinuation<Void, any Error>]?? in
                if state.isClosed { return .some(nil) }
                let due = state.sleepers.popDue(now: .now)
                first = state.sleepers.first
                return due.isEmpty ? nil : .some(due)
            }
            if let found { return found }
            let hasChanged: (inout State) -> Void? = { $0.isClosed || $0.sleepers.first != first ? () : nil }
            if let first {
                let wait = ContinuousClock.now.duration(to: first).components
                // Rounded up: a little too early would be early again and again.
                let milliseconds = wait.seconds * 1000 + wait.attoseconds / 1_000_000_000_000_000 + 1
                _ = state.wait(milliseconds: max(milliseconds, 1), hasChanged)
            } else {
                state.wait(hasChanged)
            }
        }
    }
}
