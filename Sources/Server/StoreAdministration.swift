import HTTPAPI
import OwnThreads
import TSDB

/// The store's admin operations on a thread of their own, one after the other: each may take minutes of disk and
/// processor.
struct StoreAdministration {
    private let store: TSDB
    private let thread = TaskThreads("admin", count: 1, nice: 5)

    init(_ store: TSDB) { self.store = store }

    var services: AdminServices {
        AdminServices(
            deleteSeries: { [self] matching, range in
                _ = try await run { try $0.deleteSeries(matching: matching, in: range) }
            },
            cleanTombstones: { [self] in _ = try await run { try $0.cleanTombstones() } },
            snapshot: { [self] skipsHead in try await run { try $0.snapshot(skipHead: skipsHead) } })
    }

    /// A task of its own: a client that leaves does not break off what it began.
    private func run<Result: Sendable>(_ body: @escaping @Sendable (TSDB) throws -> Result) async throws -> Result {
        try await Task(executorPreference: thread) { [store] in try body(store) }.value
    }
}
