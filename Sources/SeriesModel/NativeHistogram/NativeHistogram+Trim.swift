extension NativeHistogram {
    /// Which observations a trim keeps: PromQL's `</` keeps those below, `>/` those above.
    package enum Trim: Sendable {
        case keepingBelow
        case keepingAbove
    }

    /// Drops what lies on the other side of a value; a bucket around the value keeps the share that interpolation gives
    /// (as for quantiles). Count and sum are estimated anew from what is left, unless nothing was dropped.
    ///
    /// Of custom buckets without a finite width nothing can be estimated: the one up to +Inf is kept whole by
    /// `keepingAbove`, the one from -Inf up to a bound that is not positive is kept whole by `keepingBelow`, and they
    /// are dropped whole by the other; a first bucket with a positive bound begins at zero.
    package mutating func trim(_ trim: Trim, at value: Double) {
        if value.isNaN { return }
        var kept = NativeHistogram(counterResetHint: counterResetHint, schema: schema)
        var isChanged = false
        var keptPositive = positive
        var keptNegative = negative
        for isPositive in [true, false] {
            var cursor = HistogramSide.Cursor(isPositive ? positive : negative)
            while let (index, count, position) = cursor.next() {
                if count == 0 { continue }
                let bucket = cutBucket(index, count, isPositive: isPositive)
                let part = keptPart(of: bucket, trim, value, isLinear: usesCustomBounds)
                if part.count != count { isChanged = true }
                kept.count += part.count
                kept.sum += part.count == 0 ? 0 : part.count * part.middle
                if isPositive {
                    keptPositive.counts[position] = part.count
                } else {
                    keptNegative.counts[position] = part.count
                }
            }
        }
        if zeroCount != 0, !usesCustomBounds {
            var bucket = zeroBucket
            narrowZeroBucket(&bucket)
            let part = keptPart(of: bucket, trim, value, isLinear: true)
            if part.count != zeroCount { isChanged = true }
            kept.zeroCount = part.count
            kept.count += part.count
            kept.sum += part.count == 0 ? 0 : part.count * part.middle
        }
        guard isChanged else { return }
        positive = keptPositive
        negative = keptNegative
        zeroCount = kept.zeroCount
        count = kept.count
        sum = kept.sum
        compact()
    }

    /// What is left of a bucket, and the value that the observations left stand for.
    private func keptPart(
        of bucket: Bucket, _ trim: Trim, _ value: Double, isLinear: Bool
    ) -> (count: Double, middle: Double) {
        if usesCustomBounds, bucket.lower == -.infinity || bucket.upper == .infinity {
            return keptPart(ofUnbounded: bucket, trim, value)
        }
        switch trim {
        case .keepingBelow:
            if bucket.upper <= value { return (bucket.count, middle(bucket.lower, bucket.upper, isLinear)) }
            if bucket.lower >= value { return (0, 0) }
            let share = share(of: bucket, below: value, isLinear: isLinear)
            return (bucket.count * share, middle(bucket.lower, value, isLinear))
        case .keepingAbove:
            if bucket.lower >= value { return (bucket.count, middle(bucket.lower, bucket.upper, isLinear)) }
            if bucket.upper <= value { return (0, 0) }
            let share = share(of: bucket, below: value, isLinear: isLinear)
            return (bucket.count * (1 - share), middle(value, bucket.upper, isLinear))
        }
    }

    /// The same for the first and the last custom bucket.
    private func keptPart(
        ofUnbounded bucket: Bucket, _ trim: Trim, _ value: Double
    ) -> (count: Double, middle: Double) {
        let isAll = trim == .keepingBelow ? value == .infinity : value == -.infinity
        let isNothing = trim == .keepingBelow ? value == -.infinity : value == .infinity
        if isNothing { return (0, 0) }
        switch (bucket.lower == -.infinity, bucket.upper == .infinity) {
        case (true, true): return isAll ? (bucket.count, 0) : (0, 0)
        case (false, _):
            if trim == .keepingBelow { return isAll ? (bucket.count, bucket.lower) : (0, 0) }
            return (bucket.count, max(bucket.lower, value))
        case (true, false) where bucket.upper > 0:
            var narrowed = bucket
            narrowed.lower = 0
            // Below zero the bucket cannot be told from one that begins there.
            if trim == .keepingAbove, !isAll, value < 0 { return (0, 0) }
            return keptPart(of: narrowed, trim, value, isLinear: true)
        case (true, false):
            if trim == .keepingAbove { return isAll ? (bucket.count, bucket.upper) : (0, 0) }
            return (bucket.count, min(bucket.upper, value))
        }
    }

    private func middle(_ lower: Double, _ upper: Double, _ isLinear: Bool) -> Double {
        if isLinear { return (lower + upper) / 2 }
        // The product of the bounds may leave the range of doubles where the root does not.
        let root = abs(lower).squareRoot() * abs(upper).squareRoot()
        return upper < 0 || lower < 0 ? -root : root
    }
}
