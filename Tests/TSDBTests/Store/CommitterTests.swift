import OwnThreads
import SeriesModel
import StorageAPI
import Synchronization
import Testing

@testable import TSDB

@Suite("The committer")
struct CommitterTests {
    private final class Record: Sendable {
        let insideCount = Atomic(0)
        let overlapCount = Atomic(0)
        let committedCount = Atomic(0)
        /// On threads of our own: those that bring a batch, or the committer's.
        let strangerCount = Atomic(0)

        func enter() {
            if insideCount.add(1, ordering: .sequentiallyConsistent).newValue > 1 {
                overlapCount.add(1, ordering: .relaxed)
            }
            if !SystemThread.isCurrent { strangerCount.add(1, ordering: .relaxed) }
        }

        func leave() { insideCount.subtract(1, ordering: .sequentiallyConsistent) }

        func commit(_ batch: SampleBatch) -> Committer.Answer {
            enter()
            defer { leave() }
            committedCount.add(1, ordering: .relaxed)
            return .success(AppendResult())
        }
    }

    @Test("commits and performs one at a time, wherever they come from")
    func alone() async throws {
        let record = Record()
        let committer = try Committer(queuedMax: 10_000) { record.commit($0) }
        let threads = TaskThreads("bringing", count: 3)
        try await withThrowingTaskGroup { group in
            for number in 0..<40 {
                let bring: @Sendable () async throws -> Void = {
                    for _ in 0..<50 { _ = try await committer.append(SampleBatch()) }
                }
                if number % 4 == 0 {
                    group.addTask(operation: bring)
                } else {
                    group.addTask(executorPreference: threads, operation: bring)
                }
            }
            group.addTask(executorPreference: threads) {
                for _ in 0..<50 {
                    try committer.perform {
                        record.enter()
                        record.leave()
                    }
                }
            }
            try await group.waitForAll()
        }
        committer.close()
        #expect(record.committedCount.load(ordering: .relaxed) == 2000)
        #expect(record.overlapCount.load(ordering: .relaxed) == 0)
        #expect(record.strangerCount.load(ordering: .relaxed) == 0)
    }

    @Test("closing waits for the batch that a thread commits by itself, and refuses later ones")
    func closing() async throws {
        let (isInside, mayLeave) = (Monitor(false), Monitor(false))
        let committer = try Committer(queuedMax: 10) { _ in
            isInside.change { $0 = true }
            _ = mayLeave.wait(milliseconds: 60_000) { $0 ? () : nil }
            return .success(AppendResult())
        }
        let threads = TaskThreads("bringing", count: 2)
        let append = Task(executorPreference: threads) { _ = try await committer.append(SampleBatch()) }
        let isClosed = Mutex(false)
        let close = Task(executorPreference: threads) {
            _ = isInside.wait(milliseconds: 60_000) { $0 ? () : nil }
            committer.close()
            isClosed.withLock { $0 = true }
        }
        _ = isInside.wait(milliseconds: 60_000) { $0 ? () : nil }
        #expect(!isClosed.withLock { $0 })
        mayLeave.change { $0 = true }
        try await append.value
        await close.value
        await #expect(throws: StorageError.closed) { try await committer.append(SampleBatch()) }
    }
}
