import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Threads on which requests are worked on: looking up series, writing JSON and compressing may take long, and would
/// stop everything asynchronous if they ran on the cooperative pool. They live as long as the process.
final class WorkerThreads: TaskExecutor {
    static let shared = WorkerThreads(count: max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN))) + 2)

    private let jobs = Mutex<ArraySlice<UnownedJob>>([])
    private let wakeUp = CountingSemaphore()
    private static let stackBytes = 4 << 20

    private init(count: Int) {
        for _ in 0..<count { start() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        wakeUp.signal()
    }

    private func run() {
        while true {
            wakeUp.wait()
            let job = jobs.withLock { $0.popFirst() }
            job?.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    private func start() {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, WorkerThreads.stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<WorkerThreads>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        pthread_attr_destroy(&attributes)
        precondition(status == 0, "cannot start a worker thread: error \(status)")
    }
}

/// - Safety: the kernel's semaphore is made for use from any thread; the pointer never changes.
private final class CountingSemaphore: @unchecked Sendable {
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
