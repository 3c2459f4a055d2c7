#if canImport(Glibc)
    import Glibc
#endif

/// A thread of our own. Work that computes for long, or waits for a disk, never runs on the cooperative pool or an
/// event loop: there, one busy thread of two stops half of everything else.
package enum SystemThread {
    /// The system gave no thread.
    package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        package let name: String
        package let code: Int32

        package var description: String { "cannot start thread \(name): \(String(cString: strerror(code)))" }
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        let nice: Int32

        init(nice: Int32, run: @escaping @Sendable () -> Void) {
            self.nice = nice
            self.run = run
        }
    }

    /// Set in the threads that were started here.
    private static let mark: pthread_key_t? = {
        var key = pthread_key_t()
        return pthread_key_create(&key, nil) == 0 ? key : nil
    }()

    /// Whether the caller runs on a thread that was started here: it may compute for long and wait for a disk.
    package static var isCurrent: Bool {
        guard let mark else { return false }
        return pthread_getspecific(mark) != nil
    }

    private static func markCurrent() {
        if let mark { _ = pthread_setspecific(mark, UnsafeRawPointer(bitPattern: 1)) }
    }

    /// Starts a detached thread that runs the body once.
    /// - Parameters:
    ///   - name: for messages.
    ///   - nice: 0 for what is waited for, up to 19 for what is not.
    ///   - stackBytes: nil for the system's default.
    package static func start(
        _ name: String, nice: Int32 = 0, stackBytes: Int? = nil, _ run: @escaping @Sendable () -> Void
    ) throws(Failure) {
        let body = Unmanaged.passRetained(Body(nice: nice, run: run))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        if let stackBytes { pthread_attr_setstacksize(&attributes, stackBytes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                // On Linux a nice value belongs to the thread. Failing to get it costs priority, nothing else.
                if body.nice != 0 { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, body.nice) }
                SystemThread.markCurrent()
                body.run()
                return nil
            }, body.toOpaque())
        guard code == 0 else {
            body.release()
            throw Failure(name: name, code: code)
        }
    }
}
