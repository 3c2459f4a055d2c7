extension NativeHistogram {
    /// Whether a counter was reset between the histogram before and this one: a populated bucket vanished, a count
    /// fell, the resolution rose or the zero bucket shrank. A hint decides at once where it says something; gauges are
    /// looked at like counters.
    package func isReset(after previous: NativeHistogram) -> Bool {
        switch counterResetHint {
        case .reset: return true
        case .notReset: return false
        case .unknown, .gauge: break
        }
        if count < previous.count { return true }
        if usesCustomBounds {
            if !previous.usesCustomBounds { return true }
            if customBounds != previous.customBounds { return hasFallen(since: previous) }
        }
        if schema > previous.schema || zeroThreshold < previous.zeroThreshold { return true }
        if usesCustomBounds { return positive.hasFallen(since: previous.positive) }
        // Neither comparison holds for a threshold that is no number; then the thresholds are taken as they are.
        if zeroThreshold > previous.zeroThreshold {
            let raised = previous.zeroBucket(raisedTo: zeroThreshold)
            if raised.threshold != zeroThreshold || zeroCount < raised.count { return true }
        } else if zeroCount < previous.zeroCount {
            return true
        }
        let steps = Int(previous.schema) - Int(schema)
        for (now, before) in [(positive, previous.positive), (negative, previous.negative)] {
            let current = now.above(zeroThreshold, schema: schema)
            if current.hasFallen(since: before.reduced(by: steps).above(zeroThreshold, schema: schema)) { return true }
        }
        return false
    }

    /// The comparison of custom buckets with different bounds: in those that they share.
    private func hasFallen(since previous: NativeHistogram) -> Bool {
        let shared = NativeHistogram.sharedBounds(customBounds, previous.customBounds)
        let now = positive.counts(mappedFrom: customBounds, to: shared)
        let before = previous.positive.counts(mappedFrom: previous.customBounds, to: shared)
        return zip(now, before).contains { $0 < $1 }
    }
}

extension HistogramSide {
    /// Whether a bucket holds less than before, or a populated one is gone.
    fileprivate func hasFallen(since previous: HistogramSide) -> Bool {
        if spans == previous.spans, counts.count == previous.counts.count {
            return zip(counts, previous.counts).contains { $0 < $1 }
        }
        var hasFallen = false
        HistogramSide.walkUnion(self, previous) { _, inNow, inBefore in
            guard let inBefore else { return }
            let before = previous.counts[inBefore]
            if let inNow {
                hasFallen = hasFallen || counts[inNow] < before
            } else {
                hasFallen = hasFallen || before != 0
            }
        }
        return hasFallen
    }
}
