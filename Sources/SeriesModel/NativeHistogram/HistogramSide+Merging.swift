extension HistogramSide {
    /// The buckets in a lower resolution: each takes in those that lie within it.
    /// - Parameter steps: how much lower the schema is; each step halves the number of buckets.
    func reduced(by steps: Int) -> HistogramSide {
        if steps <= 0 { return self }
        var out = HistogramSide()
        out.counts.reserveCapacity(counts.count)
        var last: Int?
        forEach { index, count in
            let target = HistogramSide.reducedIndex(index, by: steps)
            if target == last, !out.counts.isEmpty {
                out.counts[out.counts.count - 1] += count
            } else {
                out.append(count, at: target, last: last)
                last = target
            }
            return true
        }
        return out
    }

    /// Bucket i covers (bound(i - 1), bound(i)], so what is halved is the index counted from below.
    @inline(__always)
    static func reducedIndex(_ index: Int, by steps: Int) -> Int { ((index - 1) >> steps) + 1 }

    /// Walks over the buckets of two sides in index order, each index once.
    /// - Parameter body: gets an index and the buckets' positions in the counts of the one and the other side.
    @inline(__always)
    static func walkUnion(
        _ a: HistogramSide, _ b: HistogramSide, _ body: (_ index: Int, _ inA: Int?, _ inB: Int?) -> Void
    ) {
        var left = Cursor(a)
        var right = Cursor(b)
        var nextLeft = left.next()
        var nextRight = right.next()
        while true {
            switch (nextLeft, nextRight) {
            case (nil, nil): return
            case (let x?, nil):
                body(x.index, x.position, nil)
                nextLeft = left.next()
            case (nil, let y?):
                body(y.index, nil, y.position)
                nextRight = right.next()
            case (let x?, let y?):
                body(
                    min(x.index, y.index), x.index <= y.index ? x.position : nil, y.index <= x.index ? y.position : nil)
                if x.index <= y.index { nextLeft = left.next() }
                if y.index <= x.index { nextRight = right.next() }
            }
        }
    }

    /// Adds the other side's counts; buckets that are missing here are put in.
    /// - Parameter sign: 1, or -1 to subtract.
    mutating func add(_ other: HistogramSide, sign: Double) {
        if other.counts.isEmpty { return }
        if spans == other.spans, counts.count == other.counts.count {
            for index in counts.indices { counts[index] += sign * other.counts[index] }
            return
        }
        var out = HistogramSide()
        out.counts.reserveCapacity(counts.count + other.counts.count)
        var last: Int?
        HistogramSide.walkUnion(self, other) { index, inA, inB in
            var count = inA.map { counts[$0] } ?? 0
            if let inB {
                let added = sign * other.counts[inB]
                count = inA == nil ? added : count + added
            }
            out.append(count, at: index, last: last)
            last = index
        }
        self = out
    }

    /// Without the buckets whose upper bound (as an absolute value) is at most the threshold.
    func above(_ threshold: Double, schema: Int32) -> HistogramSide {
        var isTouched = false
        forEach { index, _ in
            isTouched = HistogramBounds.exponential(index, schema: schema) <= threshold
            return false
        }
        if !isTouched { return self }
        var out = HistogramSide()
        var last: Int?
        forEach { index, count in
            if HistogramBounds.exponential(index, schema: schema) > threshold {
                out.append(count, at: index, last: last)
                last = index
            }
            return true
        }
        return out
    }
}
