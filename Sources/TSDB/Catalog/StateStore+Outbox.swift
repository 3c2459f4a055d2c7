import FoundationEssentials
import GRDB
package import SeriesModel
package import StorageAPI

/// One message that is still to be delivered.
package struct OutboxEntry: Sendable, Hashable {
    /// Ascending in the order of entry; never used twice.
    package var identifier: Int64
    package var destination: String
    /// ms
    package var createdAt: Timestamp
    /// The message in its sender's own form.
    package var payload: [UInt8]

    package init(identifier: Int64, destination: String, createdAt: Timestamp, payload: [UInt8]) {
        self.identifier = identifier
        self.destination = destination
        self.createdAt = createdAt
        self.payload = payload
    }
}

/// A first-in-first-out list of messages for each destination. An entry stays until its sender says that it arrived.
extension StateStore {
    /// Adds messages behind those that wait, all or none.
    /// - Returns: their identifiers, in order.
    @discardableResult
    package func enqueue(
        _ payloads: [[UInt8]], destination: String, at time: Timestamp
    ) async throws(StorageError) -> [Int64] {
        try await write { database in
            try payloads.map { payload in
                try database.execute(
                    sql: "INSERT INTO outbox (destination, created_at, payload) VALUES (?, ?, ?)",
                    arguments: [destination, time, Data(payload)])
                return database.lastInsertedRowID
            }
        }
    }

    /// The oldest messages of a destination, at most `limit`.
    package func outbox(destination: String, limit: Int) async throws(StorageError) -> [OutboxEntry] {
        try await read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM outbox WHERE destination = ? ORDER BY identifier LIMIT ?",
                arguments: [destination, limit]
            ).map { row in
                OutboxEntry(
                    identifier: row["identifier"], destination: row["destination"], createdAt: row["created_at"],
                    payload: [UInt8](row["payload"] as Data))
            }
        }
    }

    /// The destinations that have messages, and how many.
    package func outboxCounts() async throws(StorageError) -> [String: Int] {
        try await read { database in
            var counts: [String: Int] = [:]
            for row in try Row.fetchAll(
                database, sql: "SELECT destination, count(*) AS count FROM outbox GROUP BY destination")
            {
                counts[row["destination"]] = row["count"]
            }
            return counts
        }
    }

    /// Takes messages out that have arrived, or are not to be delivered any more.
    package func removeFromOutbox(_ identifiers: [Int64]) async throws(StorageError) {
        if identifiers.isEmpty { return }
        try await write { database in
            for identifier in identifiers {
                try database.execute(sql: "DELETE FROM outbox WHERE identifier = ?", arguments: [identifier])
            }
        }
    }

    /// Drops the oldest messages of a destination until at most `count` are left.
    /// - Returns: how many were dropped.
    @discardableResult
    package func trimOutbox(destination: String, to count: Int) async throws(StorageError) -> Int {
        try await write { database in
            try database.execute(
                sql: """
                    DELETE FROM outbox WHERE destination = ? AND identifier NOT IN (
                        SELECT identifier FROM outbox WHERE destination = ? ORDER BY identifier DESC LIMIT ?)
                    """, arguments: [destination, destination, max(0, count)])
            return database.changesCount
        }
    }
}
