import FileIO
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// A directory that goes with the test.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/hearth-server-XXXXXX".utf8CString)
        let isMade = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) } != nil }
        try #require(isMade)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? PosixFileSystem().remove(path) }

    func callAsFunction(_ name: String) -> String { FilePath.join(path, name) }

    func write(_ name: String, _ text: String) throws {
        let files = PosixFileSystem()
        if files.exists(self(name)) { try files.remove(self(name)) }
        try files.create(self(name)).append(Array(text.utf8))
    }

    func read(_ name: String) throws -> String {
        String(decoding: try PosixFileSystem().read(self(name), limit: 1 << 24), as: UTF8.self)
    }
}
