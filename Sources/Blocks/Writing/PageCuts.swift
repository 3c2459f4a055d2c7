import SeriesModel

/// Where the samples of a series are cut into pages: at instants that follow from the block's range, so that series of
/// one scrape are cut alike, whenever they began.
///
/// The range is halved until a piece holds at most 1,024 samples at the spacing that is usual in the series. A piece that
/// holds more (a burst) is halved further. All pieces are dyadic parts of the range.
struct PageCuts {
    private let start: Timestamp
    /// Of the range. ms
    private let length: UInt64
    private let samplesMax: Int

    /// - Parameter range: the end is excluded; not empty. ms
    init(_ range: TimeRange, samplesMax: Int) {
        start = range.min
        length = max(1, UInt64(bitPattern: range.max &- range.min))
        self.samplesMax = samplesMax
    }

    /// Appends the number of samples of each page.
    /// - Parameter timestamps: strictly ascending, within the range.
    func cut(_ timestamps: UnsafeBufferPointer<Timestamp>, into counts: inout [Int]) {
        guard timestamps.count > 1 else {
            if timestamps.count == 1 { counts.append(1) }
            return
        }
        var depth = depth(spacing: PageCuts.usualSpacing(timestamps))
        // Pairs of samples close together would make a page of every pair.
        while depth > 0, pieces(timestamps, depth) > 2 + timestamps.count * 8 / samplesMax { depth -= 1 }
        cut(timestamps, 0..<timestamps.count, depth, &counts)
    }

    private func cut(
        _ timestamps: UnsafeBufferPointer<Timestamp>, _ range: Range<Int>, _ depth: Int, _ counts: inout [Int]
    ) {
        var first = range.lowerBound
        while first < range.upperBound {
            let end = end(of: timestamps, from: first, to: range.upperBound, depth)
            if end - first <= samplesMax {
                counts.append(end - first)
            } else {
                // Timestamps differ: pieces of a few ms hold a few samples.
                cut(timestamps, first..<end, depth + 1, &counts)
            }
            first = end
        }
    }

    /// Which piece holds a time, if the range is halved so often.
    private func piece(_ timestamp: Timestamp, _ depth: Int) -> UInt64 {
        let distance = UInt64(bitPattern: timestamp &- start)
        if depth == 0 { return 0 }
        let (high, low) = (distance >> UInt64(64 - depth), distance << UInt64(depth))
        return length.dividingFullWidth((high, low)).quotient
    }

    private func end(
        of timestamps: UnsafeBufferPointer<Timestamp>, from first: Int, to end: Int, _ depth: Int
    ) -> Int {
        let piece = piece(timestamps[first], depth)
        var (low, high) = (first + 1, end)
        while low < high {
            let middle = (low + high) / 2
            if self.piece(timestamps[middle], depth) == piece { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func pieces(_ timestamps: UnsafeBufferPointer<Timestamp>, _ depth: Int) -> Int {
        var pieces = 0
        var first = 0
        while first < timestamps.count {
            first = end(of: timestamps, from: first, to: timestamps.count, depth)
            pieces += 1
        }
        return pieces
    }

    private func depth(spacing: UInt64) -> Int {
        var depth = 0
        while depth < 63, (length >> UInt64(depth)) / spacing > UInt64(samplesMax) { depth += 1 }
        return depth
    }

    /// The median of some of the distances. ms
    private static func usualSpacing(_ timestamps: UnsafeBufferPointer<Timestamp>) -> UInt64 {
        let step = max(1, (timestamps.count - 1) / 32)
        var distances: [UInt64] = []
        for index in stride(from: 1, to: timestamps.count, by: step) {
            distances.append(UInt64(bitPattern: timestamps[index] &- timestamps[index - 1]))
        }
        distances.sort()
        return max(1, distances[distances.count / 2])
    }
}
