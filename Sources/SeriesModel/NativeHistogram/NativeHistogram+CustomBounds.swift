extension NativeHistogram {
    /// The bounds that two ascending lists have in common.
    static func sharedBounds(_ a: [Double], _ b: [Double]) -> [Double] {
        var shared: [Double] = []
        var i = 0
        var j = 0
        while i < a.count, j < b.count {
            if a[i] == b[j] {
                shared.append(a[i])
                i += 1
                j += 1
            } else if a[i] < b[j] {
                i += 1
            } else {
                j += 1
            }
        }
        return shared
    }
}

extension HistogramSide {
    /// A side from one count for each index from 0; empty buckets are left out.
    init(dense counts: [Double]) {
        self.init()
        var last: Int?
        for (index, count) in counts.enumerated() where count != 0 {
            append(count, at: index, last: last)
            last = index
        }
    }

    /// Where in coarser bounds, all of which are among the fine ones, the bucket of a fine bound lies.
    static func target(of index: Int, in bounds: [Double], among shared: [Double], from start: Int) -> Int {
        guard bounds.indices.contains(index) else { return shared.count }
        var target = start
        while target < shared.count, shared[target] < bounds[index] { target += 1 }
        return target
    }

    /// The counts of custom buckets in coarser bounds, one for each of those and the last up to +Inf.
    func counts(mappedFrom bounds: [Double], to shared: [Double]) -> [Double] {
        var mapped = [Double](repeating: 0, count: shared.count + 1)
        var target = 0
        forEach { index, count in
            target = HistogramSide.target(of: index, in: bounds, among: shared, from: target)
            mapped[target] += count
            return true
        }
        return mapped
    }
}
