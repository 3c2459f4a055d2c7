import FileIO
import Synchronization

/// A file that only takes room on the disk, to be given up when there is none left: a cut, a checkpoint or a commit of
/// the catalog can be finished then, and what those make superfluous gives the room back.
final class DiskReserve: Sendable {
    static let fileName = "reserve"

    private let fileSystem: any FileSystem
    private let directory: String
    /// Bytes; 0: there is none.
    let size: Int
    private let held: Mutex<Bool>

    private var path: String { FilePath.join(directory, DiskReserve.fileName) }
    /// The reserve is no more than this part of the disk.
    private static let shareMax: Int64 = 100

    /// Finds the file of an earlier process; does not take room yet.
    init(_ options: TSDBOptions) {
        fileSystem = options.fileSystem
        directory = options.directory
        let path = FilePath.join(options.directory, DiskReserve.fileName)
        let total = (try? options.fileSystem.space(options.directory).total) ?? .max
        let size = Int(max(0, min(options.diskReserve, total / DiskReserve.shareMax)))
        self.size = size
        let isThere = options.fileSystem.exists(path)
        let isHeld = isThere && size > 0 && (try? options.fileSystem.size(path)) == size
        // Of another size: the flag was changed, or the process died while it was made.
        if isThere, !isHeld { try? options.fileSystem.remove(path) }
        held = Mutex(isHeld)
    }

    var isHeld: Bool { held.withLock { $0 } }

    /// - Returns: whether it is held now.
    func take() -> Bool {
        if size == 0 { return false }
        return held.withLock { isHeld in
            if isHeld { return true }
            do throws(FileError) {
                try fileSystem.createReserve(path, bytes: size)
                isHeld = true
            } catch {
                try? fileSystem.remove(path)
            }
            return isHeld
        }
    }

    /// - Returns: whether that gave any room.
    func release() -> Bool {
        held.withLock { isHeld in
            guard isHeld, (try? fileSystem.remove(path)) != nil else { return false }
            isHeld = false
            return true
        }
    }
}
