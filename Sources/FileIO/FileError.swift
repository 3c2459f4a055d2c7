import CPosixShim

#if canImport(Glibc)
    import Glibc
#endif

/// A file operation that the operating system refused, or a file that is not what the caller can take.
package struct FileError: Error, Sendable, Hashable {
    /// The call, or what was attempted: "open", "write", "rename".
    package let operation: String
    package let path: String
    /// The value of errno; 0 where the refusal is ours (a file beyond the bound, a short read).
    package let code: Int32
    /// In words, as the system puts it.
    package let message: String

    package init(operation: String, path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
        message = FileError.text(of: code)
    }

    package init(operation: String, path: String, message: String) {
        self.operation = operation
        self.path = path
        code = 0
        self.message = message
    }

    package var isNotFound: Bool { code == ENOENT }
    /// The disk could not read or write what it has there.
    package var isMediaFailure: Bool { code == EIO }
    package var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }

    private static func text(of code: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress else { return "error \(code)" }
            hearth_error_text(code, base, buffer.count)
            return String(cString: base)
        }
    }
}

extension FileError: CustomStringConvertible {
    package var description: String { "\(operation) \(path): \(message)" }
}
