import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Threads of the engine's own: evaluation never runs on the cooperative pool, where one long query would stop
/// everything that is asynchronous. Jobs run in the order they come.
final class QueryPool: Sendable {
    /// Shared with the threads, which live as long as the process.
    private final class Queue: Sendable {
        let jobs = Mutex<[@Sendable () -> Void]>([])
        let wakeUp = Semaphore()
    }

    private let queue = Queue()
    /// Deep expressions recurse; the parser bounds how deep.
    private static let stackBytes = 16 << 20

    init(width: Int) {
        for _ in 0..<max(1, width) { start() }
    }

    func submit(_ job: @escaping @Sendable () -> Void) {
        queue.jobs.withLock { $0.append(job) }
        queue.wakeUp.signal()
    }

    private func start() {
        let loop: @Sendable () -> Void = { [queue] in
            while true {
                queue.wakeUp.wait()
                let job = queue.jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                job?()
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
