import SeriesModel

/// Arithmetic on the cumulative buckets of one classic histogram at one time.
enum ClassicBuckets {
    struct Bucket {
        var bound: Double
        /// Observations up to the bound.
        var count: Double
    }

    /// Differences below this part of the larger count are taken for rounding errors.
    private static let tolerance = 1e-12

    /// Sorts by bound and adds up buckets with the same bound (`1` and `1.0`), unless that is done already.
    static func order(_ buckets: inout ContiguousArray<Bucket>) {
        var index = 1
        while index < buckets.count, buckets[index - 1].bound < buckets[index].bound { index += 1 }
        if index >= buckets.count { return }
        buckets.sort { $0.bound < $1.bound }
        coalesce(&buckets)
    }

    /// - Returns: NaN for no observations or fewer than two buckets, and what had to be forced to make the counts
    ///   ascend.
    static func quantile(
        _ q: Double, _ buckets: inout ContiguousArray<Bucket>
    ) -> (value: Double, forced: Monotonicity?) {
        if q.isNaN { return (.nan, nil) }
        if q < 0 { return (-.infinity, nil) }
        if q > 1 { return (.infinity, nil) }
        order(&buckets)
        guard let last = buckets.last, last.bound == .infinity else { return (.nan, nil) }
        let forced = ensureMonotonic(&buckets)
        guard buckets.count >= 2 else { return (.nan, forced) }
        let observations = buckets[buckets.count - 1].count
        if observations == 0 || observations.isNaN { return (.nan, forced) }
        var rank = q * observations
        let found = buckets.dropLast().firstIndex { $0.count >= rank } ?? buckets.count - 1
        if found == buckets.count - 1 { return (buckets[buckets.count - 2].bound, forced) }
        if found == 0, buckets[0].bound <= 0 { return (buckets[0].bound, forced) }
        var start = 0.0
        let end = buckets[found].bound
        var count = buckets[found].count
        if found > 0 {
            start = buckets[found - 1].bound
            count -= buckets[found - 1].count
            rank -= buckets[found - 1].count
        }
        return (start + (end - start) * (rank / count), forced)
    }

    private static func coalesce(_ buckets: inout ContiguousArray<Bucket>) {
        var kept = 0
        for index in buckets.indices.dropFirst() {
            if buckets[index].bound == buckets[kept].bound {
                buckets[kept].count += buckets[index].count
            } else {
                kept += 1
                buckets[kept] = buckets[index]
            }
        }
        buckets.removeLast(buckets.count - kept - 1)
    }

    /// Counts that descend (rates of buckets scraped at a bad moment) are lifted to the one before.
    private static func ensureMonotonic(_ buckets: inout ContiguousArray<Bucket>) -> Monotonicity? {
        var forced: Monotonicity?
        var previous = buckets[0].count
        for index in buckets.indices.dropFirst() {
            let current = buckets[index].count
            if current == previous { continue }
            // Nearly all ascend, by more than any tolerance.
            if previous > 1e-300, current > previous * 1.000_001, current < 1e300 {
                previous = current
                continue
            }
            if isAlmostEqual(previous, current) {
                buckets[index].count = previous
            } else if current < previous {
                var change = forced ?? Monotonicity()
                change.note(bound: buckets[index].bound, difference: previous - current)
                forced = change
                buckets[index].count = previous
            } else {
                previous = current
            }
        }
        return forced
    }

    private static func isAlmostEqual(_ a: Double, _ b: Double) -> Bool {
        if a == b || (a.isNaN && b.isNaN) { return true }
        let sum = abs(a) + abs(b)
        let difference = abs(a - b)
        if a == 0 || b == 0 || sum < Double.leastNormalMagnitude {
            return difference < tolerance * Double.leastNormalMagnitude
        }
        return difference / min(sum, Double.greatestFiniteMagnitude) < tolerance
    }

    /// The part of the observations between two values, linear within a bucket.
    static func fraction(_ lower: Double, _ upper: Double, _ buckets: inout ContiguousArray<Bucket>) -> Double {
        order(&buckets)
        guard let last = buckets.last, last.bound == .infinity else { return .nan }
        _ = ensureMonotonic(&buckets)
        let observations = buckets[buckets.count - 1].count
        if observations == 0 || observations.isNaN || lower.isNaN || upper.isNaN { return .nan }
        if lower >= upper { return 0 }
        return (rank(upper, buckets) - rank(lower, buckets)) / observations
    }

    /// How many observations lie at or below a value.
    private static func rank(_ value: Double, _ buckets: ContiguousArray<Bucket>) -> Double {
        if value == -.infinity { return 0 }
        var start = buckets[0].bound > 0 ? 0.0 : -Double.infinity
        var below = 0.0
        for bucket in buckets {
            if value < bucket.bound {
                if value <= start { return below }
                // Nothing is known about where in an open bucket the observations lie: they are in no finite part of it.
                if bucket.bound == .infinity { return below }
                if start == -.infinity { return bucket.count }
                return below + (bucket.count - below) * (value - start) / (bucket.bound - start)
            }
            start = bucket.bound
            below = bucket.count
        }
        return below
    }

    /// What was forced onto descending counts, over all steps and histograms of one metric.
    struct Monotonicity: Sendable {
        private var lowest = Double.infinity
        private var highest = -Double.infinity
        private var largest = 0.0
        private var samples = 0
        private var first = Timestamp.max
        private var last = Timestamp.min

        init() {}

        mutating func note(bound: Double, difference: Double) {
            lowest = min(lowest, bound)
            highest = max(highest, bound)
            largest = max(largest, difference)
        }

        mutating func merge(_ other: Monotonicity, at time: Timestamp) {
            var sample = other
            (sample.samples, sample.first, sample.last) = (1, time, time)
            self = union(sample)
        }

        func union(_ other: Monotonicity) -> Monotonicity {
            var union = self
            union.lowest = min(lowest, other.lowest)
            union.highest = max(highest, other.highest)
            union.largest = max(largest, other.largest)
            union.samples += other.samples
            union.first = min(first, other.first)
            union.last = max(last, other.last)
            return union
        }

        /// The message as far as it decides which messages are the same.
        func stem(_ name: String) -> String {
            let metric = name.isEmpty ? "" : " for metric name \(GoQuote.quote(name))"
            return "input to histogram_quantile needed to be fixed for monotonicity "
                + "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)\(metric)"
        }

        /// The rest of the message.
        var detail: String {
            ", from buckets \(NumberText.general(lowest)) to \(NumberText.general(highest)), "
                + "with a max diff of \(NumberText.scientificOrFixed(largest, digits: 2)), "
                + "over \(samples) samples from \(RFC3339.text(first)) to \(RFC3339.text(last))"
        }
    }
}
