import CPosixShim

#if canImport(Glibc)
    import Glibc
#endif

/// The machine's file system. Calls block: they belong on threads of their own.
package struct PosixFileSystem: FileSystem {
    package init() {}

    package func create(_ path: String) throws(FileError) -> any AppendableFile {
        try PosixFile(path, flags: O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
    }

    package func openForAppending(_ path: String) throws(FileError) -> any AppendableFile {
        try PosixFile(path, flags: O_WRONLY | O_APPEND)
    }

    package func createRandomAccess(_ path: String, size: Int) throws(FileError) -> any RandomAccessFile {
        try PosixRandomAccessFile(path, creatingSize: size)
    }

    package func openRandomAccess(_ path: String, isReadOnly: Bool) throws(FileError) -> any RandomAccessFile {
        try PosixRandomAccessFile(path, creatingSize: nil, isReadOnly: isReadOnly)
    }

    package func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        let descriptor = try Descriptor(path, flags: O_RDONLY)
        let size = try descriptor.size()
        guard size <= limit else {
            throw FileError(operation: "read", path: path, message: "larger than \(limit) bytes")
        }
        // Files under /proc say 0 and have content, and a file may grow meanwhile: read to the end, not to the size.
        var content: [UInt8] = []
        content.reserveCapacity(size)
        var piece = [UInt8](repeating: 0, count: min(max(size + 1, 4096), 1 << 20))
        while true {
            let count = try Syscall.run("read", path) {
                piece.withUnsafeMutableBytes { Glibc.read(descriptor.number, $0.baseAddress, $0.count) }
            }
            if count == 0 { return content }
            guard content.count + count <= limit else {
                throw FileError(operation: "read", path: path, message: "larger than \(limit) bytes")
            }
            content.append(contentsOf: piece[..<count])
        }
    }

    package func copy(
        _ path: String, from offset: Int, into target: UnsafeMutableRawBufferPointer
    ) throws(FileError) -> Int {
        let descriptor = try Descriptor(path, flags: O_RDONLY)
        var copied = 0
        while copied < target.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: target[copied...])
            let count = try Syscall.run("read", path) {
                pread(descriptor.number, rest.baseAddress, rest.count, off_t(offset + copied))
            }
            if count == 0 { break }
            copied += count
        }
        return copied
    }

    package func map(_ path: String) throws(FileError) -> MappedFile { try MappedFile(path: path) }

    package func size(_ path: String) throws(FileError) -> Int {
        var information = stat()
        try Syscall.run("stat", path) { stat(path, &information) }
        return Int(information.st_size)
    }

    package func space(_ path: String) throws(FileError) -> DiskSpace {
        var information = statvfs()
        try Syscall.run("statvfs", path) { statvfs(path, &information) }
        func bytes(_ blocks: UInt) -> Int64 {
            let (bytes, hasOverflowed) = blocks.multipliedReportingOverflow(by: UInt(information.f_frsize))
            return hasOverflowed ? .max : Int64(clamping: bytes)
        }
        return DiskSpace(free: bytes(information.f_bavail), total: bytes(information.f_blocks))
    }

    package func kind(_ path: String) throws(FileError) -> FileSystemKind {
        var magic: UInt32 = 0
        let code = hearth_file_system_magic(path, &magic)
        if code != 0 { throw FileError(operation: "statfs", path: path, code: code) }
        return FileSystemKind(magic: magic)
    }

    package func createReserve(_ path: String, bytes: Int) throws(FileError) {
        let descriptor = try Descriptor(path, flags: O_WRONLY | O_CREAT | O_EXCL)
        while true {
            // It answers the error, and leaves errno alone.
            let code = posix_fallocate(descriptor.number, 0, off_t(bytes))
            if code == 0 { return }
            if code != EINTR { throw FileError(operation: "allocate", path: path, code: code) }
        }
    }

    package func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    package func list(_ directory: String) throws(FileError) -> [String] {
        guard let stream = opendir(directory) else {
            throw FileError(operation: "list", path: directory, code: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw FileError(operation: "list", path: directory, code: errno) }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    package func createDirectory(_ path: String) throws(FileError) {
        if mkdir(path, 0o755) == 0 { return }
        switch errno {
        case EEXIST where isDirectory(path): return
        case ENOENT where FilePath.directory(of: path) != path:
            try createDirectory(FilePath.directory(of: path))
            if mkdir(path, 0o755) == 0 || (errno == EEXIST && isDirectory(path)) { return }
            throw FileError(operation: "mkdir", path: path, code: errno)
        case let code: throw FileError(operation: "mkdir", path: path, code: code)
        }
    }

    package func rename(_ source: String, to target: String) throws(FileError) {
        try Syscall.run("rename", source) { Glibc.rename(source, target) }
    }

    package func link(_ source: String, to target: String) throws(FileError) {
        try Syscall.run("link", target) { Glibc.link(source, target) }
    }

    package func remove(_ path: String) throws(FileError) {
        if unlink(path) == 0 { return }
        let code = errno
        guard isDirectory(path) else { throw FileError(operation: "remove", path: path, code: code) }
        for name in try list(path) { try remove(FilePath.join(path, name)) }
        try Syscall.run("rmdir", path) { rmdir(path) }
    }

    package func syncDirectory(_ path: String) throws(FileError) {
        let descriptor = try Descriptor(path, flags: O_RDONLY | O_DIRECTORY)
        try Syscall.run("fsync", path) { fsync(descriptor.number) }
    }

    /// A symbolic link is not one: `remove` must not follow it.
    private func isDirectory(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }
}

/// An open file number; closed with the last reference.
final class Descriptor: Sendable {
    let path: String
    let number: Int32

    init(_ path: String, flags: Int32) throws(FileError) {
        self.path = path
        number = try Syscall.run("open", path) { open(path, flags | O_CLOEXEC, 0o644) }
    }

    deinit { close(number) }

    func size() throws(FileError) -> Int {
        var information = stat()
        try Syscall.run("stat", path) { fstat(number, &information) }
        return Int(information.st_size)
    }
}
