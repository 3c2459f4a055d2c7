package import FileIO
import StorageAPI
package import WAL

/// What a start does to a damaged log, without a start: torn tails are cut off and kept beside, files that cannot be
/// read are set aside.
package enum StoreRepair {
    /// - Returns: what was found; each damage says what became of it.
    /// - Throws: where the directory is in use, or cannot be read.
    package static func run(fileSystem: any FileSystem, directory: String) throws -> ReplayReport {
        let lock: DirectoryLock
        do throws(DirectoryLock.Refusal) {
            lock = try DirectoryLock(directory)
        } catch {
            throw StorageError.unavailable(reason: "cannot lock the data directory: \(error)")
        }
        let report = try LogReplay.replay(
            fileSystem: fileSystem, directory: DataDirectoryLayout(fileSystem: fileSystem, directory: directory).log,
            repair: true
        ) { _, _ in }
        _ = consume lock
        return report
    }
}
