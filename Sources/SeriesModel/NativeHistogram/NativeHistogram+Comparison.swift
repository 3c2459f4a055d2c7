extension NativeHistogram: Equatable {
    /// Equality of the data: same schema, thresholds and bounds, counts and sums equal bit for bit (a NaN equals
    /// itself), the same buckets, however spans divide them, empty ones included. Hints do not count.
    package static func == (a: NativeHistogram, b: NativeHistogram) -> Bool {
        a.schema == b.schema && a.zeroThreshold == b.zeroThreshold
            && a.zeroCount.bitPattern == b.zeroCount.bitPattern && a.count.bitPattern == b.count.bitPattern
            && a.sum.bitPattern == b.sum.bitPattern && (!a.usesCustomBounds || a.customBounds == b.customBounds)
            && a.positive.isEqual(to: b.positive) && a.negative.isEqual(to: b.negative)
    }

    /// Equality for tests of PromQL: both are compacted, and counts and sums may differ by rounding.
    package func isNearlyEqual(to other: NativeHistogram, tolerance: Double = 1e-6) -> Bool {
        var a = self
        var b = other
        a.compact()
        b.compact()
        func isNear(_ x: Double, _ y: Double) -> Bool { NearEquality.holds(x, y, tolerance: tolerance) }
        return a.schema == b.schema && a.zeroThreshold == b.zeroThreshold && isNear(a.zeroCount, b.zeroCount)
            && isNear(a.count, b.count) && isNear(a.sum, b.sum)
            && (!a.usesCustomBounds || a.customBounds == b.customBounds)
            && a.positive.isNearlyEqual(to: b.positive, isNear) && a.negative.isNearlyEqual(to: b.negative, isNear)
    }
}

extension HistogramSide {
    fileprivate func isEqual(to other: HistogramSide) -> Bool {
        counts.count == other.counts.count && hasSameLayout(as: other)
            && zip(counts, other.counts).allSatisfy { $0.bitPattern == $1.bitPattern }
    }

    fileprivate func isNearlyEqual(to other: HistogramSide, _ isNear: (Double, Double) -> Bool) -> Bool {
        counts.count == other.counts.count && hasSameLayout(as: other)
            && zip(counts, other.counts).allSatisfy { isNear($0, $1) }
    }
}

/// Equality of two results up to rounding, as PromQL's own tests define it.
package enum NearEquality {
    /// Stale markers equal only each other, other NaNs each other; else the difference is measured against the numbers,
    /// or near zero against the smallest normal number.
    package static func holds(_ a: Double, _ b: Double, tolerance: Double = 1e-6) -> Bool {
        if StaleMarker.isStale(a) || StaleMarker.isStale(b) { return StaleMarker.isStale(a) && StaleMarker.isStale(b) }
        if a.isNaN || b.isNaN { return a.isNaN && b.isNaN }
        if a == b { return true }
        let size = abs(a) + abs(b)
        let difference = abs(a - b)
        if a == 0 || b == 0 || size < Double.leastNormalMagnitude {
            return difference < tolerance * Double.leastNormalMagnitude
        }
        return difference / min(size, .greatestFiniteMagnitude) < tolerance
    }
}
