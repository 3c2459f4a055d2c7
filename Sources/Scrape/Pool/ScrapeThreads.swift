import Glibc

/// A few threads that run the scrape loops: parsing is plain computing, and must hold up neither the event loops nor
/// the pool on which everybody else's tasks run.
///
/// The threads live as long as the executor; tasks that prefer it keep it alive.
final class ScrapeThreads: TaskExecutor {
    private let queue = JobQueue()

    init(count: Int) {
        for _ in 0..<max(count, 1) {
            var thread = pthread_t()
            let context = Unmanaged.passRetained(queue)
            let code = pthread_create(
                &thread, nil,
                { pointer in
                    guard let pointer else { return nil }
                    let queue = Unmanaged<JobQueue>.fromOpaque(pointer).takeRetainedValue()
                    while let (job, executor) = queue.next() { job.runSynchronously(on: executor) }
                    return nil
                }, context.toOpaque())
            if code == 0 {
                pthread_detach(thread)
            } else {
                context.release()
            }
        }
    }

    deinit { queue.close() }

    func enqueue(_ job: consuming ExecutorJob) {
        queue.add(UnownedJob(job), asUnownedTaskExecutor())
    }
}

/// Jobs in the order they came. Guarded by a POSIX mutex, because threads sleep on it.
private final class JobQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [(job: UnownedJob, executor: UnownedTaskExecutor)] = []
    private var head = 0
    private var isClosed = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func add(_ job: UnownedJob, _ executor: UnownedTaskExecutor) {
        pthread_mutex_lock(mutex)
        jobs.append((job, executor))
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    /// Waits for a job; nil when the queue is closed and empty.
    func next() -> (UnownedJob, UnownedTaskExecutor)? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while head == jobs.count {
            if isClosed { return nil }
            pthread_cond_wait(condition, mutex)
        }
        let next = jobs[head]
        head += 1
        if head > 256, head * 2 > jobs.count {
            jobs.removeFirst(head)
            head = 0
        }
        return next
    }

    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_mutex_unlock(mutex)
        pthread_cond_broadcast(condition)
    }
}
