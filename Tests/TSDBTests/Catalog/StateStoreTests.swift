import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("State store")
struct StateStoreTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open() throws -> StateStore {
        try StateStore(fileSystem: PosixFileSystem(), directory: directory.path)
    }

    @Test("The state of each group is what was saved last, also after reopening")
    func alertStates() async throws {
        let store = try open()
        #expect(try await store.load(group: "a;b") == nil)
        try await store.save([1, 2, 3], group: "a;b")
        try await store.save([], group: "empty")
        try await store.save([4], group: "a;b")
        try await store.save([5], group: "gone")
        try await store.remove(group: "gone")
        try store.close()
        let again = try open()
        #expect(try await again.load(group: "a;b") == [4])
        #expect(try await again.load(group: "empty") == [])
        #expect(try await again.alertStateGroups() == ["a;b", "empty"])
    }

    @Test("The outbox is in order, a newer message replaces the waiting one, and only what was meant is removed")
    func outbox() async throws {
        let store = try open()
        func entry(_ destination: String, _ key: UInt8, _ payload: UInt8) -> OutboxEntry {
            OutboxEntry(destination: destination, key: [key], payload: [payload])
        }
        try await store.saveToOutbox([entry("x", 1, 10), entry("y", 1, 11)])
        try await store.saveToOutbox([entry("x", 2, 20)])
        try await store.saveToOutbox([entry("x", 1, 12)])
        try store.close()
        let again = try open()
        #expect(try await again.outbox() == [entry("x", 1, 12), entry("y", 1, 11), entry("x", 2, 20)])
        // The one that was sent is not what waits now.
        try await again.removeFromOutbox([entry("x", 1, 10), entry("y", 1, 11)])
        #expect(try await again.outbox() == [entry("x", 1, 12), entry("x", 2, 20)])
    }

    @Test("Metadata is kept by metric, the newest word wins")
    func metadata() async throws {
        let store = try open()
        let counter = MetricMetadata(kind: .counter, help: "Requests.", unit: "")
        try await store.saveMetadata(["a": counter, "b": MetricMetadata()])
        try await store.saveMetadata(["b": MetricMetadata(kind: .gauge, help: "é", unit: "bytes")])
        #expect(
            try await store.metadata() == ["a": counter, "b": MetricMetadata(kind: .gauge, help: "é", unit: "bytes")])
    }
}
