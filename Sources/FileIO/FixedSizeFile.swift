#if canImport(Glibc)
    import Glibc
#endif

/// A file of fixed size whose places are overwritten in any order, by several threads. What a write has put there
/// outlives the process, however it ends; it is not made durable against a loss of power.
package final class FixedSizeFile: Sendable {
    package let path: String
    /// Bytes.
    package let size: Int
    private let descriptor: Descriptor

    /// Makes the file anew, full of zeros. All of it is written: later writes find their room on the disk.
    package init(_ path: String, size: Int) throws(FileError) {
        self.path = path
        self.size = size
        descriptor = try Descriptor(path, flags: O_RDWR | O_CREAT | O_TRUNC)
        let zeros = [UInt8](repeating: 0, count: min(size, 64 << 10))
        var offset = 0
        while offset < size {
            try write(zeros[..<min(zeros.count, size - offset)], at: offset)
            offset += zeros.count
        }
    }

    /// - Precondition: the bytes lie within the file.
    package func write(_ bytes: ArraySlice<UInt8>, at offset: Int) throws(FileError) {
        precondition(offset >= 0 && offset + bytes.count <= size, "\(offset) + \(bytes.count) of \(size) bytes")
        var rest = bytes
        while !rest.isEmpty {
            let place = offset + bytes.count - rest.count
            let count = try Syscall.run("write", path) {
                rest.withUnsafeBytes { pwrite(descriptor.number, $0.baseAddress, $0.count, off_t(place)) }
            }
            rest = rest.dropFirst(count)
        }
    }
}
