import ByteCoding
import FileIO
import SeriesModel
import StorageAPI
import StorageFiles
import Synchronization

/// Writes closed chunks into the head-chunk files. One thread, the committer; `sync` may run beside it.
///
/// What is in the files is not what makes samples safe: the log does that, until a checkpoint names these places. So a
/// chunk is written without being synced, and what stands behind the checkpoint's place is written anew after a restart.
final class HeadChunkWriter: @unchecked Sendable {
    private let fileSystem: any FileSystem
    private let directory: String
    private let fileBytes: Int
    /// The newest is the one that is written. Changed under the gate held exclusively.
    private(set) var files: HeadChunkFileSet
    /// The newest times in each file.
    private var newest: [UInt32: Timestamp] = [:]
    /// Where the next record goes.
    private(set) var place: HeadChunkPlace
    private let unsynced = Mutex<[UnsyncedFile]>([])
    private var output = ByteBuilder()

    private struct UnsyncedFile {
        let file: any RandomAccessFile
        /// Everything before is on the disk. Bytes.
        var syncedEnd: Int
        var writtenEnd: Int
        /// A sync failed: another one proves nothing for what was written before.
        var isDoubtful = false
    }

    /// - Parameters:
    ///   - place: of the checkpoint: what stands there and behind is forgotten. Nil without a checkpoint.
    ///   - isReadOnly: nothing is written or removed; `write` must not be called.
    init(
        fileSystem: any FileSystem, dataDirectory: String, directoryName: String = HeadChunkFormat.directoryName,
        fileBytes: Int, place: HeadChunkPlace?, isReadOnly: Bool
    ) throws(StorageError) {
        self.fileSystem = fileSystem
        self.fileBytes = fileBytes
        let directory = FilePath.join(dataDirectory, directoryName)
        self.directory = directory
        let start = place ?? HeadChunkPlace(file: 0, offset: 0)
        self.place = start
        files = try StorageError.wrapping { () throws(FileError) in
            if isReadOnly {
                if !fileSystem.exists(directory) { return HeadChunkFileSet([], in: directory) }
            } else {
                try fileSystem.createDirectory(directory)
            }
            var found: [(UInt32, any RandomAccessFile)] = []
            for number in try fileSystem.list(directory).compactMap(HeadChunkFormat.number).sorted() {
                let path = FilePath.join(directory, HeadChunkFormat.name(number))
                if number < start.file || number == start.file && start.offset > 0 {
                    found.append((number, try fileSystem.openRandomAccess(path, isReadOnly: isReadOnly)))
                } else if !isReadOnly {
                    try fileSystem.remove(path)
                }
            }
            return HeadChunkFileSet(found, in: directory)
        }
        if let last = files.files.last, last.number == start.file {
            let end = Int(start.offset)
            unsynced.withLock { $0 = [UnsyncedFile(file: last.file, syncedEnd: end, writtenEnd: end)] }
        }
    }

    /// Of all files, as far as they are written. Bytes.
    var size: Int {
        files.files.reduce(0) { $0 + ($1.number == place.file ? Int(place.offset) : $1.file.size) }
    }

    /// Notes a chunk that the checkpoint names.
    func note(_ chunk: ClosedChunk) { note(chunk.place.file, chunk.range.max) }

    /// Whether the file is there that a chunk lies in.
    func holdsFile(of chunk: ClosedChunk) -> Bool { files.files.contains { $0.number == chunk.place.file } }

    private func note(_ file: UInt32, _ time: Timestamp) { newest[file] = max(newest[file] ?? .min, time) }

    struct Entry {
        var slot: UInt32
        var generation: UInt32
        var chunk: MemoryChunk
        var isOutOfOrder: Bool
    }

    /// Writes chunks with one write for each file that they go to.
    /// - Returns: where they lie, as many as were written before an error; and the error. The new set of files, if one
    ///   was added: to be shown under the gate.
    func write(_ entries: [Entry]) -> (chunks: [ClosedChunk], set: HeadChunkFileSet?, failure: StorageError?) {
        var written: [ClosedChunk] = []
        var added: HeadChunkFileSet?
        var next = 0
        while next < entries.count {
            do throws(StorageError) {
                if let grown = try makeRoom(for: entries[next].chunk, added ?? files) { added = grown }
                next = try writePart(entries, from: next, added ?? files, &written)
            } catch {
                return (written, added, error)
            }
        }
        return (written, added, nil)
    }

    /// Takes a set that `write` returned.
    func show(_ added: HeadChunkFileSet) { files = added }

    private func makeRoom(for chunk: MemoryChunk, _ set: HeadChunkFileSet) throws(StorageError) -> HeadChunkFileSet? {
        let needed = HeadChunkFormat.recordHeaderBytesMax + chunk.bytes.count
        if let last = set.files.last, last.number == place.file, Int(place.offset) + needed <= last.file.size {
            return nil
        }
        // Of the checkpoint's files the last may be lost: no other takes its number, which chunks may name.
        let number = max(set.files.last.map { $0.number + 1 } ?? 0, place.offset > 0 ? place.file + 1 : place.file)
        guard number < HeadChunkFormat.numberLimit else { throw .unavailable(reason: "too many head-chunk files") }
        let path = FilePath.join(directory, HeadChunkFormat.name(number))
        let size = max(fileBytes, HeadChunkFormat.fileHeaderBytes + needed)
        let file = try StorageError.wrapping { [fileSystem, directory] () throws(FileError) in
            if fileSystem.exists(path) { try fileSystem.remove(path) }
            let file = try fileSystem.createRandomAccess(path, size: size)
            try file.write(HeadChunkWriter.header(number), at: 0)
            try fileSystem.syncDirectory(directory)
            return file
        }
        place = HeadChunkPlace(file: number, offset: UInt32(HeadChunkFormat.fileHeaderBytes))
        unsynced.withLock {
            $0.append(UnsyncedFile(file: file, syncedEnd: 0, writtenEnd: HeadChunkFormat.fileHeaderBytes))
        }
        return HeadChunkFileSet(set.files + [(number, file)], in: directory)
    }

