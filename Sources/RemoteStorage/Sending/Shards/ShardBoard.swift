import OwnThreads
import StorageAPI

/// Rows on their way from the log's reader to the shards that send them: for each shard an open batch that grows, a few
/// full ones, and the one that is being sent. What does not fit has the reader wait: the log holds the backlog.
///
/// A series' rows are all in one shard, which has one batch under way at a time; so they arrive in order. What is released
/// in the log is the exact minimum over all shards: each knows the record of the first row that it still has.
final class ShardBoard: Sendable {
    enum Phase: Sendable {
        case running
        /// All is sent, then shards end; the reader waits for new ones.
        case draining
        /// All is sent, then shards end; the reader gives up.
        case stopping
        /// Nothing more is sent.
        case closed
    }

    typealias Taker = CheckedContinuation<SampleRows?, Never>

    private struct Shard {
        var open = SampleRows()
        /// Oldest first.
        var full: [SampleRows] = []
        /// The first record of the batch that is being sent.
        var underWay: UInt64?
        var taker: Taker?

        /// The first record of which a row is here.
        var oldest: UInt64? {
            if let underWay { return underWay }
            if let first = full.first { return first.firstRecord }
            return open.isEmpty ? nil : open.firstRecord
        }
    }

    private struct State {
        var phase = Phase.running
        var shards: [Shard] = []
        /// Batches with memory to use again.
        var spare: [SampleRows] = []
        /// All rows of records up to it are with shards.
        var distributed: UInt64 = 0
        var released: UInt64 = 0
        var tick: UInt64 = 0
        var pending = SampleRows.Counts()
        var tail: (any CommitTail)?
    }

    /// An open batch is sent once it has waited for so many ticks.
    static let ticksPerDeadline: UInt64 = 8

    private let state: Monitor<State>
    private let rowsMax: Int
    private let fullMax: Int

    /// - Parameters:
    ///   - rowsMax: of a batch.
    ///   - capacity: rows that may wait in a shard beside the open batch; one batch always may.
    init(shardCount: Int, rowsMax: Int, capacity: Int) {
        self.rowsMax = rowsMax
        fullMax = max(1, capacity / max(1, rowsMax))
        var state = State()
        state.shards = [Shard](repeating: Shard(), count: shardCount)
        self.state = Monitor(state)
    }

    /// Where deliveries are noted; rows of records up to `released` are known to be delivered.
    func use(_ tail: any CommitTail) {
        state.withState { $0.tail = tail }
    }

    // MARK: Reader

    /// Hands a record's rows to the shards. Blocks while a shard is full.
    /// - Parameter onWait: called when the reader has to wait, at each try.
    /// - Returns: false where the shards are stopping; then part of the rows may have been taken.
    func distribute(_ rows: RecordRows, record: UInt64, onWait: () -> Void) -> Bool {
        var next = RecordRows.Position()
        return state.wait { state -> Bool? in
            switch state.phase {
            case .stopping, .closed: return false
            case .draining: return nil
            case .running: break
            }
            guard place(rows, record, &next, &state) else {
                onWait()
                return nil
            }
            state.distributed = record
            release(&state)
            return true
        }
    }

    /// - Returns: false where a shard is full.
    private func place(
        _ rows: RecordRows, _ record: UInt64, _ next: inout RecordRows.Position, _ state: inout State
    ) -> Bool {
        let count = UInt32(state.shards.count)
        while next.row < rows.slots.count {
            let shard = Int(rows.hashes[next.row] % count)
            guard makeRoom(shard, &state) else { return false }
            let isHistogram =
                next.histogram < rows.histogramRows.count && rows.histogramRows[next.histogram] == next.row
            if isHistogram {
                state.shards[shard].open.append(
                    slot: rows.slots[next.row], rows.timestamps[next.row], rows.histograms[next.histogram],
                    record: record)
                next.histogram += 1
                state.pending.histograms += 1
            } else {
                state.shards[shard].open.append(
                    slot: rows.slots[next.row], rows.timestamps[next.row], rows.values[next.row], record: record)
                state.pending.samples += 1
            }
            next.row += 1
            closeIfFull(shard, &state)
        }
        while next.exemplar < rows.exemplars.count {
            let shard = Int(rows.exemplarHashes[next.exemplar] % count)
            guard makeRoom(shard, &state) else { return false }
            state.shards[shard].open.append(rows.exemplars[next.exemplar], record: record)
            state.pending.exemplars += 1
            next.exemplar += 1
            closeIfFull(shard, &state)
        }
        return true
    }

