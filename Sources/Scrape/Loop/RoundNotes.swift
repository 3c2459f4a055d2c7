/// What was said of a line in the last kept round, by entry: what says the same again is no news. A line of which nothing was
/// said in a round has nothing to compare with in the next.
struct RoundNotes<Value: Equatable & Sendable>: Sendable {
    private struct Note: Sendable {
        var value: Value
        /// The last round that said it.
        var round: UInt32
    }

    /// Empty until something is said; as long as the highest entry of which something was.
    private var notes: [Note?] = []
    private var round: UInt32 = 1
    /// The last round that was kept; what was said in the one after it, and not kept, counts as well as nothing.
    private var keptRound: UInt32 = 0

    /// - Returns: whether it is another value than in the last kept round.
    mutating func note(_ index: Int, _ value: Value) -> Bool {
        if index >= notes.count { notes += [Note?](repeating: nil, count: index + 1 - notes.count) }
        let isSame = notes[index].map { $0.value == value && $0.round == keptRound } ?? false
        notes[index] = Note(value: value, round: round)
        return !isSame
    }

    mutating func beginRound() { round &+= 1 }

    mutating func commit() { keptRound = round }

    /// Everything is news again.
    mutating func forget() { notes.removeAll() }
}
