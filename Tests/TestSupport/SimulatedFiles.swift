import FileIO
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A file of a `SimulatedFileSystem` that grows at its end.
final class SimulatedFile: AppendableFile {
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
        let bytes = Array(bytes)
        let (kept, failure) = fileSystem.beginWrite(path, bytes.count)
        if failure == nil, bytes.count > 1, fileSystem.isObserved {
            node.state.withLock { $0.bytes.append(contentsOf: bytes[..<(bytes.count / 2)]) }
            fileSystem.observe()
            node.state.withLock { $0.bytes.append(contentsOf: bytes[(bytes.count / 2)...]) }
        } else {
            node.state.withLock { $0.bytes.append(contentsOf: bytes[..<kept]) }
        }
        if failure?.isTruncateFailing == true { isTruncateFailing.store(true, ordering: .relaxed) }
        if let failure { throw FileError(operation: "write", path: path, code: failure.code) }
    }

    func truncate(to size: Int) throws(FileError) {
        if isTruncateFailing.load(ordering: .relaxed) { throw FileError(operation: "truncate", path: path, code: EIO) }
        try fileSystem.begin(.truncate, path)
        node.state.withLock { content in
            content.bytes.removeLast(max(0, content.bytes.count - size))
            content.syncedCount = min(content.syncedCount, size)
            content.lostRanges = content.lostRanges.map { $0.clamped(to: 0..<size) }
        }
    }

    func sync() throws(FileError) {
        do throws(FileError) {
            try fileSystem.begin(.sync, path)
        } catch {
            node.state.withLock { $0.forgetUnsynced() }
            throw error
        }
        node.state.withLock { $0.sync() }
    }
}

/// One whose places are written in any order.
final class SimulatedRandomAccessFile: RandomAccessFile {
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
        let bytes = Array(bytes)
        let (kept, failure) = fileSystem.beginWrite(path, bytes.count)
        if failure == nil, bytes.count > 1, fileSystem.isObserved {
            put(Array(bytes[..<(bytes.count / 2)]), at: offset)
            fileSystem.observe()
        }
        put(Array(bytes[..<kept]), at: offset)
        if let failure { throw FileError(operation: "write", path: path, code: failure.code) }
    }

    private func put(_ bytes: [UInt8], at offset: Int) {
        node.state.withLock { content in
            content.write(bytes, at: offset)
            content.unsyncedWrites.append((offset, bytes))
        }
    }

    func copy(from offset: Int, into target: UnsafeMutableRawBufferPointer) throws(FileError) {
        guard offset >= 0, target.count <= size - offset else {
            throw FileError(operation: "read", path: path, message: "bytes beyond the end of the file")
        }
        try fileSystem.begin(.read, path)
        let content = node.state.withLock { $0.bytes }
        for index in target.indices {
            target[index] = offset + index < content.count ? content[offset + index] : 0
        }
    }

    func sync() throws(FileError) {
        do throws(FileError) {
            try fileSystem.begin(.sync, path)
        } catch {
            node.state.withLock { $0.forgetUnsynced() }
            throw error
        }
        node.state.withLock { $0.sync() }
    }
}
