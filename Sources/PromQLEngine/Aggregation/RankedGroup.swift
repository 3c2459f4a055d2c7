import SeriesModel

/// The members of one group of topk or bottomk that are kept so far: at each step a heap of at most k, whose root is the
/// first to go. Memory is k × steps, however many members pass.
struct RankedGroup {
    private struct Ranked {
        /// An index into `labels`.
        var member: Int
        var value: Double
    }

    private let isTop: Bool
    /// k for each step.
    private let counts: [Int]
    private var heaps: [ContiguousArray<Ranked>]
    /// Of the members that were kept at some time.
    private var members: [(labels: LabelSet, dropsName: Bool)] = []
    private var heldPoints = 0
    private var heldBytes = 0

    init(isTop: Bool, counts: [Int]) {
        self.isTop = isTop
        self.counts = counts
        heaps = [ContiguousArray<Ranked>](repeating: [], count: counts.count)
    }

    /// - Throws: `QueryError.tooLarge`
    mutating func add(_ series: VectorSeries, _ context: EvaluationContext) throws(QueryError) {
        let member = members.count
        members.append((series.labels, series.dropsName))
        var isKept = false
        var grown = 0
        series.column.present.forEach { step in
            let new = Ranked(member: member, value: series.column.values[step])
            let count = heaps[step].count
            if count < counts[step] {
                heaps[step].append(new)
                siftUp(step, count)
                grown += 1
                isKept = true
            } else if count > 0, precedes(new, heaps[step][0]) {
                heaps[step][0] = new
                siftDown(step, 0)
                isKept = true
            }
        }
        if !isKept {
            members.removeLast()
            return
        }
        let bytes = grown * MemoryLayout<Ranked>.stride + series.labels.packed.count
        try context.hold(grown, bytes: bytes)
        heldPoints += grown
        heldBytes += bytes
    }

    func release(_ context: EvaluationContext) { context.release(heldPoints, bytes: heldBytes) }

    /// The members, each at the steps where it was kept; at one step alone in the order of their values.
    var series: [VectorSeries] {
        var columns = [Column?](repeating: nil, count: members.count)
        for step in heaps.indices {
            for ranked in heaps[step] {
                columns[ranked.member, default: Column(count: counts.count)].set(step, ranked.value)
            }
        }
        var order = Array(members.indices)
        if heaps.count == 1 { order = heaps[0].sorted { precedes($0, $1) }.map(\.member) }
        return order.compactMap { member in
            columns[member].map {
                VectorSeries(labels: members[member].labels, dropsName: members[member].dropsName, column: $0)
            }
        }
    }

    /// The greater (or less) first, then NaN; of equal ones the first in label order, as upstream meets it.
    private func precedes(_ a: Ranked, _ b: Ranked) -> Bool {
        let (x, y) = (a.value, b.value)
        if x.isNaN || y.isNaN, x.isNaN != y.isNaN { return y.isNaN }
        if x == y || x.isNaN {
            let (first, second) = (members[a.member].labels, members[b.member].labels)
            return first == second ? a.member < b.member : first < second
        }
        return isTop ? x > y : x < y
    }

    // MARK: Heaps

    private mutating func siftUp(_ step: Int, _ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            // The root is the last in rank.
            guard precedes(heaps[step][parent], heaps[step][index]) else { return }
            heaps[step].swapAt(parent, index)
            index = parent
        }
    }

    private mutating func siftDown(_ step: Int, _ start: Int) {
        var index = start
        while true {
            var last = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < heaps[step].count && precedes(heaps[step][last], heaps[step][child]) {
                last = child
            }
            if last == index { return }
            heaps[step].swapAt(index, last)
            index = last
        }
    }
}

extension Array {
    /// The element at an index, which is there from then on.
    fileprivate subscript<Wrapped>(index: Int, default value: @autoclosure () -> Wrapped) -> Wrapped
    where Element == Wrapped? {
        get { self[index] ?? value() }
        set { self[index] = newValue }
    }
}
