import SeriesModel
import Synchronization

/// What a queue's threads and tasks tell the resharding and the metrics: counts since they were taken last, and how far it
/// has come.
final class QueueProgress: Sendable {
    private struct State {
        var rowsRead = 0.0
        var recordsRead: UInt64 = 0
        var outgoing = 0.0
        var dropped = 0.0
        var sendingSeconds = 0.0
        /// Of the log, when the counts were taken last; nil where it was not known.
        var newestRecord: UInt64?
        /// ms
        var highestRead: Timestamp = 0
        var highestSent: Timestamp = 0
        /// By the wall clock. ms
        var lastSend: Timestamp?
        var noReshardingBefore: Timestamp = 0
    }

    private let state = Mutex(State())

    /// A record has been read.
    func read(rows: Int, dropped: Int, newest: Timestamp) {
        state.withLock { state in
            state.rowsRead += Double(rows + dropped)
            state.recordsRead += 1
            state.dropped += Double(dropped)
            state.highestRead = max(state.highestRead, newest)
        }
    }

    /// Rows have left, whatever became of them.
    func left(rows: Int, after duration: Duration) {
        let parts = duration.components
        state.withLock { state in
            state.outgoing += Double(rows)
            state.sendingSeconds += Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
        }
    }

    func sent(newest: Timestamp, at now: Timestamp) {
        state.withLock { state in
            state.highestSent = max(state.highestSent, newest)
            state.lastSend = now
        }
    }

    /// More shards would not help somebody who asks for patience.
    func disableResharding(until time: Timestamp) {
        state.withLock { $0.noReshardingBefore = max($0.noReshardingBefore, time) }
    }

    /// Whether resharding makes sense: something was sent of late, and nobody asked for patience.
    func allowsResharding(at now: Timestamp, lastSendWithin milliseconds: Int64) -> Bool {
        state.withLock { state in
            guard let last = state.lastSend else { return false }
            return now.subtractingClamped(last) <= milliseconds && now >= state.noReshardingBefore
        }
    }

    /// Takes the counts since the last time.
    /// - Parameter newestRecord: of the log; nil where it is not open just now. What comes in is reckoned by it, since the
    ///   reader reads no faster than is sent.
    func take(newestRecord: UInt64?, newestTimestamp: Timestamp?) -> ShardCountRule.Observation {
        state.withLock { state in
            var observation = ShardCountRule.Observation()
            var records = state.recordsRead
            if let last = state.newestRecord, let newestRecord, newestRecord >= last { records = newestRecord - last }
            if state.recordsRead > 0 {
                observation.incoming = state.rowsRead / Double(state.recordsRead) * Double(records)
            }
            observation.outgoing = state.outgoing
            observation.dropped = state.dropped
            observation.sendingSeconds = state.sendingSeconds
            let highest = max(state.highestRead, newestTimestamp ?? 0)
            observation.delay = Double(highest.subtractingClamped(state.highestSent)) / 1000
            state.newestRecord = newestRecord
            state.rowsRead = 0
            state.recordsRead = 0
            state.outgoing = 0
            state.dropped = 0
            state.sendingSeconds = 0
            return observation
        }
    }

    var highestSent: Timestamp { state.withLock { $0.highestSent } }
    var highestRead: Timestamp { state.withLock { $0.highestRead } }
}
