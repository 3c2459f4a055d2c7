import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A file open for appending (O_APPEND, so each `write` lands at the end).
final class PosixFile: AppendableFile {
    private let descriptor: Descriptor
    private let length: Atomic<Int>

    init(_ path: String, flags: Int32) throws(FileError) {
        descriptor = try Descriptor(path, flags: flags)
        length = Atomic(try descriptor.size())
    }

    var path: String { descriptor.path }
    var size: Int { length.load(ordering: .relaxed) }

    func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var offset = 0
        while offset < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            let count = try Syscall.run("write", path) { write(descriptor.number, rest.baseAddress, rest.count) }
            offset += count
            length.wrappingAdd(count, ordering: .relaxed)
        }
    }

    func truncate(to size: Int) throws(FileError) {
        try Syscall.run("truncate", path) { ftruncate(descriptor.number, size) }
        length.store(size, ordering: .relaxed)
    }

    func sync() throws(FileError) {
        try Syscall.run("fdatasync", path) { fdatasync(descriptor.number) }
    }
}
