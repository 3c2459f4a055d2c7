import SeriesModel

/// Adds histograms up with compensation, and can take their mean: from the histogram on that would overflow the sum, the
/// mean is carried on incrementally.
struct HistogramSum {
    private var total: NativeHistogram?
    private var compensation: NativeHistogram?
    private var count = 0.0
    private var isIncremental = false
    private var hasSeenReset = false
    private var hasSeenNoReset = false
    private(set) var hasReconciledBounds = false
    /// Whether to watch for overflow, which only matters for the mean.
    private let isMean: Bool

    init(isMean: Bool) { self.isMean = isMean }

    /// Histograms after a reset met others that were none.
    var hasCollision: Bool { hasSeenReset && hasSeenNoReset }

    mutating func add(_ histogram: NativeHistogram) throws(HistogramError) {
        count += 1
        switch histogram.counterResetHint {
        case .reset: hasSeenReset = true
        case .notReset: hasSeenNoReset = true
        case .unknown, .gauge: break
        }
        guard var sum = total else {
            total = histogram
            return
        }
        if !isIncremental {
            var carry = compensation
            let outcome = try sum.add(histogram, compensation: &carry)
            hasReconciledBounds = hasReconciledBounds || outcome.hasReconciledBounds
            if !isMean || !sum.hasOverflow {
                (total, compensation) = (sum, carry)
                return
            }
            isIncremental = true
            sum = total ?? sum
            sum.divide(by: count - 1)
            compensation?.divide(by: count - 1)
        }
        let share = (count - 1) / count
        compensation?.multiply(by: share)
        sum.multiply(by: share)
        var part = histogram
        part.divide(by: count)
        let outcome = try sum.add(part, compensation: &compensation)
        hasReconciledBounds = hasReconciledBounds || outcome.hasReconciledBounds
        total = sum
    }

    func sum() throws(HistogramError) -> NativeHistogram? {
        var result = total
        if let compensation { try result?.add(compensation) }
        return result
    }

    func mean() throws(HistogramError) -> NativeHistogram? {
        var result = total
        var carry = compensation
        if !isIncremental {
            result?.divide(by: count)
            carry?.divide(by: count)
        }
        if let carry { try result?.add(carry) }
        return result
    }
}

extension NativeHistogram {
    /// Whether any count or the sum has left the range of doubles.
    fileprivate var hasOverflow: Bool {
        zeroCount.isInfinite || count.isInfinite || sum.isInfinite || positiveBuckets.contains(where: \.isInfinite)
            || negativeBuckets.contains(where: \.isInfinite)
    }
}
