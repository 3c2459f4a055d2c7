package import FileIO
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A disk in memory that remembers what was synced, after LevelDB's `fault_injection_test`. `losePower` leaves what a
/// power cut may leave: synced bytes of files whose names were synced, and, as the seed decides, a part of the rest.
///
/// The fault model: bytes after the last `sync` of a file are lost from some point on, or come back as zeros; a name
/// made, renamed or removed after the last `syncDirectory` may be in the old state. Synced bytes never change.
/// Directories are durable at once.
package final class SimulatedFileSystem: FileSystem {
    fileprivate final class Node: Sendable {
        let state = Mutex(Content())
    }

    fileprivate struct Content {
        var bytes: [UInt8] = []
        /// How many of the bytes are safe.
        var syncedCount = 0
        /// Of a file with places: what it is said to have. Bytes behind those written are zeros.
        var fixedSize: Int?
    }

    private struct State {
        var files: [String: Node] = [:]
        var durableFiles: [String: Node] = [:]
        var directories: Set<String> = ["/"]
        var writeCount = 0
        var failure: (write: Int, kind: WriteFailure)?
        var isSyncFailing = false
        var space = DiskSpace(free: 1 << 40, total: 1 << 41)
    }

    /// What the failing write does.
    package enum WriteFailure: Sendable, Equatable {
        /// Nothing reaches the file.
        case whole
        /// Half of the bytes do.
        case half
        /// Half of the bytes do, and shortening the file afterwards fails as well.
        case halfAndTruncate
    }

    private let state = Mutex(State())

    package init() {}

    // MARK: - Faults

    /// The write with this number (0 is the next one) fails, once.
    package func failWrite(_ index: Int, _ kind: WriteFailure = .whole) {
        state.withLock { $0.failure = ($0.writeCount + index, kind) }
    }

    /// Syncing files fails from now on, or works again.
    package func failSyncs(_ isFailing: Bool) { state.withLock { $0.isSyncFailing = isFailing } }

    /// What the disk says of its space; it does not shrink by writing.
    package func setSpace(free: Int64, total: Int64) {
        state.withLock { $0.space = DiskSpace(free: free, total: total) }
    }

    package func space(_ path: String) throws(FileError) -> DiskSpace { state.withLock { $0.space } }

    /// How many writes were made so far.
    package var writeCount: Int { state.withLock { $0.writeCount } }

    /// What the machine finds after a power cut, as a disk of its own.
    package func losePower(using random: inout SeededRandom) -> SimulatedFileSystem {
        let (files, durable, directories) = state.withLock { ($0.files, $0.durableFiles, $0.directories) }
        let after = SimulatedFileSystem()
        var survivors: [String: Node] = [:]
        for path in Set(files.keys).union(durable.keys).sorted() {
            // Either state of an unsynced name may be there.
            let node = Bool.random(using: &random) ? files[path] : durable[path]
            let isUnchanged = files[path] === durable[path]
            guard let node = isUnchanged ? files[path] : node else { continue }
            let copy = Node()
            let content = node.state.withLock { $0 }
            let kept = Int.random(in: content.syncedCount...content.bytes.count, using: &random)
            var bytes = Array(content.bytes[..<kept])
            if kept < content.bytes.count, Bool.random(using: &random) {
                let zeros = Int.random(in: 0...(content.bytes.count - kept), using: &random)
                bytes.append(contentsOf: repeatElement(0, count: zeros))
            }
            copy.state.withLock {
                $0 = Content(bytes: bytes, syncedCount: bytes.count, fixedSize: content.fixedSize)
            }
            survivors[path] = copy
        }
        after.state.withLock {
            $0.files = survivors
            $0.durableFiles = survivors
            $0.directories = directories
        }
        return after
    }

    /// What another process finds after this one was killed: everything written, synced or not.
    package func killProcess() -> SimulatedFileSystem {
        let (files, directories) = state.withLock { ($0.files, $0.directories) }
        let after = SimulatedFileSystem()
        after.state.withLock { state in
            state.directories = directories
            for (path, node) in files {
                let copy = Node()
                let (bytes, size) = node.state.withLock { ($0.bytes, $0.fixedSize) }
                copy.state.withLock { $0 = Content(bytes: bytes, syncedCount: bytes.count, fixedSize: size) }
                state.files[path] = copy
                state.durableFiles[path] = copy
            }
        }
        return after
    }

    // MARK: - Content, for tests

    package func bytes(_ path: String) -> [UInt8]? {
        state.withLock { $0.files[path] }?.state.withLock { $0.bytes }
    }

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
        let node = Node()
        let code: Int32? = state.withLock { state in
            if state.files[path] != nil { return EEXIST }
            if !state.directories.contains(FilePath.directory(of: path)) { return ENOENT }
            state.files[path] = node
            return nil
        }
        if let code { throw FileError(operation: "open", path: path, code: code) }
        return SimulatedFile(path: path, node: node, fileSystem: self)
    }

    package func openForAppending(_ path: String) throws(FileError) -> any AppendableFile {
        SimulatedFile(path: path, node: try node(path, "open"), fileSystem: self)
    }

    package func createRandomAccess(_ path: String, size: Int) throws(FileError) -> any RandomAccessFile {
        _ = try create(path)
        let node = try node(path, "open")
        node.state.withLock { $0.fixedSize = size }
        return SimulatedRandomAccessFile(path: path, node: node, fileSystem: self)
    }

    package func openRandomAccess(_ path: String, isReadOnly: Bool) throws(FileError) -> any RandomAccessFile {
        SimulatedRandomAccessFile(path: path, node: try node(path, "open"), fileSystem: self)
    }

    package func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        let bytes = try node(path, "open").state.withLock { $0.bytes }
        guard bytes.count <= limit else {
            throw FileError(operation: "read", path: path, message: "larger than \(limit) bytes")
        }
        return bytes
    }

    package func map(_ path: String) throws(FileError) -> MappedFile {
        MappedFile(path: path, bytes: try node(path, "open").state.withLock { $0.bytes })
    }

    package func size(_ path: String) throws(FileError) -> Int {
        try node(path, "stat").state.withLock { $0.fixedSize ?? $0.bytes.count }
    }

    package func exists(_ path: String) -> Bool {
        state.withLock { $0.files[path] != nil || $0.directories.contains(path) }
    }

    package func list(_ directory: String) throws(FileError) -> [String] {
        let names: [String]? = state.withLock { state in
            guard state.directories.contains(directory) else { return nil }
            let paths = Array(state.files.keys) + state.directories.filter { $0 != "/" }
            return paths.filter { FilePath.directory(of: $0) == directory }.map(FilePath.name(of:)).sorted()
        }
        guard let names else { throw FileError(operation: "list", path: directory, code: ENOENT) }
        return names
    }

    package func createDirectory(_ path: String) throws(FileError) {
        state.withLock { state in
            var path = path
            while state.directories.insert(path).inserted { path = FilePath.directory(of: path) }
        }
    }

    package func rename(_ source: String, to target: String) throws(FileError) {
        let isFound = state.withLock { state in
            if let node = state.files.removeValue(forKey: source) {
                state.files[target] = node
                return true
            }
            guard state.directories.contains(source) else { return false }
            for path in state.directories where path == source || path.hasPrefix(source + "/") {
                state.directories.remove(path)
                state.directories.insert(target + path.dropFirst(source.count))
            }
            for (path, node) in state.files where path.hasPrefix(source + "/") {
                state.files[path] = nil
                state.files[target + path.dropFirst(source.count)] = node
            }
            // What was durable under the old name is under the new one; the directory's own name is durable at once.
            for (path, node) in state.durableFiles where path.hasPrefix(source + "/") {
                state.durableFiles[path] = nil
                state.durableFiles[target + path.dropFirst(source.count)] = node
            }
            return true
        }
        if !isFound { throw FileError(operation: "rename", path: source, code: ENOENT) }
    }

    package func link(_ source: String, to target: String) throws(FileError) {
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
        let isFound = state.withLock { state in
            if state.files.removeValue(forKey: path) != nil { return true }
            guard state.directories.contains(path) else { return false }
            for directory in state.directories where directory == path || directory.hasPrefix(path + "/") {
                state.directories.remove(directory)
            }
            for file in state.files.keys where file.hasPrefix(path + "/") { state.files[file] = nil }
            return true
        }
        if !isFound { throw FileError(operation: "remove", path: path, code: ENOENT) }
    }

    package func syncDirectory(_ path: String) throws(FileError) {
        state.withLock { state in
            for file in Set(state.files.keys).union(state.durableFiles.keys)
            where FilePath.directory(of: file) == path {
                state.durableFiles[file] = state.files[file]
            }
        }
    }

    private func node(_ path: String, _ operation: String) throws(FileError) -> Node {
        guard let node = state.withLock({ $0.files[path] }) else {
            throw FileError(operation: operation, path: path, code: ENOENT)
        }
        return node
    }

    fileprivate var isSyncFailing: Bool { state.withLock { $0.isSyncFailing } }

    /// Counts a write. - Returns: how it fails, if it does.
    fileprivate func nextWrite() -> WriteFailure? {
        state.withLock { state in
            let index = state.writeCount
            state.writeCount += 1
            guard let failure = state.failure, failure.write == index else { return nil }
            state.failure = nil
            return failure.kind
        }
    }
}

