import SeriesModel

/// The buckets of a chunk and of a sample that is to join it, brought together, on one side of zero.
struct SideMerge {
    /// Where each bucket of the union stands in the chunk's counts; -1 where the chunk does not have it.
    private(set) var inChunk: [Int] = []
    /// As `inChunk`, in the sample's counts.
    private(set) var inSample: [Int] = []
    /// The union, in as few spans as possible.
    private(set) var spans: [NativeHistogram.Span] = []
    private(set) var chunkLacksBuckets = false
    private(set) var sampleLacksBuckets = false

    /// - Parameters:
    ///   - chunk: the newest sample of the chunk, which has the chunk's buckets.
    ///   - sample: the next one.
    init(_ chunk: HistogramSide, _ sample: HistogramSide) {
        let (a, b) = (SideMerge.indexes(chunk), SideMerge.indexes(sample))
        var (i, j) = (0, 0)
        var last: Int?
        while i < a.count || j < b.count {
            let isInChunk = i < a.count && (j == b.count || a[i] <= b[j])
            let isInSample = j < b.count && (i == a.count || b[j] <= a[i])
            let index = isInChunk ? a[i] : b[j]
            inChunk.append(isInChunk ? i : -1)
            inSample.append(isInSample ? j : -1)
            chunkLacksBuckets = chunkLacksBuckets || !isInChunk
            sampleLacksBuckets = sampleLacksBuckets || !isInSample
            append(index, after: last)
            last = index
            if isInChunk { i += 1 }
            if isInSample { j += 1 }
        }
    }

    private mutating func append(_ index: Int, after last: Int?) {
        if let last, index == last + 1 {
            spans[spans.count - 1].length += 1
        } else {
            let offset = last.map { index - $0 - 1 } ?? index
            spans.append(NativeHistogram.Span(offset: Int32(clamping: offset), length: 1))
        }
    }

    /// The index of each count.
    private static func indexes(_ side: HistogramSide) -> [Int] {
        var indexes: [Int] = []
        indexes.reserveCapacity(side.counts.count)
        var next = 0
        for span in side.spans {
            next += Int(span.offset)
            for _ in 0..<min(Int(span.length), side.counts.count - indexes.count) {
                indexes.append(next)
                next += 1
            }
        }
        return indexes
    }

    /// Whether a bucket holds less than before, or one that held something is gone.
    func isReset(_ chunk: [Double], _ sample: [Double]) -> Bool {
        for (before, now) in zip(inChunk, inSample) where before >= 0 {
            if now >= 0 ? chunk[before] > sample[now] : chunk[before] != 0 { return true }
        }
        return false
    }

    /// The counts in the union's buckets.
    /// - Parameter positions: `inChunk` or `inSample`, whichever the counts belong to.
    static func spread(_ counts: [Double], _ positions: [Int]) -> [Double] {
        positions.map { $0 < 0 ? 0 : counts[$0] }
    }
}
