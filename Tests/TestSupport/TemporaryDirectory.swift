package import FileIO

#if canImport(Glibc)
    import Glibc
#endif

/// A directory of a test's own on the machine's file system, which goes away with the value.
package final class TemporaryDirectory: Sendable {
    package struct Failure: Error {
        let code: Int32
    }

    package let path: String

    package init() throws(Failure) {
        var template = Array("/tmp/hearth-test-XXXXXX".utf8CString)
        guard template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }) != nil else {
            throw Failure(code: errno)
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { remove() }

    /// The path of a file in it.
    package func callAsFunction(_ name: String) -> String { FilePath.join(path, name) }

    /// Replaces a file atomically. - Returns: its path.
    @discardableResult
    package func write(_ name: String, _ text: String) throws(FileError) -> String {
        try PosixFileSystem().replace(self(name), with: Array(text.utf8))
        return self(name)
    }

    package func read(_ name: String) throws(FileError) -> String {
        String(decoding: try PosixFileSystem().read(self(name), limit: 1 << 24), as: UTF8.self)
    }

    package func delete(_ name: String) { unlink(self(name)) }

    /// Removes the directory and all that is in it, earlier than it would go by itself.
    package func remove() { try? PosixFileSystem().remove(path) }

    /// Makes it again after it was removed.
    package func make() { mkdir(path, 0o700) }
}
