import OwnThreads
import SeriesModel
import StorageAPI

/// The one place where the head is changed, by one thread at a time. Batches wait in a bounded queue; each is decided,
/// logged with one write, applied under the gate, and answered. Whatever else must not run beside that (taking a view for
/// a checkpoint, truncating) is handed to it as well.
///
/// It has a thread of its own. But a batch that comes while there is nothing else to do is committed by the thread that
/// brings it, if that is one of our own: two threads that wake each other cost more than a small batch does.
final class Committer: Sendable {
    typealias Answer = Result<AppendResult, StorageError>

    private enum Request {
        case append(SampleBatch, @Sendable (Answer) -> Void)
        case perform(() -> Void)
    }

    private struct Queue {
        var requests: [Request] = []
        /// A thread commits or performs: nobody else may.
        var isBusy = false
        /// Batches that were taken out of the queue and are not answered yet.
        var takenCount = 0
        var isClosed = false
        var isStopped = false
    }

    private let queue = Monitor(Queue())
    private let queuedMax: Int
    private let handle: @Sendable (SampleBatch) -> Answer

    /// - Parameter handle: commits one batch. Runs on any thread, but never twice at once, nor beside what is performed.
    init(queuedMax: Int, handle: @escaping @Sendable (SampleBatch) -> Answer) throws(StorageError) {
        self.queuedMax = queuedMax
        self.handle = handle
        let queue = queue
        try StorageError.startingThread("committer") {
            while let requests = Committer.next(queue) {
                for request in requests {
                    switch request {
                    case .append(let batch, let answer): answer(handle(batch))
                    case .perform(let work): work()
                    }
                }
                queue.withState { state in
                    state.isBusy = false
                    state.takenCount = 0
                }
            }
            queue.change { $0.isStopped = true }
        }
    }

    /// All that waits at once: one lock for many batches under load. Nil when there is nothing more to come.
    private static func next(_ queue: Monitor<Queue>) -> [Request]? {
        queue.wait { state -> [Request]?? in
            if state.isBusy { return nil }
            if state.requests.isEmpty { return state.isClosed ? .some(nil) : nil }
            defer { state.requests = [] }
            state.isBusy = true
            state.takenCount = state.requests.count
            return state.requests
        }
    }

    /// - Throws: `.closed`; `.unavailable` when too many batches wait already; what the commit met.
    func append(_ batch: SampleBatch) async throws -> AppendResult {
        if SystemThread.isCurrent, beginAlone() {
            defer { endAlone() }
            return try handle(batch).get()
        }
        return try await withCheckedThrowingContinuation { continuation in
            let refusal = queue.change { state -> StorageError? in
                if state.isClosed { return .closed }
                if state.requests.count + state.takenCount >= queuedMax {
                    return .unavailable(reason: "\(queuedMax) batches wait to be committed, try again")
                }
                state.requests.append(.append(batch) { continuation.resume(with: $0.mapError { $0 as any Error }) })
                return nil
            }
            if let refusal { continuation.resume(throwing: refusal) }
        }
    }

    /// - Returns: whether the calling thread is the one that commits now.
    private func beginAlone() -> Bool {
        queue.withState { state in
            guard !state.isBusy, !state.isClosed, state.requests.isEmpty else { return false }
            state.isBusy = true
            return true
        }
    }

    private func endAlone() {
        let isSomeoneWaiting = queue.withState { state in
            state.isBusy = false
            return state.isClosed || !state.requests.isEmpty
        }
        if isSomeoneWaiting { queue.wake(one: false) }
    }

    /// Runs work on the committer's thread between two batches, and waits for it.
    func perform<R>(_ work: @escaping () throws -> R) throws -> R {
        let outcome = Monitor<Result<R, any Error>?>(nil)
        let isClosed = queue.change { state in
            if !state.isClosed {
                state.requests.append(
                    .perform {
                        let result = Result { try work() }
                        outcome.change { $0 = result }
                    })
            }
            return state.isClosed
        }
        if isClosed { throw StorageError.closed }
        return try outcome.wait { $0 }.get()
    }

    /// Takes no more work, finishes what waits, and ends the thread.
    func close() {
        queue.change { $0.isClosed = true }
        queue.wait { $0.isStopped ? () : nil }
    }
}
