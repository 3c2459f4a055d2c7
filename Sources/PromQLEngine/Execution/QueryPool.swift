import OwnThreads

/// Threads of the engine's own: evaluation never runs on the cooperative pool, where one long query would stop
/// everything that is asynchronous. Jobs run in the order they come.
final class QueryPool: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        /// Threads that do nothing, less the jobs that are waiting for one.
        var idle: Int
    }

    /// Shared with the threads, which live as long as the process.
    private let queue: Monitor<State>
    /// Deep expressions recurse; the parser bounds how deep.
    private static let stackBytes = 16 << 20
    /// Queries give way to what receives and stores.
    private static let nice: Int32 = 5

    /// - Precondition: the system gives at least one thread.
    init(width: Int) {
        let width = max(1, width)
        let queue = Monitor(State(idle: 0))
        self.queue = queue
        var failure: SystemThread.Failure?
        for _ in 0..<width {
            do throws(SystemThread.Failure) {
                try SystemThread.start("query", nice: QueryPool.nice, stackBytes: QueryPool.stackBytes) {
                    while true {
                        let job = queue.wait { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
                        job()
                        queue.change { $0.idle += 1 }
                    }
                }
                queue.change { $0.idle += 1 }
            } catch {
                failure = error
            }
        }
        precondition(queue.change { $0.idle > 0 }, "\(failure?.description ?? "no query thread")")
    }

    /// - Returns: whether a thread is free to take the job at once.
    @discardableResult
    func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        queue.change(wakingOne: true) { state in
            state.jobs.append(job)
            state.idle -= 1
            return state.idle >= 0
        }
    }
}
