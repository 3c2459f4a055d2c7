#if canImport(Glibc)
    import Glibc
#endif

/// The one place that meets EINTR: a call that a signal interrupted is made again.
enum Syscall {
    /// - Parameter call: answers -1 on failure, as system calls do.
    @discardableResult
    static func run<T: FixedWidthInteger & SignedInteger>(
        _ operation: String, _ path: String, _ call: () -> T
    ) throws(FileError) -> T {
        while true {
            let result = call()
            if result >= 0 { return result }
            let code = errno
            if code != EINTR { throw FileError(operation: operation, path: path, code: code) }
        }
    }
}
