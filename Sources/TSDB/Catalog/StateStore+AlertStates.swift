import FoundationEssentials
import GRDB
package import StorageAPI

/// What rule groups keep over a restart: one value for each group, opaque to the store.
extension StateStore {
    /// - Returns: what was saved last for the group; nil where nothing was.
    package func load(group: String) async throws(StorageError) -> [UInt8]? {
        try await read { database in
            try Data.fetchOne(database, sql: "SELECT state FROM alert_state WHERE group_key = ?", arguments: [group])
                .map { [UInt8]($0) }
        }
    }

    package func save(_ state: [UInt8], group: String) async throws(StorageError) {
        try await write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO alert_state VALUES (?, ?)", arguments: [group, Data(state)])
        }
    }

    package func remove(group: String) async throws(StorageError) {
        try await write { database in
            try database.execute(sql: "DELETE FROM alert_state WHERE group_key = ?", arguments: [group])
        }
    }

    /// The groups that have something saved.
    package func alertStateGroups() async throws(StorageError) -> [String] {
        try await read { database in
            try String.fetchAll(database, sql: "SELECT group_key FROM alert_state ORDER BY group_key")
        }
    }
}
