#if canImport(Glibc)
    import Glibc
#endif

/// Written by `pwrite`, read through a mapping of the whole file. Nothing is written through the mapping: a full disk is
/// an error of the write then, not a fault.
final class PosixRandomAccessFile: RandomAccessFile {
    private let descriptor: Descriptor
    private let mapping: MappedFile

    /// - Parameter creatingSize: nil to open a file that is there.
    init(_ path: String, creatingSize size: Int?, isReadOnly: Bool = false) throws(FileError) {
        if let size {
            descriptor = try Descriptor(path, flags: O_RDWR | O_CREAT | O_EXCL)
            let number = descriptor.number
            try Syscall.run("truncate", path) { ftruncate(number, size) }
        } else {
            descriptor = try Descriptor(path, flags: isReadOnly ? O_RDONLY : O_RDWR)
        }
        mapping = try MappedFile(path: path)
    }

    var path: String { descriptor.path }
    var size: Int { mapping.size }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        guard offset >= 0, offset <= size, bytes.count <= size - offset else {
            throw FileError(operation: "write", path: path, message: "bytes beyond the end of the file")
        }
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            written += try Syscall.run("write", path) {
                pwrite(descriptor.number, rest.baseAddress, rest.count, off_t(offset + written))
            }
        }
    }

    func copy(from offset: Int, into target: UnsafeMutableRawBufferPointer) throws(FileError) {
        try mapping.copy(from: offset, into: target)
    }

    func sync() throws(FileError) {
        try Syscall.run("fdatasync", path) { fdatasync(descriptor.number) }
    }
}
