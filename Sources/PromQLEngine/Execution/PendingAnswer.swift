import Synchronization

/// The answer to a query that somebody waits for. It is given once: by the thread that evaluated the query, or, while the
/// query still waits for a thread, by whatever ended the waiting.
final class PendingAnswer: Sendable {
    typealias Outcome = Result<QueryResult, QueryError>

    private enum State {
        /// Nobody waits yet.
        case new
        case waiting(CheckedContinuation<Outcome, Never>)
        /// A thread has it; only that thread may answer.
        case running(CheckedContinuation<Outcome, Never>)
        /// Given up before anybody waited for it.
        case abandoned(QueryError)
        case answered
    }

    private let state = Mutex(State.new)
    private let timer = Mutex<Task<Void, Never>?>(nil)

    /// Gives up waiting for a thread after a time (ms).
    func abandon(after timeout: Int64, _ failure: QueryError) {
        timer.withLock { timer in
            timer = Task {
                try? await Task.sleep(for: .milliseconds(timeout))
                if !Task.isCancelled { abandon(failure) }
            }
        }
    }

    /// Takes the continuation of the one who waits.
    func wait(_ continuation: CheckedContinuation<Outcome, Never>) {
        let failure = state.withLock { state -> QueryError? in
            if case .abandoned(let failure) = state {
                state = .answered
                return failure
            }
            state = .waiting(continuation)
            return nil
        }
        if let failure { continuation.resume(returning: .failure(failure)) }
    }

    /// - Returns: whether the evaluation is still wanted; then it must be answered.
    func begin() -> Bool {
        state.withLock { state in
            guard case .waiting(let continuation) = state else { return false }
            state = .running(continuation)
            return true
        }
    }

    /// To be called once there is an answer: nobody needs to watch the time any more.
    func stopTimer() { timer.withLock { $0?.cancel() } }

    func answer(_ outcome: Outcome) {
        let continuation = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
            guard case .running(let continuation) = state else { return nil }
            state = .answered
            return continuation
        }
        continuation?.resume(returning: outcome)
    }

    /// Ends the waiting for a thread; an evaluation that has begun goes on.
    func abandon(_ failure: QueryError) {
        let continuation = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
            switch state {
            case .new: state = .abandoned(failure)
            case .waiting(let continuation):
                state = .answered
                return continuation
            case .running, .abandoned, .answered: break
            }
            return nil
        }
        continuation?.resume(returning: .failure(failure))
    }
}