private final class SimulatedFile: AppendableFile {
    let path: String
    private let node: SimulatedFileSystem.Node
    private let fileSystem: SimulatedFileSystem
    private let isTruncateFailing = Atomic(false)

    init(path: String, node: SimulatedFileSystem.Node, fileSystem: SimulatedFileSystem) {
        self.path = path
        self.node = node
        self.fileSystem = fileSystem
    }

    var size: Int { node.state.withLock { $0.bytes.count } }

    func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        let failure = fileSystem.nextWrite()
        let kept =
            switch failure {
            case nil: bytes.count
            case .whole: 0
            case .half, .halfAndTruncate: bytes.count / 2
            }
        let copy = Array(bytes[..<kept])
        node.state.withLock { $0.bytes.append(contentsOf: copy) }
        if failure == .halfAndTruncate { isTruncateFailing.store(true, ordering: .relaxed) }
        if failure != nil { throw FileError(operation: "write", path: path, code: ENOSPC) }
    }

    func truncate(to size: Int) throws(FileError) {
        if isTruncateFailing.load(ordering: .relaxed) { throw FileError(operation: "truncate", path: path, code: EIO) }
        node.state.withLock { content in
            content.bytes.removeLast(max(0, content.bytes.count - size))
            content.syncedCount = min(content.syncedCount, size)
        }
    }

    func sync() throws(FileError) {
        if fileSystem.isSyncFailing { throw FileError(operation: "fdatasync", path: path, code: EIO) }
        node.state.withLock { $0.syncedCount = $0.bytes.count }
    }
}

