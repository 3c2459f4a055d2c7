import GRDB
import StorageAPI
import StorageFiles

/// How far the consumers of the log have come: of each the newest record that it need not read again.
extension StateStore {
    /// Blocks.
    func logPositions() throws(StorageError) -> [String: LSN] {
        try readNow { database in
            var positions: [String: LSN] = [:]
            for row in try Row.fetchAll(database, sql: "SELECT consumer, record FROM log_position") {
                let record: Int64 = row["record"]
                positions[row["consumer"]] = LSN(max(0, record))
            }
            return positions
        }
    }

    /// These, and no others. Blocks.
    func saveLogPositions(_ positions: [String: LSN]) throws(StorageError) {
        try writeNow { database in
            try database.execute(sql: "DELETE FROM log_position")
            for (consumer, record) in positions {
                try database.execute(
                    sql: "INSERT INTO log_position VALUES (?, ?)", arguments: [consumer, Int64(clamping: record)])
            }
        }
    }
}
