/// Calls that wait for their time, the first one on top: a binary heap.
struct CallHeap {
    typealias Instant = ContinuousClock.Instant

    private struct Call {
        let deadline: Instant
        let body: @Sendable () -> Void
    }

    private var calls: [Call] = []

    var first: Instant? { calls.first?.deadline }

    /// - Returns: whether it comes before all others.
    mutating func add(at deadline: Instant, _ body: @escaping @Sendable () -> Void) -> Bool {
        calls.append(Call(deadline: deadline, body: body))
        var index = calls.count - 1
        while index > 0, calls[(index - 1) / 2].deadline > calls[index].deadline {
            calls.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
        return index == 0
    }

    mutating func popDue(now: Instant) -> [@Sendable () -> Void] {
        var due: [@Sendable () -> Void] = []
        while let first = calls.first, first.deadline <= now {
            removeFirst()
            due.append(first.body)
        }
        return due
    }

    private mutating func removeFirst() {
        calls.swapAt(0, calls.count - 1)
        calls.removeLast()
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < calls.count {
                if calls[child].deadline < calls[least].deadline { least = child }
            }
            if least == index { return }
            calls.swapAt(index, least)
            index = least
        }
    }
}
