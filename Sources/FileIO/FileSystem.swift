/// What the store asks of a disk: the port between the formats and the machine. `PosixFileSystem` is the real one; tests
/// put one in its place that forgets what was not synced and fails on demand.
///
/// Durability is spelled out: bytes are safe after `sync`, a new or renamed name is safe after `syncDirectory` of the
/// directory that holds it.
package protocol FileSystem: Sendable {
    /// Opens a new, empty file for appending. It must not exist.
    func create(_ path: String) throws(FileError) -> any AppendableFile

    /// Opens an existing file for appending at its end.
    func openForAppending(_ path: String) throws(FileError) -> any AppendableFile

    /// Makes a file whose places are written and read in any order. It must not exist. It has its full size from the
    /// start; the disk gives room as places are written.
    func createRandomAccess(_ path: String, size: Int) throws(FileError) -> any RandomAccessFile

    /// Opens such a file again.
    /// - Parameter isReadOnly: it is not going to be written.
    func openRandomAccess(_ path: String, isReadOnly: Bool) throws(FileError) -> any RandomAccessFile

    /// The whole content.
    /// - Throws: also where the file is longer than `limit` bytes.
    func read(_ path: String, limit: Int) throws(FileError) -> [UInt8]

    /// Copies what stands in a file from a place on, as much as the target takes. The file may grow meanwhile.
    /// - Returns: how many bytes; fewer than the target takes where the file ends.
    func copy(
        _ path: String, from offset: Int, into target: UnsafeMutableRawBufferPointer
    ) throws(FileError) -> Int

    /// Maps a file for reading. It must not be shortened while it is mapped.
    func map(_ path: String) throws(FileError) -> MappedFile

    /// Bytes.
    func size(_ path: String) throws(FileError) -> Int

    /// Of the file system that a directory lies on.
    func space(_ path: String) throws(FileError) -> DiskSpace

    /// Of the file system that a directory lies on.
    func kind(_ path: String) throws(FileError) -> FileSystemKind

    /// Makes a file that has got all its room from the disk when this returns; it must not exist. Removing it gives the
    /// room to others. After an error a part of the file may be there.
    func createReserve(_ path: String, bytes: Int) throws(FileError)

    /// Whether a file or directory of that name is there.
    func exists(_ path: String) -> Bool

    /// The names in a directory, without `.` and `..`, sorted by bytes.
    func list(_ directory: String) throws(FileError) -> [String]

    /// Makes the directory, and those above it that are missing. No error when it is there.
    func createDirectory(_ path: String) throws(FileError)

    /// Replaces what has the target's name.
    func rename(_ source: String, to target: String) throws(FileError)

    /// Gives a file a second name: both stand for the same bytes until one of them is replaced or removed. Nothing may
    /// have the second name.
    func link(_ source: String, to target: String) throws(FileError)

    /// Removes a file, or a directory with everything in it.
    func remove(_ path: String) throws(FileError)

    /// Makes the directory's entries durable.
    func syncDirectory(_ path: String) throws(FileError)
}

/// How large a file system is, and what of it is free for this process. Bytes.
package struct DiskSpace: Sendable, Hashable {
    package var free: Int64
    package var total: Int64

    package init(free: Int64, total: Int64) {
        self.free = free
        self.total = total
    }
}

/// A file open for appending. Used by one thread at a time, except `sync`, which may run beside `append`. Closed when
/// the last reference goes.
package protocol AppendableFile: AnyObject, Sendable {
    var path: String { get }

    /// Bytes in the file, as far as this handle knows.
    var size: Int { get }

    /// Writes all bytes at the end. After an error the file may hold a part of them: see `truncate`.
    func append(_ bytes: UnsafeRawBufferPointer) throws(FileError)

    /// Shortens the file.
    func truncate(to size: Int) throws(FileError)

    /// Makes the content durable (fdatasync). After an error nothing is known about what was written since the last
    /// success: the kernel may have dropped it.
    func sync() throws(FileError)
}

/// A file of fixed size. One thread writes; any thread reads what was written before, while it goes on. Closed when the
/// last reference goes; its name may be removed before.
package protocol RandomAccessFile: AnyObject, Sendable {
    var path: String { get }

    /// Bytes.
    var size: Int { get }

    /// Writes all bytes. After an error some of them may be there.
    /// - Throws: also where they do not all lie within the size.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError)

    /// Copies `target.count` bytes from `offset` on; places never written are zeros.
    /// - Throws: where they do not all lie within the size, or cannot be read.
    func copy(from offset: Int, into target: UnsafeMutableRawBufferPointer) throws(FileError)

    /// As that of `AppendableFile`.
    func sync() throws(FileError)
}

extension AppendableFile {
    package func append(_ bytes: [UInt8]) throws(FileError) {
        let failure = bytes.withUnsafeBytes { buffer -> FileError? in
            do throws(FileError) {
                try append(buffer)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }
}

extension FileSystem {
    /// Replaces a file's content as a whole: readers, and a machine that loses power, find the old content or the new.
    /// Writes beside, syncs, renames, syncs the directory.
    package func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
        let aside = path + ".tmp"
        if exists(aside) { try remove(aside) }
        let file = try create(aside)
        do throws(FileError) {
            try file.append(bytes)
            try file.sync()
            try rename(aside, to: path)
        } catch {
            // The error that matters is the first one; a leftover is removed by the next attempt.
            try? remove(aside)
            throw error
        }
        try syncDirectory(FilePath.directory(of: path))
    }
}

/// The few operations on path texts that the store needs.
package enum FilePath {
    package static func join(_ directory: String, _ name: String) -> String {
        directory.hasSuffix("/") ? directory + name : directory + "/" + name
    }

    /// "." for a bare name.
    package static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    package static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }
}
