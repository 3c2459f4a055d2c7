import FileIO
import GRDB
import StorageAPI

/// The catalog of a data directory that somebody else may have open.
enum CatalogInspection {
    /// The rows of a catalog that is sound; none where there is no catalog. Nothing is written.
    static func rows(_ directory: String) -> Result<[BlockRecord], StorageError> {
        let path = FilePath.join(directory, Catalog.fileName)
        // SQLite knows the machine's disk only.
        guard PosixFileSystem().exists(path) else { return .success([]) }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do throws(StorageError) {
            return .success(
                try SQLiteFile.wrapping("read", path) {
                    let queue = try DatabaseQueue(path: path, configuration: configuration)
                    defer { try? queue.close() }
                    return try queue.read { database in
                        let verdict = try String.fetchOne(database, sql: "PRAGMA integrity_check(1)")
                        guard verdict == "ok" else {
                            throw StorageError.corruption(
                                file: path, offset: 0, reason: verdict ?? "no answer to integrity_check")
                        }
                        return try Catalog.rows(database)
                    }
                })
        } catch {
            return .failure(error)
        }
    }
}
