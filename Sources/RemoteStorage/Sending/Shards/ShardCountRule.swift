import SeriesModel

#if canImport(Glibc)
    import Glibc
#endif

/// How many shards a queue should have: as many as it takes to send what comes in and a twentieth of the backlog each
/// second, given how long sending a sample has taken of late. A value without clock and threads; the rule, its rates and
/// its constants are upstream's (storage/remote/queue_manager.go, ewma.go).
struct ShardCountRule: Sendable {
    /// How often it is asked. ms
    static let interval: Int64 = 10_000
    private static let tolerance = 0.3
    private static let backlogShare = 0.05
    /// So far behind, shards are not taken away. s
    private static let delayMax = 10.0

    /// What happened since it was asked last.
    struct Observation: Sendable {
        /// Rows that came into the log.
        var incoming = 0.0
        /// Rows that were delivered or refused.
        var outgoing = 0.0
        /// Rows that were left out before.
        var dropped = 0.0
        /// Seconds that shards together spent on sending.
        var sendingSeconds = 0.0
        /// How far the newest sample sent is behind the newest there is. s
        var delay = 0.0
    }

    struct Answer: Sendable, Equatable {
        var shardCount: Int
        /// Before bounds and tolerance; nil where nothing is known.
        var desired: Double?
    }

    /// An exponentially weighted average of events a second.
    private struct Rate: Sendable {
        private static let weight = 0.2
        private(set) var value = 0.0
        private var hasBegun = false

        mutating func add(_ events: Double) {
            let newest = events / (Double(ShardCountRule.interval) / 1000)
            if hasBegun {
                value += Rate.weight * (newest - value)
            } else if events > 0 {
                value = newest
                hasBegun = true
            }
        }
    }

    private let shardsMin: Int
    private let shardsMax: Int
    private var incoming = Rate()
    private var outgoing = Rate()
    private var dropped = Rate()
    private var sending = Rate()

    init(shardsMin: Int, shardsMax: Int) {
        self.shardsMin = shardsMin
        self.shardsMax = shardsMax
    }

    mutating func answer(to observation: Observation, shardCount: Int) -> Answer {
        incoming.add(observation.incoming)
        outgoing.add(observation.outgoing)
        dropped.add(observation.dropped)
        sending.add(observation.sendingSeconds)
        guard outgoing.value > 0 else { return Answer(shardCount: shardCount, desired: nil) }
        let kept = incoming.value * outgoing.value / (dropped.value + outgoing.value)
        let backlog = max(0, observation.delay) * kept
        let secondsPerRow = sending.value / outgoing.value
        let desired = secondsPerRow * (kept + ShardCountRule.backlogShare * backlog)
        let rounded = desired.rounded(.up)
        let current = Double(shardCount)
        let isNear = (current * (1 - ShardCountRule.tolerance)...current * (1 + ShardCountRule.tolerance))
            .contains(rounded)
        if isNear || (rounded < current && observation.delay > ShardCountRule.delayMax) {
            return Answer(shardCount: shardCount, desired: desired)
        }
        let whole = Int(clamping: Int64(clamping: rounded) ?? 0)
        return Answer(shardCount: min(max(whole, shardsMin), shardsMax), desired: desired)
    }
}
