import Dispatch
import FileIO
import GRDB
import StorageAPI
import StorageFiles

/// Opens the store's SQLite files, and says in the store's own words why one cannot be used.
///
/// Both files hold what can be lost without losing a sample: the footers of the blocks rebuild the catalog, and the
/// state costs alerts their `for`. So a damaged file is kept beside under another name, and an empty one takes its
/// place.
enum SQLiteFile {
    /// How far a commit must have gone when it returns.
    enum Durability {
        /// On the disk, the journal's name included.
        case synced
        /// With the operating system: the loss of power takes the newest commits, the death of the process none.
        case relaxed
    }

    struct Opened {
        let queue: DatabaseQueue
        /// Where the damaged predecessor went, if there was one.
        let damagedPath: String?
        /// Why the file could not be used now, where it is locked or the disk is full; `queue` is in memory then.
        var refusal: StorageError?
    }

    /// What a file of a release that is not known here looks like.
    private static let newerReason = "it was written by a newer version of Hearth"

    /// - Throws: `StorageError`, where the file belongs to a newer version or the operating system refuses.
    static func open(
        fileSystem: any FileSystem, path: String, durability: Durability, migrator: DatabaseMigrator
    ) throws(StorageError) -> Opened {
        do throws(StorageError) {
            return Opened(queue: try attempt(path, durability, migrator), damagedPath: nil)
        } catch {
            switch error {
            case .corruption: break
            case .unavailable, .diskFull:
                // Nothing in it is worth not starting for.
                return Opened(queue: try inMemory(migrator), damagedPath: nil, refusal: error)
            default: throw error
            }
        }
        let damagedPath = try setAside(fileSystem, path)
        return Opened(queue: try attempt(path, durability, migrator), damagedPath: damagedPath)
    }

    /// A database that takes a file's place for a while.
    static func inMemory(_ migrator: DatabaseMigrator) throws(StorageError) -> DatabaseQueue {
        try wrapping("open", "memory") {
            let queue = try DatabaseQueue()
            try migrator.migrate(queue)
            return queue
        }
    }

    private static func attempt(
        _ path: String, _ durability: Durability, _ migrator: DatabaseMigrator
    ) throws(StorageError) -> DatabaseQueue {
        try wrapping("open", path) {
            let queue = try DatabaseQueue(path: path, configuration: configuration(durability))
            let verdict = try queue.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
            guard verdict == "ok" else {
                throw StorageError.corruption(file: path, offset: 0, reason: verdict ?? "no answer to quick_check")
            }
            guard try !queue.read(migrator.hasBeenSuperseded) else {
                throw StorageError.invalid(reason: path + ": " + newerReason)
            }
            try migrator.migrate(queue)
            return queue
        }
    }

    private static func configuration(_ durability: Durability) -> Configuration {
        var configuration = Configuration()
        // Somebody may look into the file with a tool of his own: wait for him a while.
        configuration.busyMode = .timeout(5)
        configuration.qos = .utility
        switch durability {
        case .synced:
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = EXTRA") }
        case .relaxed:
            configuration.journalMode = .wal
        }
        return configuration
    }

    /// Renames the file with its journals. - Returns: its new name.
    private static func setAside(_ fileSystem: any FileSystem, _ path: String) throws(StorageError) -> String {
        var target = path + ".damaged"
        var attempt = 1
        while fileSystem.exists(target) {
            attempt += 1
            target = path + ".damaged." + String(attempt)
        }
        let name = target
        try StorageError.wrapping { () throws(FileError) in
            try fileSystem.rename(path, to: name)
            for suffix in ["-journal", "-wal", "-shm"] where fileSystem.exists(path + suffix) {
                try fileSystem.rename(path + suffix, to: name + suffix)
            }
            try fileSystem.syncDirectory(FilePath.directory(of: path))
        }
        return name
    }

    /// Runs database work and turns what it throws into the store's own error.
    static func wrapping<R>(_ operation: String, _ path: String, _ body: () throws -> R) throws(StorageError) -> R {
        do {
            return try body()
        } catch {
            throw storageError(error, operation, path)
        }
    }

    static func storageError(_ error: any Error, _ operation: String, _ path: String) -> StorageError {
        if let error = error as? StorageError { return error }
        guard let error = error as? DatabaseError else {
            return .system(operation: operation, path: path, message: String(describing: error))
        }
        let message = error.message ?? "SQLite error \(error.resultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return .corruption(file: path, offset: 0, reason: message)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return .unavailable(reason: "\(operation) \(path): \(message)")
        case .SQLITE_FULL:
            return .diskFull(reason: "\(operation) \(path): \(message)")
        default:
            return .system(operation: operation, path: path, message: message)
        }
    }
}
