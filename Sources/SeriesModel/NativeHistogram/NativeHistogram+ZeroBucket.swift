extension NativeHistogram {
    /// What the zero bucket would hold if its threshold were raised. A threshold within a populated bucket is raised on
    /// to that bucket's end.
    /// - Precondition: the threshold is at least the present one.
    func zeroBucket(raisedTo wanted: Double) -> (count: Double, threshold: Double) {
        if wanted == zeroThreshold { return (zeroCount, wanted) }
        var threshold = wanted
        // Each round either is the last or raises the threshold to the end of a further bucket.
        while true {
            var count = zeroCount
            let positiveEnd = HistogramSide.swallowed(by: threshold, positive, schema: schema, into: &count)
            threshold = positiveEnd ?? threshold
            guard let end = HistogramSide.swallowed(by: threshold, negative, schema: schema, into: &count) else {
                return (count, threshold)
            }
            threshold = end
        }
    }

    /// Raises the threshold of the zero bucket to one that lies on bucket bounds, and takes the buckets within into it.
    mutating func raiseZeroThreshold(to wanted: Double) {
        (zeroCount, zeroThreshold) = zeroBucket(raisedTo: wanted)
        positive = positive.above(zeroThreshold, schema: schema)
        negative = negative.above(zeroThreshold, schema: schema)
        compact()
    }

    /// Brings both histograms to one zero threshold that cuts no populated bucket of either: this one is changed, of
    /// the other only the zero count that it would have is told.
    mutating func reconcileZeroBucket(with other: NativeHistogram) -> Double {
        var otherCount = other.zeroCount
        var otherThreshold = other.zeroThreshold
        // Not a number is no threshold: nothing sensible can come of it, but it must not loop for ever.
        guard !zeroThreshold.isNaN, !otherThreshold.isNaN else { return otherCount }
        while otherThreshold != zeroThreshold {
            if zeroThreshold > otherThreshold {
                (otherCount, otherThreshold) = other.zeroBucket(raisedTo: zeroThreshold)
            }
            if otherThreshold > zeroThreshold { raiseZeroThreshold(to: otherThreshold) }
        }
        return otherCount
    }
}

extension HistogramSide {
    /// Adds up the buckets that a zero threshold reaches into.
    /// - Returns: the end of the populated bucket that the threshold lies within; nil where there is none.
    fileprivate static func swallowed(
        by threshold: Double, _ side: HistogramSide, schema: Int32, into count: inout Double
    ) -> Double? {
        var end: Double?
        var sum = count
        side.forEach { index, bucket in
            guard HistogramBounds.exponential(index - 1, schema: schema) < threshold else { return false }
            sum += bucket
            let upper = HistogramBounds.exponential(index, schema: schema)
            if upper > threshold {
                if bucket != 0 { end = upper }
                return false
            }
            return true
        }
        count = sum
        return end
    }
}
