import CPosixShim

#if canImport(Glibc)
    import Glibc
#endif

/// A file mapped for reading. Bytes leave it only through `copy`: checked against the file's size, and with a fault of
/// the page (the file was shortened, the disk failed) turned into an error. No pointer into the mapping gets out.
///
/// The mapping ends with the last reference; the name may have been removed long before.
package final class MappedFile: Sendable {
    private enum Content: Sendable {
        case mapping(Mapping)
        case bytes([UInt8])
    }

    private struct Mapping: @unchecked Sendable {
        // Immutable memory of the kernel's; shared between threads for reading only.
        let base: UnsafeRawPointer
    }

    package let path: String
    /// Bytes.
    package let size: Int
    private let content: Content

    init(path: String) throws(FileError) {
        hearth_install_mapping_guard()
        let descriptor = try Descriptor(path, flags: O_RDONLY)
        let size = try descriptor.size()
        self.path = path
        self.size = size
        guard size > 0 else {
            content = .bytes([])
            return
        }
        guard let base = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor.number, 0), base != MAP_FAILED else {
            throw FileError(operation: "mmap", path: path, code: errno)
        }
        madvise(base, size, MADV_RANDOM)
        content = .mapping(Mapping(base: base))
    }

    /// Memory that stands for a file: for file systems that have none.
    package init(path: String, bytes: [UInt8]) {
        self.path = path
        size = bytes.count
        content = .bytes(bytes)
    }

    deinit {
        if case .mapping(let mapping) = content { munmap(UnsafeMutableRawPointer(mutating: mapping.base), size) }
    }

    /// The file is going to be read from its beginning to its end: the system may read ahead.
    package func expectSequentialReading() {
        if case .mapping(let mapping) = content {
            madvise(UnsafeMutableRawPointer(mutating: mapping.base), size, MADV_SEQUENTIAL)
        }
    }

    /// The pages that lie between two offsets are not needed any more: they stay with the system, and no longer count as
    /// this process's memory. They can be read again.
    package func releasePages(from start: Int, to end: Int) {
        guard case .mapping(let mapping) = content, start >= 0, start <= end, end <= size else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        guard page > 0 else { return }
        // Whole pages only.
        let (first, last) = ((start + page - 1) / page * page, end / page * page)
        guard first < last else { return }
        madvise(UnsafeMutableRawPointer(mutating: mapping.base + first), last - first, MADV_DONTNEED)
    }

    /// Copies `target.count` bytes from `offset` on.
    /// - Throws: where they do not all lie within the file, or cannot be read.
    package func copy(from offset: Int, into target: UnsafeMutableRawBufferPointer) throws(FileError) {
        guard offset >= 0, offset <= size, target.count <= size - offset else {
            throw FileError(operation: "read", path: path, message: "bytes beyond the end of the file")
        }
        guard let destination = target.baseAddress, target.count > 0 else { return }
        switch content {
        case .mapping(let mapping):
            if hearth_copy_mapped(destination, mapping.base + offset, target.count) != 0 {
                throw FileError(operation: "read", path: path, code: EIO)
            }
        case .bytes(let bytes):
            bytes.withUnsafeBytes {
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + target.count]))
            }
        }
    }

    /// A copy of a piece.
    package func bytes(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
        guard count >= 0, offset >= 0, offset <= size, count <= size - offset else {
            throw FileError(operation: "read", path: path, message: "bytes beyond the end of the file")
        }
        var failure: FileError?
        let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(FileError) {
                try copy(
                    from: offset, into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
                initialized = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return result
    }
}
