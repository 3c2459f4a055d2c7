import SeriesModel

#if canImport(Glibc)
    import Glibc
#endif

/// Where the windows of a range function begin and end in the columns of a series: for each step the samples
/// `lows[step] ..< highs[step]`.
///
/// All series of a target have the same timestamps, so a table is good for many series; to see that it is costs one
/// comparison of memory.
struct WindowTable {
    private var times: [Timestamp] = []
    private(set) var lows: [Int32] = []
    private(set) var highs: [Int32] = []
    /// Only where `hasStretches`.
    private(set) var stretches: [Stretch] = []
    /// Samples in all windows together.
    private(set) var touched = 0
    private let hasStretches: Bool

    init(hasStretches: Bool) { self.hasStretches = hasStretches }

    /// - Precondition: fewer than 2³¹ samples.
    mutating func prepare(_ samples: UnsafeBufferPointer<Timestamp>, _ range: RangePlan, _ grid: Grid) {
        if isFor(samples) { return }
        times.removeAll(keepingCapacity: true)
        times.append(contentsOf: samples)
        if lows.count != grid.count {
            lows = [Int32](repeating: 0, count: grid.count)
            highs = lows
            if hasStretches { stretches = [Stretch](repeating: .none, count: grid.count) }
        }
        var edges = WindowEdges()
        touched = 0
        for step in 0..<grid.count {
            let end = range.reference(grid.time(step))
            let start = end &- range.width
            edges.advance(samples, start: start, end: end)
            lows[step] = Int32(truncatingIfNeeded: edges.low)
            highs[step] = Int32(truncatingIfNeeded: edges.high)
            touched &+= edges.count
            guard hasStretches, edges.count > 1 else { continue }
            stretches[step] = Stretch(
                first: samples[edges.low], last: samples[edges.high &- 1], count: edges.count, start: start, end: end)
        }
    }

    private func isFor(_ samples: UnsafeBufferPointer<Timestamp>) -> Bool {
        guard samples.count == times.count, samples.first == times.first, samples.last == times.last,
            !lows.isEmpty
        else { return false }
        guard let base = samples.baseAddress else { return true }
        return times.withUnsafeBytes { known in
            known.baseAddress.map { memcmp($0, base, known.count) == 0 } ?? true
        }
    }
}

/// Some tables, for series of many targets in turn.
struct WindowTables {
    private static let bits: UInt64 = 6
    private var tables: [WindowTable]
    private let range: RangePlan
    private let grid: Grid

    init(_ range: RangePlan, _ grid: Grid, hasStretches: Bool) {
        self.range = range
        self.grid = grid
        tables = [WindowTable](repeating: WindowTable(hasStretches: hasStretches), count: 1 << WindowTables.bits)
    }

    /// The table for a series with these timestamps.
    mutating func with<R>(
        _ samples: UnsafeBufferPointer<Timestamp>, _ body: (borrowing WindowTable) throws -> R
    ) rethrows -> R {
        // Targets are scraped at their own offsets: the first timestamp tells them apart.
        let hash = UInt64(bitPattern: samples.first ?? 0) &* 0x9E37_79B9_7F4A_7C15
        let index = Int(truncatingIfNeeded: hash &>> (64 &- WindowTables.bits))
        tables[index].prepare(samples, range, grid)
        return try body(tables[index])
    }
}
