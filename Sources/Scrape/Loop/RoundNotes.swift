/// What was said of a few lines in the last kept round, by entry: what says the same again is no news.
struct RoundNotes<Value: Equatable & Sendable>: Sendable {
    private var last: [UInt32: Value] = [:]
    private var current: [UInt32: Value] = [:]

    /// - Returns: whether it is another value than in the last kept round.
    mutating func note(_ index: Int, _ value: Value) -> Bool {
        let key = UInt32(truncatingIfNeeded: index)
        current[key] = value
        return last[key] != value
    }

    mutating func beginRound() {
        if !current.isEmpty { current.removeAll(keepingCapacity: true) }
    }

    mutating func commit() { swap(&last, &current) }

    /// Everything is news again.
    mutating func forget() { last.removeAll() }
}
