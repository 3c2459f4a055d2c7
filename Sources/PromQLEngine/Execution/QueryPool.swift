import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Threads of the engine's own: evaluation never runs on the cooperative pool, where one long query would stop
/// everything that is asynchronous. Jobs run in the order they come.
final class QueryPool: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        /// Threads that do nothing, less the jobs that are waiting for one.
        var idle: Int
    }

    /// Shared with the threads, which live as long as the process.
    private final class Queue: Sendable {
        let state: Mutex<State>
        let wakeUp = Semaphore()

        init(width: Int) { state = Mutex(State(idle: width)) }
    }

    private let queue: Queue
    /// Deep expressions recurse; the parser bounds how deep.
    private static let stackBytes = 16 << 20

    init(width: Int) {
        queue = Queue(width: max(1, width))
        for _ in 0..<max(1, width) { start() }
    }

    /// - Returns: whether a thread is free to take the job at once.
    @discardableResult
    func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        let isFree = queue.state.withLock { state in
            state.jobs.append(job)
            state.idle -= 1
            return state.idle >= 0
        }
        queue.wakeUp.signal()
        return isFree
    }

    private func start() {
        let loop: @Sendable () -> Void = { [queue] in
            while true {
                queue.wakeUp.wait()
                let job = queue.state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
                job?()
                queue.state.withLock { $0.idle += 1 }
            }
        }
        let box = Unmanaged.passRetained(ThreadBody(run: loop))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, QueryPool.stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        pthread_attr_destroy(&attributes)
        precondition(status == 0, "cannot start a query thread: error \(status)")
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) { self.run = run }
}

/// A counting semaphore.
private final class Semaphore: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func signal() { sem_post(semaphore) }

    func wait() {
        while sem_wait(semaphore) != 0 {}
    }
}