    private static func header(_ number: UInt32) -> [UInt8] {
        var header = ByteBuilder()
        header.append(contentsOf: HeadChunkFormat.magic)
        header.appendLittleEndian(HeadChunkFormat.version)
        header.appendLittleEndian(UInt64(number))
        header.appendLittleEndian(CRC32C.checksum(header.bytes))
        return header.bytes
    }

    /// As many as fit into the newest file. - Returns: the first that did not.
    private func writePart(
        _ entries: [Entry], from first: Int, _ set: HeadChunkFileSet, _ written: inout [ClosedChunk]
    ) throws(StorageError) -> Int {
        guard let file = set.files.last?.file else { return entries.count }
        output.removeAll()
        var next = first
        var chunks: [ClosedChunk] = []
        while next < entries.count {
            let entry = entries[next]
            let start = output.count
            let needed = HeadChunkFormat.recordHeaderBytesMax + entry.chunk.bytes.count
            if next > first, Int(place.offset) + start + needed > file.size { break }
            HeadChunkHeader.append(
                entry.chunk, slot: entry.slot, generation: entry.generation, isOutOfOrder: entry.isOutOfOrder,
                to: &output)
            chunks.append(
                ClosedChunk(
                    place: HeadChunkPlace(file: place.file, offset: place.offset + UInt32(start)),
                    range: entry.chunk.range, length: output.count - start))
            next += 1
        }
        let (bytes, offset) = (output.bytes, Int(place.offset))
        try StorageError.wrapping { () throws(FileError) in try file.write(bytes, at: offset) }
        place.offset += UInt32(bytes.count)
        let end = Int(place.offset)
        unsynced.withLock { files in
            if let last = files.indices.last { files[last].writtenEnd = end }
        }
        for chunk in chunks { note(chunk) }
        written += chunks
        return next
    }

    /// Makes what was written before the call durable. Any thread, one at a time.
    func sync() throws(StorageError) {
        for target in unsynced.withLock({ $0 }) where target.syncedEnd < target.writtenEnd {
            do throws(FileError) {
                // What the system has forgotten to write is made new to it.
                if target.isDoubtful { try HeadChunkWriter.rewrite(target.file, target.syncedEnd..<target.writtenEnd) }
                try target.file.sync()
            } catch {
                change(target.file) { $0.isDoubtful = true }
                throw StorageError(error)
            }
            change(target.file) { known in
                known.syncedEnd = target.writtenEnd
                known.isDoubtful = false
            }
        }
        unsynced.withLock { files in
            let last = files.last?.file
            files.removeAll { $0.syncedEnd == $0.writtenEnd && $0.file !== last }
        }
    }

    private func change(_ file: any RandomAccessFile, _ body: (inout UnsyncedFile) -> Void) {
        unsynced.withLock { files in
            if let index = files.firstIndex(where: { $0.file === file }) { body(&files[index]) }
        }
    }

    /// Writes what a file has in a range to the same place again.
    private static func rewrite(_ file: any RandomAccessFile, _ range: Range<Int>) throws(FileError) {
        let partBytes = 1 << 20
        for start in stride(from: range.lowerBound, to: range.upperBound, by: partBytes) {
            var part = [UInt8](repeating: 0, count: min(partBytes, range.upperBound - start))
            let failure = part.withUnsafeMutableBytes { buffer -> FileError? in
                do throws(FileError) {
                    try file.copy(from: start, into: buffer)
                    return nil
                } catch {
                    return error
                }
            }
            if let failure { throw failure }
            try file.write(part, at: start)
        }
    }

    /// The files without those that end before a time; the newest stays.
    func files(without time: Timestamp) -> HeadChunkFileSet? {
        let kept = files.files.filter { $0.number == place.file || (newest[$0.number] ?? .min) >= time }
        return kept.count < files.files.count ? HeadChunkFileSet(kept, in: directory) : nil
    }

    /// Removes the files that are not in the set any more.
    func removeFiles(before kept: HeadChunkFileSet, of old: HeadChunkFileSet) throws(StorageError) {
        let numbers = Set(kept.files.map(\.number))
        for (number, file) in old.files where !numbers.contains(number) {
            newest[number] = nil
            unsynced.withLock { files in files.removeAll { $0.file === file } }
            let path = file.path
            try StorageError.wrapping { [fileSystem] () throws(FileError) in try fileSystem.remove(path) }
        }
    }
}

extension RandomAccessFile {
    fileprivate func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
        let failure = bytes.withUnsafeBytes { buffer -> FileError? in
            do throws(FileError) {
                try write(buffer, at: offset)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }
}
