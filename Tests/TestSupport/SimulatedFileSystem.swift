package import FileIO
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A disk in memory that remembers what was synced, after LevelDB's `fault_injection_test`. `losePower` leaves what a
/// power cut may leave: synced bytes of files whose names were synced, and, as the seed decides, a part of the rest.
///
/// The fault model: bytes after the last `sync` of a file are lost from some point on, or come back as zeros; a name
/// made, renamed or removed after the last `syncDirectory` may be in the old state. Of the places of a file that were
/// written after its last `sync` any sectors may have the old content. Synced bytes never change. After a `sync` that
/// failed no later one helps the bytes written before it: the kernel tells of a lost page once. New directories are
/// durable at once, a renamed one may have its old name, of a removed one some files may be back.
///
/// What else goes wrong on demand: see `SimulatedFileSystem+Faults.swift`.
package final class SimulatedFileSystem: FileSystem {
    final class Node: Sendable {
        let state = Mutex(Content())
    }

    struct Content {
        var bytes: [UInt8] = []
        /// How many of the bytes are safe.
        var syncedCount = 0
        /// What a failed sync has left to its fate: no later one makes it safe. Of a file that grows at its end.
        var lostRanges: [Range<Int>] = []
        /// Of a file with places: what it is said to have. Bytes behind those written are zeros.
        var fixedSize: Int?
        /// Of a file with places: the content that is safe, and what was written since.
        var syncedBytes: [UInt8] = []
        /// Of a file with places: it takes all of its size, written or not.
        var isReserve = false
        var unsyncedWrites: [(offset: Int, bytes: [UInt8])] = []

        mutating func write(_ new: [UInt8], at offset: Int) { Content.write(new, at: offset, into: &bytes) }

        mutating func sync() {
            syncedCount = bytes.count
            for (offset, new) in unsyncedWrites { Content.write(new, at: offset, into: &syncedBytes) }
            unsyncedWrites = []
        }

        /// A sync failed: readers go on seeing what was written, but the system has forgotten that it is not on the
        /// disk, and the next sync proves nothing for it.
        mutating func forgetUnsynced() {
            if fixedSize == nil, syncedCount < bytes.count {
                lostRanges.append(syncedCount..<bytes.count)
                syncedCount = bytes.count
            }
            unsyncedWrites = []
        }

        private static func write(_ new: [UInt8], at offset: Int, into bytes: inout [UInt8]) {
            let missing = offset + new.count - bytes.count
            if missing > 0 { bytes.append(contentsOf: repeatElement(0, count: missing)) }
            bytes.replaceSubrange(offset..<offset + new.count, with: new)
        }
    }

    struct State {
        var files: [String: Node] = [:]
        var durableFiles: [String: Node] = [:]
        var directories: Set<String> = ["/"]
        /// Of directories, in their order, as far as the loss of power may undo them.
        var unsyncedRenames: [(source: String, target: String)] = []
        var faults = Faults()
        var space = DiskSpace(free: 1 << 40, total: 1 << 41)
        var kind = FileSystemKind.local

        /// What the files take. Bytes.
        var usedBytes: Int {
            var seen: Set<ObjectIdentifier> = []
            return files.values.reduce(0) { total, node in
                guard seen.insert(ObjectIdentifier(node)).inserted else { return total }
                return total
                    + node.state.withLock { $0.isReserve ? $0.fixedSize ?? 0 : $0.bytes.count }
            }
        }
    }

    let state = Mutex(State())

    package init() {}

    /// What the disk says of its space; it does not shrink by writing.
    package func setSpace(free: Int64, total: Int64) {
        state.withLock { $0.space = DiskSpace(free: free, total: total) }
    }

    package func space(_ path: String) throws(FileError) -> DiskSpace {
        state.withLock { state in
            guard let capacity = state.faults.capacity else { return state.space }
            return DiskSpace(free: Int64(max(0, capacity - state.usedBytes)), total: Int64(capacity))
        }
    }

    /// What the disk says that it is.
    package func setKind(_ kind: FileSystemKind) { state.withLock { $0.kind = kind } }

    package func kind(_ path: String) throws(FileError) -> FileSystemKind { state.withLock { $0.kind } }

    // MARK: - Content, for tests

    package func bytes(_ path: String) -> [UInt8]? {
        state.withLock { $0.files[path] }?.state.withLock { $0.bytes }
    }

    /// Of all files, sorted.
    package var paths: [String] { state.withLock { $0.files.keys.sorted() } }

    /// Puts a file there, durable at once.
    package func put(_ path: String, _ bytes: [UInt8]) {
        let node = Node()
        node.state.withLock { $0 = Content(bytes: bytes, syncedCount: bytes.count) }
        state.withLock { state in
            state.files[path] = node
            state.durableFiles[path] = node
            state.directories.insert(FilePath.directory(of: path))
        }
    }

    /// Changes a file's content under the feet of those who have it open.
    package func overwrite(_ path: String, _ bytes: [UInt8]) throws(FileError) {
        try node(path, "open").state.withLock { $0.bytes = bytes }
    }

    // MARK: - FileSystem

    package func create(_ path: String) throws(FileError) -> any AppendableFile {
        try begin(.create, path)
        return SimulatedFile(path: path, node: try createNode(path), fileSystem: self)
    }

    private func createNode(_ path: String) throws(FileError) -> Node {
        let node = Node()
        let code: Int32? = state.withLock { state in
            if state.files[path] != nil { return EEXIST }
            if !state.directories.contains(FilePath.directory(of: path)) { return ENOENT }
            state.files[path] = node
            return nil
        }
        if let code { throw FileError(operation: "open", path: path, code: code) }
        return node
    }

    package func openForAppending(_ path: String) throws(FileError) -> any AppendableFile {
        try begin(.read, path)
        return SimulatedFile(path: path, node: try node(path, "open"), fileSystem: self)
    }

    package func createRandomAccess(_ path: String, size: Int) throws(FileError) -> any RandomAccessFile {
        try begin(.create, path)
        let node = try createNode(path)
        node.state.withLock { $0.fixedSize = size }
        return SimulatedRandomAccessFile(path: path, node: node, fileSystem: self)
    }

    package func createReserve(_ path: String, bytes: Int) throws(FileError) {
        try begin(.create, path)
        let node = try createNode(path)
        let (kept, failure) = beginWrite(path, bytes)
        node.state.withLock { content in
            content.fixedSize = failure == nil ? bytes : kept
            content.isReserve = true
        }
        if let failure { throw FileError(operation: "allocate", path: path, code: failure.code) }
    }

    package func openRandomAccess(_ path: String, isReadOnly: Bool) throws(FileError) -> any RandomAccessFile {
        try begin(.read, path)
        return SimulatedRandomAccessFile(path: path, node: try node(path, "open"), fileSystem: self)
    }

    package func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        try begin(.read, path)
        let bytes = try node(path, "open").state.withLock { $0.bytes }
        guard bytes.count <= limit else {
            throw FileError(operation: "read", path: path, message: "larger than \(limit) bytes")
        }
        return bytes
    }

    package func copy(
        _ path: String, from offset: Int, into target: UnsafeMutableRawBufferPointer
    ) throws(FileError) -> Int {
        try begin(.read, path)
        return try node(path, "open").state.withLock { content in
            let count = max(0, min(target.count, content.bytes.count - offset))
            if count > 0 { target.copyBytes(from: content.bytes[offset..<offset + count]) }
            return count
        }
    }

    package func map(_ path: String) throws(FileError) -> MappedFile {
        try begin(.read, path)
        return MappedFile(path: path, bytes: try node(path, "open").state.withLock { $0.bytes })
    }

    package func size(_ path: String) throws(FileError) -> Int {
        try node(path, "stat").state.withLock { $0.fixedSize ?? $0.bytes.count }
    }

    package func exists(_ path: String) -> Bool {
        state.withLock { $0.files[path] != nil || $0.directories.contains(path) }
    }

    package func list(_ directory: String) throws(FileError) -> [String] {
        try begin(.read, directory)
        let names: [String]? = state.withLock { state in
            guard state.directories.contains(directory) else { return nil }
            let paths = Array(state.files.keys) + state.directories.filter { $0 != "/" }
            return paths.filter { FilePath.directory(of: $0) == directory }.map(FilePath.name(of:)).sorted()
        }
        guard let names else { throw FileError(operation: "list", path: directory, code: ENOENT) }
        return names
    }

    package func createDirectory(_ path: String) throws(FileError) {
        if state.withLock({ $0.directories.contains(path) }) { return }
        try begin(.create, path)
        state.withLock { state in
            var path = path
            while state.directories.insert(path).inserted { path = FilePath.directory(of: path) }
        }
    }

    package func rename(_ source: String, to target: String) throws(FileError) {
        try begin(.rename, source)
        let isFound = state.withLock { state in
            if let node = state.files.removeValue(forKey: source) {
                state.files[target] = node
                return true
            }
            guard state.directories.contains(source) else { return false }
            state.renameDirectory(source, to: target)
            state.unsyncedRenames.append((source, target))
            return true
        }
        if !isFound { throw FileError(operation: "rename", path: source, code: ENOENT) }
    }

    package func link(_ source: String, to target: String) throws(FileError) {
        try begin(.create, target)
        let code: Int32? = state.withLock { state in
            guard let node = state.files[source] else { return ENOENT }
            if state.files[target] != nil || state.directories.contains(target) { return EEXIST }
            guard state.directories.contains(FilePath.directory(of: target)) else { return ENOENT }
            state.files[target] = node
            return nil
        }
        if let code { throw FileError(operation: "link", path: target, code: code) }
    }

    package func remove(_ path: String) throws(FileError) {
        try begin(.remove, path)
        if state.withLock({ $0.files.removeValue(forKey: path) }) != nil { return }
        guard state.withLock({ $0.directories.contains(path) }) else {
            throw FileError(operation: "remove", path: path, code: ENOENT)
        }
        // One after another, as on a real disk: whoever dies in between leaves some of them.
        for file in state.withLock({ $0.files.keys.filter { $0.hasPrefix(path + "/") }.sorted() }) {
            state.withLock { $0.files[file] = nil }
            observe()
        }
        state.withLock { state in
            state.directories = state.directories.filter { $0 != path && !$0.hasPrefix(path + "/") }
        }
    }

    package func syncDirectory(_ path: String) throws(FileError) {
        try begin(.syncDirectory, path)
        state.withLock { state in
            for file in Set(state.files.keys).union(state.durableFiles.keys)
            where FilePath.directory(of: file) == path {
                state.durableFiles[file] = state.files[file]
            }
            state.unsyncedRenames.removeAll { FilePath.directory(of: $0.target) == path }
        }
    }

    private func node(_ path: String, _ operation: String) throws(FileError) -> Node {
        guard let node = state.withLock({ $0.files[path] }) else {
            throw FileError(operation: operation, path: path, code: ENOENT)
        }
        return node
    }
}

extension SimulatedFileSystem.State {
    /// What was durable under the old name is under the new one.
    mutating func renameDirectory(_ source: String, to target: String) {
        for path in directories where path == source || path.hasPrefix(source + "/") {
            directories.remove(path)
            directories.insert(target + path.dropFirst(source.count))
        }
        for (path, node) in files where path.hasPrefix(source + "/") {
            files[path] = nil
            files[target + path.dropFirst(source.count)] = node
        }
        for (path, node) in durableFiles where path.hasPrefix(source + "/") {
            durableFiles[path] = nil
            durableFiles[target + path.dropFirst(source.count)] = node
        }
    }
}
