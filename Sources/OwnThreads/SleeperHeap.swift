/// Tasks that sleep, the first to wake on top: a binary heap. The place of one that is cancelled stays until its time.
struct SleeperHeap {
    typealias Instant = ContinuousClock.Instant

    enum Added {
        /// Before it slept.
        case cancelled
        /// It wakes before all others.
        case first
        case later
    }

    private struct Place {
        let deadline: Instant
        let identifier: UInt64
    }

    private var places: [Place] = []
    private var continuations: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    /// Cancelled before they slept.
    private var cancelled: Set<UInt64> = []
    private var lastIdentifier: UInt64 = 0

    var first: Instant? { places.first?.deadline }

    mutating func makeIdentifier() -> UInt64 {
        lastIdentifier += 1
        return lastIdentifier
    }

    mutating func add(
        _ identifier: UInt64, until deadline: Instant, _ continuation: CheckedContinuation<Void, any Error>
    ) -> Added {
        if cancelled.contains(identifier) { return .cancelled }
        continuations[identifier] = continuation
        places.append(Place(deadline: deadline, identifier: identifier))
        var index = places.count - 1
        while index > 0, places[(index - 1) / 2].deadline > places[index].deadline {
            places.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
        return index == 0 ? .first : .later
    }

    /// - Returns: who has to be told; nil for who is not asleep yet, or no more.
    mutating func cancel(_ identifier: UInt64) -> CheckedContinuation<Void, any Error>? {
        if let continuation = continuations.removeValue(forKey: identifier) { return continuation }
        cancelled.insert(identifier)
        return nil
    }

    /// Nothing will be said of it any more.
    mutating func forget(_ identifier: UInt64) {
        if !cancelled.isEmpty { cancelled.remove(identifier) }
    }

    mutating func popDue(now: Instant) -> [CheckedContinuation<Void, any Error>] {
        var due: [CheckedContinuation<Void, any Error>] = []
        while let first = places.first, first.deadline <= now {
            removeFirst()
            if let continuation = continuations.removeValue(forKey: first.identifier) { due.append(continuation) }
        }
        return due
    }

    private mutating func removeFirst() {
        places.swapAt(0, places.count - 1)
        places.removeLast()
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < places.count {
                if places[child].deadline < places[least].deadline { least = child }
            }
            if least == index { return }
            places.swapAt(index, least)
            index = least
        }
    }
}
