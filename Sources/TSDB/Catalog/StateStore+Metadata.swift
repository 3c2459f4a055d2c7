import GRDB
package import SeriesModel
package import StorageAPI

/// What expositions said about metrics, by name; the newest word wins.
extension StateStore {
    package func saveMetadata(_ metadata: [String: MetricMetadata]) async throws(StorageError) {
        if metadata.isEmpty { return }
        try await write { database in
            for (metric, entry) in metadata {
                try database.execute(
                    sql: "INSERT OR REPLACE INTO metric_metadata VALUES (?, ?, ?, ?)",
                    arguments: [metric, entry.kind.rawValue, entry.help, entry.unit])
            }
        }
    }

    package func metadata() async throws(StorageError) -> [String: MetricMetadata] {
        try await read { database in
            var metadata: [String: MetricMetadata] = [:]
            for row in try Row.fetchAll(database, sql: "SELECT * FROM metric_metadata") {
                let kind = MetricMetadata.Kind(rawValue: row["kind"]) ?? .unknown
                metadata[row["metric"]] = MetricMetadata(kind: kind, help: row["help"], unit: row["unit"])
            }
            return metadata
        }
    }
}
