import OwnThreads
import SeriesModel
import StorageAPI
import Synchronization
import TestSupport
import Testing

@testable import TSDB

@Suite("Isolation")
struct IsolationTests {
    @Test("Queries that race with appends, cuts and checkpoints see whole batches, the same for every selection")
    func wholeBatches() async throws {
        let test = try TestStore { options in
            options.blockRange = 60_000
            options.blockRangeMax = 60_000
        }
        let store = test.store
        let clock = test.clock
        let seriesCount = 50
        let done = Cancellation()
        let labels = (0..<seriesCount).map { LabelSet([Label("__name__", "m"), Label("i", "\($0)")]) }
        let checks = try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask {
                for step in 1...600 {
                    clock.advance(by: 1000)
                    var batch = SampleBatch()
                    // A counter in every series: in whole batches all of them agree.
                    for labels in labels { batch.append(labels, clock.now(), Double(step)) }
                    _ = try await store.append(batch)
                    if step % 100 == 0 { try await onOwnThread { try store.maintain() } }
                    if step % 150 == 0 {
                        try await onOwnThread { try store.maintenanceTurn.withLock { _ in try store.checkpoint() } }
                    }
                }
                done.cancel()
                return 0
            }
            group.addTask {
                try await onOwnThread {
                    var checks = 0
                    while !done.isCancelled || checks == 0 {
                        try IsolationTests.check(store, seriesCount)
                        checks += 1
                    }
                    return checks
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(checks > 0)
        try IsolationTests.check(store, seriesCount)
        #expect(store.blocks.all.count > 3)
    }

    private static func check(_ store: TSDB, _ seriesCount: Int) throws {
        let selections = [
            Selection(matchers: [.equal("__name__", "m")], range: .all),
            Selection(matchers: [try LabelMatcher(.regex, "i", ".*[02468]")], range: .all),
        ]
        let sets = try store.select(selections, cancellation: Cancellation())
        guard sets[0].count > 0 else { return }
        #expect(sets[0].count == seriesCount)
        #expect(sets[1].count == seriesCount / 2)
        var counts: Set<Int> = []
        for set in sets {
            for (labels, samples) in try set.all() {
                counts.insert(samples.count)
                let values = samples.map { Double(bitPattern: $0.bits) }
                #expect(values == (1...values.count).map(Double.init), "\(labels)")
            }
        }
        #expect(counts.count == 1, "\(counts)")
    }
}

/// Runs blocking work off the cooperative pool.
func onOwnThread<R: Sendable>(_ work: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        do {
            try SystemThread.start("test") { continuation.resume(with: Result { try work() }) }
        } catch {
            continuation.resume(throwing: error)
        }
    }
}
