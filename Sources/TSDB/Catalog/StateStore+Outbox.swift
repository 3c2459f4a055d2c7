import FoundationEssentials
import GRDB
package import StorageAPI

/// One message that is still to be delivered. A newer message with the same destination and key takes its place.
package struct OutboxEntry: Sendable, Hashable {
    package var destination: String
    /// What the message is about: opaque bytes.
    package var key: [UInt8]
    /// The message in its sender's own form.
    package var payload: [UInt8]

    package init(destination: String, key: [UInt8], payload: [UInt8]) {
        self.destination = destination
        self.key = key
        self.payload = payload
    }
}

/// The messages that wait. One stays until its sender says that it arrived.
extension StateStore {
    /// All entries, those first that have waited longest.
    package func outbox() async throws(StorageError) -> [OutboxEntry] {
        try await read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM outbox ORDER BY identifier").map { row in
                OutboxEntry(
                    destination: row["destination"], key: [UInt8](row["key"] as Data),
                    payload: [UInt8](row["payload"] as Data))
            }
        }
    }

    /// Adds entries, or gives those that wait already a new payload; all or nothing.
    package func saveToOutbox(_ entries: [OutboxEntry]) async throws(StorageError) {
        if entries.isEmpty { return }
        try await write { database in
            for entry in entries {
                try database.execute(
                    sql: """
                        INSERT INTO outbox (destination, key, payload) VALUES (?, ?, ?)
                        ON CONFLICT (destination, key) DO UPDATE SET payload = excluded.payload
                        """, arguments: [entry.destination, Data(entry.key), Data(entry.payload)])
            }
        }
    }

    /// Removes entries whose payload is still the one given: a newer word that came meanwhile stays.
    package func removeFromOutbox(_ entries: [OutboxEntry]) async throws(StorageError) {
        if entries.isEmpty { return }
        try await write { database in
            for entry in entries {
                try database.execute(
                    sql: "DELETE FROM outbox WHERE destination = ? AND key = ? AND payload = ?",
                    arguments: [entry.destination, Data(entry.key), Data(entry.payload)])
            }
        }
    }
}
