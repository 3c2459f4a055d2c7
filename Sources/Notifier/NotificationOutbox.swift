/// Keeps what is still to be told beyond the process: a port, so that the notifier knows nothing of files or databases.
/// One entry for each Alertmanager and alert; a newer word about the same alert replaces the older.
package protocol NotificationOutbox: Sendable {
    /// All entries, oldest first.
    func load() async throws -> [NotificationOutboxEntry]

    /// Inserts or replaces, all or nothing.
    func save(_ entries: [NotificationOutboxEntry]) async throws

    /// Removes entries whose payload is still the one given: a newer word that came meanwhile stays.
    func remove(_ entries: [NotificationOutboxEntry]) async throws
}

package struct NotificationOutboxEntry: Sendable, Hashable {
    /// The URL it goes to.
    package var alertmanager: String
    /// The alert's identity: opaque bytes, unique together with the URL.
    package var key: [UInt8]
    /// The alert: opaque bytes.
    package var payload: [UInt8]

    package init(alertmanager: String, key: [UInt8], payload: [UInt8]) {
        self.alertmanager = alertmanager
        self.key = key
        self.payload = payload
    }
}

/// An outbox that ends with the process.
package actor MemoryOutbox: NotificationOutbox {
    private struct Identity: Hashable {
        var alertmanager: String
        var key: [UInt8]
    }

    private var payloads: [Identity: (payload: [UInt8], order: Int)] = [:]
    private var nextOrder = 0

    package init() {}

    package func load() -> [NotificationOutboxEntry] {
        payloads.sorted { $0.value.order < $1.value.order }.map {
            NotificationOutboxEntry(alertmanager: $0.key.alertmanager, key: $0.key.key, payload: $0.value.payload)
        }
    }

    package func save(_ entries: [NotificationOutboxEntry]) {
        for entry in entries {
            let identity = Identity(alertmanager: entry.alertmanager, key: entry.key)
            payloads[identity] = (entry.payload, payloads[identity]?.order ?? nextOrder)
            nextOrder += 1
        }
    }

    package func remove(_ entries: [NotificationOutboxEntry]) {
        for entry in entries {
            let identity = Identity(alertmanager: entry.alertmanager, key: entry.key)
            if payloads[identity]?.payload == entry.payload { payloads[identity] = nil }
        }
    }
}