    @inline(__always)
    private func makeRoom(_ shard: Int, _ state: inout State) -> Bool {
        if state.shards[shard].open.count < rowsMax {
            if state.shards[shard].open.isEmpty { state.shards[shard].open.openedAt = state.tick }
            return true
        }
        guard state.shards[shard].full.count < fullMax else { return false }
        moveOpen(shard, &state)
        state.shards[shard].open.openedAt = state.tick
        return true
    }

    @inline(__always)
    private func closeIfFull(_ shard: Int, _ state: inout State) {
        if state.shards[shard].open.count >= rowsMax { offer(shard, &state) }
    }

    /// The open batch becomes a full one.
    private func moveOpen(_ shard: Int, _ state: inout State) {
        var fresh = state.spare.popLast() ?? SampleRows()
        fresh.openedAt = state.tick
        swap(&state.shards[shard].open, &fresh)
        state.shards[shard].full.append(fresh)
    }

    /// Gives a shard that waits its next batch, if there is one that is due.
    private func offer(_ shard: Int, _ state: inout State) {
        guard let taker = state.shards[shard].taker, let rows = take(shard, &state) else { return }
        state.shards[shard].taker = nil
        taker.resume(returning: rows)
    }

    private func take(_ shard: Int, _ state: inout State) -> SampleRows? {
        let flushes = state.phase == .draining || state.phase == .stopping
        if state.shards[shard].full.isEmpty {
            let isDue =
                flushes || state.shards[shard].open.count >= rowsMax
                || state.tick &- state.shards[shard].open.openedAt >= ShardBoard.ticksPerDeadline
            guard !state.shards[shard].open.isEmpty, isDue else { return nil }
            moveOpen(shard, &state)
        }
        let rows = state.shards[shard].full.removeFirst()
        state.shards[shard].underWay = rows.firstRecord
        return rows
    }

    // MARK: Shards

    /// The next batch; waits for one that is full or has waited long enough. One caller a shard at a time.
    /// - Returns: nil where the shard ends.
    func next(_ shard: Int) async -> SampleRows? {
        await withCheckedContinuation { (continuation: Taker) in
            state.change { state in
                guard state.phase != .closed else { return continuation.resume(returning: nil) }
                if let rows = take(shard, &state) { return continuation.resume(returning: rows) }
                guard state.phase == .running else { return continuation.resume(returning: nil) }
                state.shards[shard].taker = continuation
            }
        }
    }

    /// The batch under way has been delivered, or dropped for good.
    /// - Parameters:
    ///   - counts: of what was taken.
    ///   - rows: its memory is used again.
    func finish(_ shard: Int, _ counts: SampleRows.Counts, _ rows: SampleRows) {
        var rows = rows
        rows.removeAll()
        state.change { state in
            state.shards[shard].underWay = nil
            state.pending = state.pending - counts
            if state.spare.count < 2 * state.shards.count { state.spare.append(rows) }
            release(&state)
        }
    }

    private func release(_ state: inout State) {
        var through = state.distributed
        for shard in state.shards {
            if let oldest = shard.oldest { through = min(through, oldest &- 1) }
        }
        guard through > state.released else { return }
        state.released = through
        state.tail?.release(through: through)
    }

    // MARK: Owner

    /// A part of the deadline has passed: what is due is sent.
    func advanceTick() {
        state.withState { state in
            state.tick &+= 1
            for shard in state.shards.indices where state.shards[shard].taker != nil { offer(shard, &state) }
        }
    }

    /// What has waited is sent, and shards end when they have nothing left; or at once, where that is closed.
    func enter(_ phase: Phase) {
        state.change { state in
            guard state.phase != .closed else { return }
            state.phase = phase
            for shard in state.shards.indices {
                guard let taker = state.shards[shard].taker else { continue }
                state.shards[shard].taker = nil
                taker.resume(returning: phase == .closed ? nil : take(shard, &state))
            }
        }
    }

    /// Begins anew with so many shards, after all have ended.
    /// - Returns: false where the board is stopping meanwhile.
    func restart(shardCount: Int) -> Bool {
        state.change { state in
            guard state.phase == .draining else { return false }
            state.shards = [Shard](repeating: Shard(), count: shardCount)
            state.phase = .running
            return true
        }
    }

    var pending: SampleRows.Counts { state.withState { $0.pending } }

    /// All rows of records up to it have been delivered or dropped.
    var released: UInt64 { state.withState { $0.released } }
}