private final class SimulatedRandomAccessFile: RandomAccessFile {
    let path: String
    private let node: SimulatedFileSystem.Node
    private let fileSystem: SimulatedFileSystem

    init(path: String, node: SimulatedFileSystem.Node, fileSystem: SimulatedFileSystem) {
        self.path = path
        self.node = node
        self.fileSystem = fileSystem
    }

    var size: Int { node.state.withLock { $0.fixedSize ?? $0.bytes.count } }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        guard offset >= 0, bytes.count <= size - offset else {
            throw FileError(operation: "write", path: path, message: "bytes beyond the end of the file")
        }
        let failure = fileSystem.nextWrite()
        let kept =
            switch failure {
            case nil: bytes.count
            case .whole: 0
            case .half, .halfAndTruncate: bytes.count / 2
            }
        let copy = Array(bytes[..<kept])
        node.state.withLock { content in
            let missing = offset + copy.count - content.bytes.count
            if missing > 0 { content.bytes.append(contentsOf: repeatElement(0, count: missing)) }
            content.bytes.replaceSubrange(offset..<offset + copy.count, with: copy)
            content.syncedCount = min(content.syncedCount, offset)
        }
        if failure != nil { throw FileError(operation: "write", path: path, code: ENOSPC) }
    }

    func copy(from offset: Int, into target: UnsafeMutableRawBufferPointer) throws(FileError) {
        guard offset >= 0, target.count <= size - offset else {
            throw FileError(operation: "read", path: path, message: "bytes beyond the end of the file")
        }
        let content = node.state.withLock { $0.bytes }
        for index in target.indices {
            target[index] = offset + index < content.count ? content[offset + index] : 0
        }
    }

    func sync() throws(FileError) {
        if fileSystem.isSyncFailing { throw FileError(operation: "fdatasync", path: path, code: EIO) }
        node.state.withLock { $0.syncedCount = $0.bytes.count }
    }
}
