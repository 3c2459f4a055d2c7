package import FileIO
import GRDB
package import StorageAPI

/// What is worth keeping over a restart and is not a sample, in `state.sqlite`: alert states, the outbox of
/// notifications, metric metadata, how far the log's consumers have come; each in a file of its own
/// (`StateStore+AlertStates`, `+Outbox`, `+Metadata`, `+LogPositions`).
///
/// A commit survives the death of the process; the loss of power may take the newest ones. Calls suspend: the work runs
/// on the file's own queue, one call after the other, never on the caller's thread.
package final class StateStore: Sendable {
    package static let fileName = "state.sqlite"

    /// Where the damaged predecessor of the file went, when this one had to begin empty.
    package let damagedPath: String?
    /// Why the file could not be used, and what it is to hold is kept in memory; nil otherwise.
    let refusal: StorageError?
    private let path: String
    private let queue: DatabaseQueue

    /// Opens the file, makes it where it is missing, and sets a damaged one aside. Blocks.
    /// - Parameter directory: the data directory; must exist.
    /// - Throws: also where a newer version of Hearth wrote the file.
    package init(fileSystem: any FileSystem, directory: String) throws(StorageError) {
        path = FilePath.join(directory, StateStore.fileName)
        let opened = try SQLiteFile.open(
            fileSystem: fileSystem, path: path, durability: .relaxed, migrator: CatalogMigrations.state)
        queue = opened.queue
        damagedPath = opened.damagedPath
        refusal = opened.refusal
    }

    /// No call may follow. Blocks.
    package func close() throws(StorageError) {
        try SQLiteFile.wrapping("close", path) { try queue.close() }
    }

    /// For threads of the store's own: blocks.
    func readNow<R>(_ body: (Database) throws -> R) throws(StorageError) -> R {
        try SQLiteFile.wrapping("read", path) { try queue.read(body) }
    }

    /// One transaction. For threads of the store's own: blocks.
    func writeNow<R>(_ body: (Database) throws -> R) throws(StorageError) -> R {
        try SQLiteFile.wrapping("write", path) { try queue.write(body) }
    }

    func read<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws(StorageError) -> R {
        do {
            return try await queue.read(body)
        } catch {
            throw SQLiteFile.storageError(error, "read", path)
        }
    }

    /// One transaction.
    @discardableResult
    func write<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws(StorageError) -> R {
        do {
            return try await queue.write(body)
        } catch {
            throw SQLiteFile.storageError(error, "write", path)
        }
    }
}
