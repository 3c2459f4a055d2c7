import OwnThreads
import StorageAPI
import StorageFiles

/// What a replay has read, on its way from the thread that reads and decodes to the one that applies: each has a core.
///
/// Items travel by the hundred, as waking a thread costs more than decoding a small batch, and used batches travel back:
/// their arrays serve again. Few are under way at a time, so that memory does not grow with the log.
final class ReplayQueue: Sendable {
    enum Item: Sendable {
        case batch(LSN, LogBatch)
        /// Of a checkpoint. What is not understood of a damaged one is left out.
        case record(LogFormat.RecordType, [UInt8], isDamaged: Bool)
    }

    private struct State {
        var ready: [[Item]] = []
        var used: [[Item]] = []
        var isGivenUp = false
        var result: Result<ReplayReport, any Error>?
    }

    private static let chunksMax = 4

    private let state = Monitor(State())

    // MARK: - The side that reads

    /// Hands items on, once there is room. - Returns: a chunk that was used; nil where nobody wants any more.
    func push(_ items: [Item]) -> [Item]? {
        let isWanted = state.wait { state in
            state.isGivenUp ? false : state.ready.count < ReplayQueue.chunksMax ? true : nil
        }
        guard isWanted else { return nil }
        return state.change { state in
            state.ready.append(items)
            return state.used.popLast() ?? []
        }
    }

    func finish(_ result: Result<ReplayReport, any Error>) {
        state.change { $0.result = result }
    }

    // MARK: - The side that applies

    /// Gives what was read to the bodies, in order, until all of it has come.
    /// - Throws: what the bodies throw, or what kept the other side from reading; that side has ended then.
    func drain(
        restore: (LogFormat.RecordType, [UInt8]) throws -> Void, apply: (LSN, LogBatch) throws -> Void
    ) throws -> ReplayReport {
        do {
            while let items = next() {
                for item in items { try ReplayQueue.give(item, restore, apply) }
                state.change { $0.used.append(items) }
            }
        } catch {
            state.change { state in
                state.isGivenUp = true
                state.ready = []
            }
            // It may be in the midst of a repair.
            _ = state.wait { $0.result }
            throw error
        }
        return try state.wait { $0.result }.get()
    }

    /// - Returns: nil after the last.
    private func next() -> [Item]? {
        let items: [Item]? = state.wait { state in
            if !state.ready.isEmpty { return .some(state.ready.removeFirst()) }
            return state.result == nil ? nil : .some(nil)
        }
        // Who waits for room is told.
        if items != nil { state.change { _ in } }
        return items
    }

    private static func give(
        _ item: Item, _ restore: (LogFormat.RecordType, [UInt8]) throws -> Void,
        _ apply: (LSN, LogBatch) throws -> Void
    ) throws {
        switch item {
        case .batch(let lsn, let batch): try apply(lsn, batch)
        case .record(let type, let payload, let isDamaged):
            do {
                try restore(type, payload)
            } catch let error as StorageError {
                guard isDamaged, case .corruption = error else { throw error }
            }
        }
    }
}
