/// Calls what is to be called at a time, from one thread that does nothing else.
///
/// The thread ends when the timers go; calls that are not due by then are forgotten.
package final class TimerThread: Sendable {
    private struct State {
        var calls = CallHeap()
        var isClosed = false
    }

    private let state = Monitor(State())

    package init(_ name: String) throws(SystemThread.Failure) {
        let state = state
        try SystemThread.start(name) {
            while let due = TimerThread.next(state) { for body in due { body() } }
        }
    }

    deinit { state.change { $0.isClosed = true } }

    /// Calls the body once, after so long, at most a millisecond late; as soon as can be where that is nothing. A body
    /// holds up all later ones: it wakes somebody and returns.
    package func call(after milliseconds: Int64, _ body: @escaping @Sendable () -> Void) {
        let deadline = ContinuousClock.now.advanced(by: .milliseconds(max(milliseconds, 0)))
        // The thread waits for a later one, then.
        if state.withState({ $0.calls.add(at: deadline, body) }) { state.wake(one: true) }
    }

    /// Waits for those whose time has come; nil at the end.
    private static func next(_ state: Monitor<State>) -> [@Sendable () -> Void]? {
        while true {
            var first: ContinuousClock.Instant?
            let found = state.withState { state -> [@Sendable () -> Void]?? in
                if state.isClosed { return .some(nil) }
                let due = state.calls.popDue(now: .now)
                first = state.calls.first
                return due.isEmpty ? nil : .some(due)
            }
            if let found { return found }
            let hasChanged: (inout State) -> Void? = { $0.isClosed || $0.calls.first != first ? () : nil }
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
