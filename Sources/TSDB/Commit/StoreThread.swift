import StorageAPI

#if canImport(Glibc)
    import Glibc
#endif

/// A thread of the store's own, at a nice value: committing, syncing and cutting never run on the cooperative pool.
enum StoreThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        let nice: Int32

        init(nice: Int32, run: @escaping @Sendable () -> Void) {
            self.nice = nice
            self.run = run
        }
    }

    /// - Parameter nice: 0 for what is waited for, 15 for what is not.
    static func start(
        _ name: String, nice: Int32 = 0, _ run: @escaping @Sendable () -> Void
    ) throws(StorageError) {
        let body = Unmanaged.passRetained(Body(nice: nice, run: run))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                // On Linux a nice value belongs to the thread. Failing to get it costs priority, nothing else.
                if body.nice != 0 { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, body.nice) }
                body.run()
                return nil
            }, body.toOpaque())
        guard status == 0 else {
            body.release()
            throw .system(operation: "start thread", path: name, message: String(cString: strerror(status)))
        }
    }
}
