import Notifier
import Rules
import TSDB

/// The store's state file behind the ports that rules and notifier own.
struct DurableState: AlertStateStore, NotificationOutbox {
    let store: StateStore

    // MARK: AlertStateStore

    func load(group: String) async throws -> [UInt8]? { try await store.load(group: group) }

    func save(_ state: [UInt8], group: String) async throws { try await store.save(state, group: group) }

    func remove(group: String) async throws { try await store.remove(group: group) }

    // MARK: NotificationOutbox

    func load() async throws -> [NotificationOutboxEntry] {
        try await store.outbox().map {
            NotificationOutboxEntry(alertmanager: $0.destination, key: $0.key, payload: $0.payload)
        }
    }

    func save(_ entries: [NotificationOutboxEntry]) async throws {
        try await store.saveToOutbox(entries.map(\.row))
    }

    func remove(_ entries: [NotificationOutboxEntry]) async throws {
        try await store.removeFromOutbox(entries.map(\.row))
    }
}

extension NotificationOutboxEntry {
    fileprivate var row: OutboxEntry { OutboxEntry(destination: alertmanager, key: key, payload: payload) }
}
