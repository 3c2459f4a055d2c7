import SeriesModel

/// When a group is evaluated: at fixed times, `interval` apart, moved by an offset that only depends on the group, so
/// that groups do not all start at the full minute and a restart changes nothing.
struct RuleSchedule: Sendable {
    /// ms, > 0
    let interval: Int64
    let offset: Int64

    init(key: String, interval: Int64) {
        self.interval = max(1, interval)
        let hash = StableHash.hash(Array(key.utf8))
        offset = Int64(truncatingIfNeeded: hash % UInt64(self.interval))
    }

    /// The newest evaluation time that is not after `now`.
    func slot(before now: Timestamp) -> Timestamp {
        let shifted = now.subtractingClamped(offset)
        let rest = shifted % interval
        return now.subtractingClamped(rest < 0 ? rest + interval : rest)
    }

    /// How many evaluations after the one due were slept through.
    func missed(due: Timestamp, now: Timestamp) -> Int64 {
        max(0, now.subtractingClamped(due) / interval)
    }
}
