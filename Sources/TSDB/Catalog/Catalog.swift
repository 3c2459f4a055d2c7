import Blocks
package import FileIO
import GRDB
import SeriesModel
package import StorageAPI
import Synchronization

/// The list of blocks, in `catalog.sqlite`: **a block exists when the catalog says so**. Replacing some blocks by
/// others is one transaction, on disk when the call returns.
///
/// Calls block on the disk: they belong to the thread that cuts, merges and deletes, never to the committer or a view.
/// The block directories describe themselves, so that a lost catalog is rebuilt from them: see `BlockReconciliation`.
package final class Catalog: Sendable {
    package static let fileName = "catalog.sqlite"

    /// Where the damaged predecessor of the file went, when this one had to begin empty.
    package let damagedPath: String?
    private let path: String
    private let fileSystem: any FileSystem

    private struct State {
        var queue: DatabaseQueue
        /// Why the file was not to be used; the list is kept in memory until it is.
        var refusal: StorageError?
    }

    private let state: Mutex<State>

    var queue: DatabaseQueue { state.withLock { $0.queue } }

    /// Why the list is kept in memory for now; nil where it is in its file.
    var refusal: StorageError? { state.withLock { $0.refusal } }

    /// Opens the file, makes it where it is missing, and sets a damaged one aside.
    /// - Parameter directory: the data directory; must exist.
    /// - Throws: also where a newer version of Hearth wrote the file.
    package init(fileSystem: any FileSystem, directory: String) throws(StorageError) {
        path = FilePath.join(directory, Catalog.fileName)
        let opened = try SQLiteFile.open(
            fileSystem: fileSystem, path: path, durability: .synced, migrator: CatalogMigrations.catalog)
        self.fileSystem = fileSystem
        state = Mutex(State(queue: opened.queue, refusal: opened.refusal))
        damagedPath = opened.damagedPath
    }

    /// Tries the file again where it could not be used, and makes it say what holds.
    /// - Returns: where the file went, if it was damaged and a new one took its place.
    /// - Throws: where it still cannot.
    func reattach(_ blocks: [BlockRecord], headStart: Timestamp?) throws(StorageError) -> String? {
        guard refusal != nil else { return nil }
        let opened = try SQLiteFile.open(
            fileSystem: fileSystem, path: path, durability: .synced, migrator: CatalogMigrations.catalog)
        if let refusal = opened.refusal { throw refusal }
        let memory = queue
        state.withLock { $0 = State(queue: opened.queue) }
        do throws(StorageError) {
            let known = Set(blocks.map(\.identifier))
            let gone = try self.blocks().map(\.identifier).filter { !known.contains($0) }
            try enter(blocks, removing: gone, headStart: headStart)
        } catch {
            state.withLock { $0 = State(queue: memory, refusal: error) }
            throw error
        }
        return opened.damagedPath
    }

    /// Replaces what the file says by what the blocks say of themselves.
    package static func rebuild(fileSystem: any FileSystem, directory: String) throws -> Int {
        let found = try BlockInspection(fileSystem: fileSystem, directory: directory)
        let catalog = try Catalog(fileSystem: fileSystem, directory: directory)
        if let refusal = catalog.refusal { throw refusal }
        let records = found.readers.map { BlockRecord($0.footer) }
        let served = BlockReconciliation(rows: records, found: records).served
        let known = Set(served.map(\.identifier))
        let gone = try catalog.blocks().map(\.identifier).filter { !known.contains($0) }
        try catalog.replace(adding: served, removing: gone)
        try catalog.close()
        return served.count
    }

    /// All blocks, in the order of their start. Rows that name no block are left out.
    func blocks() throws(StorageError) -> [BlockRecord] {
        try SQLiteFile.wrapping("read", path) {
            try queue.read(Catalog.rows)
        }
    }

    /// As `blocks`, of a catalog that somebody else opened.
    static func rows(_ database: Database) throws -> [BlockRecord] {
        var parents: [BlockIdentifier: [BlockIdentifier]] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT block, parent FROM block_parent ORDER BY block, parent") {
            guard let block = BlockIdentifier(row["block"] as String),
                let parent = BlockIdentifier(row["parent"] as String)
            else { continue }
            parents[block, default: []].append(parent)
        }
        let rows = try Row.fetchAll(database, sql: "SELECT * FROM block ORDER BY min_time, identifier")
        return rows.compactMap { row in
            guard let identifier = BlockIdentifier(row["identifier"] as String) else { return nil }
            return BlockRecord(
                identifier: identifier, range: TimeRange(min: row["min_time"], max: row["max_time"]),
                bytes: row["bytes"], level: row["level"], parents: parents[identifier] ?? [],
                seriesCount: row["series_count"], sampleCount: row["sample_count"])
        }
    }

    /// Where the head began after the last cut; nil where none was entered. ms
    func headStart() throws(StorageError) -> Timestamp? {
        try SQLiteFile.wrapping("read", path) {
            try queue.read { try Int64.fetchOne($0, sql: "SELECT time FROM head_start") }
        }
    }

    /// Enters blocks and strikes out others, all or nothing. A block that is there already is described anew; striking
    /// out one that is not there does nothing.
    ///
    /// A file that is full, locked or damaged costs nothing but itself: the blocks' footers tell the same, so the list
    /// goes on in memory, and `reattach` writes it anew when it can.
    /// - Parameter headStart: where the head begins from now on, because what was before is in an added block. ms
    func replace(
        adding added: [BlockRecord], removing removed: [BlockIdentifier], headStart: Timestamp? = nil
    ) throws(StorageError) {
        do throws(StorageError) {
            try enter(added, removing: removed, headStart: headStart)
        } catch {
            if refusal != nil { throw error }
            let memory = try SQLiteFile.inMemory(CatalogMigrations.catalog)
            state.withLock { $0 = State(queue: memory, refusal: error) }
            try enter(added, removing: removed, headStart: headStart)
        }
    }

    private func enter(
        _ added: [BlockRecord], removing removed: [BlockIdentifier], headStart: Timestamp?
    ) throws(StorageError) {
        let gone = removed.map(\.description) + added.map(\.identifier.description)
        if gone.isEmpty, headStart == nil { return }
        try SQLiteFile.wrapping("write", path) {
            try queue.write { database in
                for identifier in gone {
                    try database.execute(sql: "DELETE FROM block WHERE identifier = ?", arguments: [identifier])
                }
                for block in added { try Catalog.insert(block, database) }
                if let headStart {
                    try database.execute(sql: "INSERT OR REPLACE INTO head_start VALUES (1, ?)", arguments: [headStart])
                }
            }
        }
    }

    private static func insert(_ block: BlockRecord, _ database: Database) throws {
        try database.execute(
            sql: "INSERT INTO block VALUES (?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                block.identifier.description, block.range.min, block.range.max, block.bytes, block.level,
                block.seriesCount, block.sampleCount,
            ])
        for parent in Set(block.parents) {
            try database.execute(
                sql: "INSERT INTO block_parent VALUES (?, ?)",
                arguments: [block.identifier.description, parent.description])
        }
    }

    /// No call may follow.
    package func close() throws(StorageError) {
        try SQLiteFile.wrapping("close", path) { try queue.close() }
    }
}
