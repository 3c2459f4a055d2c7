import Glibc

extension NativeHistogram {
    /// The value below which the fraction `q` of the observations lies, estimated by interpolation within a bucket:
    /// linear for custom buckets and the zero bucket, exponential for the others. NaN without observations; -Inf and
    /// +Inf for `q` below 0 and above 1.
    package func quantile(_ q: Double) -> Double {
        if q < 0 { return -.infinity }
        if q > 1 { return .infinity }
        if count == 0 || q.isNaN { return .nan }
        // Observations of NaN are counted but in no bucket, so counting from above would be wrong then.
        let isAscending = sum.isNaN || q < 0.5
        var rank = isAscending ? q * count : (1 - q) * count
        var reached = 0.0
        var bucket = Bucket(
            lower: 0, upper: 0, lowerIsInclusive: false, upperIsInclusive: false, count: 0, index: 0)
        for next in isAscending ? buckets : bucketsDescending {
            bucket = next
            if bucket.count == 0 { continue }
            reached += bucket.count
            if reached >= rank { break }
        }
        if usesCustomBounds {
            if bucket.lower == -.infinity {
                if bucket.upper <= 0 { return bucket.upper }
                bucket.lower = 0
            } else if bucket.upper == .infinity {
                return bucket.lower
            }
        } else {
            narrowZeroBucket(&bucket)
        }
        // Rounding may lead beyond the count, and NaN observations may leave the rank out of reach.
        reached = min(reached, count)
        if reached < rank { return bucket.upper }
        rank = isAscending ? rank - (reached - bucket.count) : reached - rank
        return interpolate(bucket, rank / bucket.count)
    }

    /// A zero bucket beside buckets of one sign only is taken to hold that sign only.
    func narrowZeroBucket(_ bucket: inout Bucket) {
        guard bucket.lower < 0, bucket.upper > 0 else { return }
        if negative.isEmpty, !positive.isEmpty {
            bucket.lower = 0
        } else if positive.isEmpty, !negative.isEmpty {
            bucket.upper = 0
        }
    }

    private func interpolate(_ bucket: Bucket, _ fraction: Double) -> Double {
        if usesCustomBounds || (bucket.lower <= 0 && bucket.upper >= 0) {
            return bucket.lower + (bucket.upper - bucket.lower) * fraction
        }
        // On a logarithmic scale the buckets are equally wide.
        let lower = log2(abs(bucket.lower))
        let upper = log2(abs(bucket.upper))
        return bucket.lower > 0
            ? exp2(lower + (upper - lower) * fraction) : -exp2(upper + (lower - upper) * (1 - fraction))
    }

    /// The estimated share of observations between two values. NaN without observations or for NaN bounds, 0 for bounds
    /// that are not in order. Within a custom bucket of infinite width nothing is estimated: it counts only where the
    /// values enclose all of it.
    package func fraction(from lower: Double, to upper: Double) -> Double {
        if count == 0 || lower.isNaN || upper.isNaN { return .nan }
        if lower >= upper { return 0 }
        var rank = 0.0
        var lowerRank: Double?
        var upperRank: Double?
        for var bucket in buckets {
            if !usesCustomBounds {
                narrowZeroBucket(&bucket)
            } else if bucket.lower == -.infinity, bucket.upper > 0 {
                // The first bucket is taken to begin at zero, as for classic histograms.
                bucket.lower = 0
            }
            if lowerRank == nil { lowerRank = self.rank(of: lower, in: bucket, before: rank) }
            if upperRank == nil { upperRank = self.rank(of: upper, in: bucket, before: rank) }
            if lowerRank != nil, upperRank != nil { break }
            rank += bucket.count
        }
        // Observations of NaN are counted, but lie between no two values.
        let all = sum.isNaN ? min(rank, count) : count
        return (min(upperRank ?? all, all) - min(lowerRank ?? all, all)) / count
    }

    /// The number of observations up to a value, if the bucket says it; nil where the value is above the bucket.
    private func rank(of value: Double, in bucket: Bucket, before: Double) -> Double? {
        if bucket.lower >= value { return before }
        if bucket.upper <= value { return nil }
        // Within a bucket without end nothing can be estimated: all of the first one is taken to lie below the value,
        // none of the last one.
        if bucket.lower == -.infinity { return before + bucket.count }
        if bucket.upper == .infinity { return before }
        let isLinear = usesCustomBounds || (bucket.lower <= 0 && bucket.upper >= 0)
        return before + bucket.count * share(of: bucket, below: value, isLinear: isLinear)
    }

    /// Which part of a bucket lies below a value within it.
    func share(of bucket: Bucket, below value: Double, isLinear: Bool) -> Double {
        if isLinear { return (value - bucket.lower) / (bucket.upper - bucket.lower) }
        let lower = log2(abs(bucket.lower))
        let upper = log2(abs(bucket.upper))
        let position = log2(abs(value))
        return value > 0 ? (position - lower) / (upper - lower) : 1 - (position - upper) / (lower - upper)
    }

    /// The estimated variance, each bucket standing for its middle: the arithmetic one for custom buckets, 0 for the
    /// zero bucket, the geometric one for the others.
    package var variance: Double {
        let mean = average
        var total = 0.0
        var compensation = 0.0
        for bucket in buckets where bucket.count != 0 {
            let middle: Double
            if usesCustomBounds {
                middle = (bucket.upper + bucket.lower) / 2
            } else if bucket.lower <= 0, bucket.upper >= 0 {
                middle = 0
            } else {
                let root = (bucket.upper * bucket.lower).squareRoot()
                middle = bucket.upper < 0 ? -root : root
            }
            let distance = middle - mean
            CompensatedSum.add(bucket.count * distance * distance, to: &total, &compensation)
        }
        return (total + compensation) / count
    }

    package var standardDeviation: Double { variance.squareRoot() }
}
