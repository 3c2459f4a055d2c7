import CPosixShim

#if canImport(Glibc)
    import Glibc
#endif

/// Keeps a directory for one process. The file `lock` in it stays; what counts is the kernel's lock on it, which goes
/// with the process, however it ends: there are no stale locks.
package final class DirectoryLock: Sendable {
    /// Why the directory could not be taken.
    package enum Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        /// Another process (or another lock of this one) has it.
        case held(path: String)
        case failed(FileError)

        package var description: String {
            switch self {
            case .held(let path): "\(path): another process uses this directory"
            case .failed(let error): error.description
            }
        }
    }

    private let descriptor: Descriptor

    /// - Parameter directory: must exist.
    package init(_ directory: String) throws(Refusal) {
        let path = FilePath.join(directory, "lock")
        do throws(FileError) {
            descriptor = try Descriptor(path, flags: O_RDWR | O_CREAT)
        } catch {
            throw .failed(error)
        }
        let code = hearth_lock_file(descriptor.number)
        if code == EWOULDBLOCK { throw .held(path: directory) }
        if code != 0 { throw .failed(FileError(operation: "lock", path: path, code: code)) }
    }
}
