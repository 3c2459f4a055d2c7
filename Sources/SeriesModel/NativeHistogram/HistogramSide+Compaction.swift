extension HistogramSide {
    /// Drops empty buckets, except where at most `emptyBucketsMax` of them lie between populated ones: those are kept
    /// or, in a gap, put in. The spans come out sorted, non-empty and not adjacent.
    mutating func compact(emptyBucketsMax: Int = 0) {
        if isCompact, emptyBucketsMax == 0 { return }
        var out = HistogramSide()
        out.counts.reserveCapacity(counts.count)
        var last: Int?
        forEach { index, count in
            // A NaN is no empty bucket.
            if count == 0 { return true }
            // Unsound spans may lead backwards.
            if let before = last, index > before, index - before - 1 <= emptyBucketsMax {
                for filler in before + 1..<index {
                    out.append(0, at: filler, last: last)
                    last = filler
                }
            }
            out.append(count, at: index, last: last)
            last = index
            return true
        }
        self = out
    }

    private var isCompact: Bool {
        if counts.contains(0) { return false }
        var isFirst = true
        for span in spans {
            if span.length == 0 || (span.offset == 0 && !isFirst) { return false }
            isFirst = false
        }
        return true
    }
}

extension NativeHistogram {
    /// Drops empty buckets at both ends of spans, and inside them where more than `emptyBucketsMax` lie together; joins
    /// spans that are at most so far apart.
    package mutating func compact(emptyBucketsMax: Int = 0) {
        positive.compact(emptyBucketsMax: emptyBucketsMax)
        negative.compact(emptyBucketsMax: emptyBucketsMax)
    }
}
