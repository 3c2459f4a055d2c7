#if canImport(Glibc)
    import Glibc
#endif

/// A few threads that tasks can prefer to the cooperative pool (`Task(executorPreference:)`): parsing, writing JSON and
/// compressing are plain computing, and must hold up neither event loops nor everybody else's tasks.
///
/// The threads end when the executor goes; tasks that prefer it keep it alive.
package final class TaskThreads: TaskExecutor {
    private struct Queue {
        var jobs: [(job: UnownedJob, executor: UnownedTaskExecutor)] = []
        /// Where in `jobs` the next one is.
        var head = 0
        var isClosed = false
        /// The threads.
        var threads: [pthread_t] = []

        var count: Int { jobs.count - head }

        mutating func popFirst() -> (job: UnownedJob, executor: UnownedTaskExecutor)? {
            guard head < jobs.count else { return nil }
            let next = jobs[head]
            head += 1
            if head > 256, head * 2 > jobs.count {
                jobs.removeFirst(head)
                head = 0
            }
            return next
        }
    }

    private let queue = Monitor(Queue())

    /// - Precondition: the system gives at least one thread.
    package init(_ name: String, count: Int, nice: Int32 = 0, stackBytes: Int? = nil) {
        let queue = queue
        var failure: SystemThread.Failure?
        var started = 0
        for _ in 0..<max(count, 1) {
            do throws(SystemThread.Failure) {
                try SystemThread.start(name, nice: nice, stackBytes: stackBytes) {
                    let own = pthread_self()
                    queue.withState { $0.threads.append(own) }
                    while let (job, executor) = TaskThreads.next(queue) { job.runSynchronously(on: executor) }
                }
                started += 1
            } catch {
                failure = error
            }
        }
        precondition(started > 0, "\(failure?.description ?? name)")
    }

    deinit { queue.change { $0.isClosed = true } }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        let caller = pthread_self()
        let isEnough = queue.withState { queue in
            queue.jobs.append((job, executor))
            // A task that goes on because of one on these threads: that thread is about to be free, as a rule, and takes
            // it next. To wake another one costs more than most jobs.
            return queue.count == 1 && queue.threads.contains { pthread_equal($0, caller) != 0 }
        }
        if !isEnough { queue.wake(one: true) }
    }

    /// Waits for a job; nil when the executor has gone and nothing is left.
    private static func next(_ queue: Monitor<Queue>) -> (job: UnownedJob, executor: UnownedTaskExecutor)? {
        queue.wait { state -> (job: UnownedJob, executor: UnownedTaskExecutor)?? in
            if let next = state.popFirst() { return .some(next) }
            return state.isClosed ? .some(nil) : nil
        }
    }
}
