extension NativeHistogram {
    /// One bucket with its bounds.
    package struct Bucket: Hashable, Sendable {
        package var lower: Double
        package var upper: Double
        package var lowerIsInclusive: Bool
        package var upperIsInclusive: Bool
        package var count: Double
        /// The index in its schema and on its side; 0 for the zero bucket.
        package var index: Int

        /// How the bounds are to be read, as the HTTP API numbers it: 0 lower open, 1 upper open, 2 both open, 3 both
        /// closed.
        package var boundaryRule: Int {
            switch (lowerIsInclusive, upperIsInclusive) {
            case (false, true): 0
            case (true, false): 1
            case (false, false): 2
            case (true, true): 3
            }
        }
    }

    /// All buckets, empty ones of the spans included: the negative ones, the zero bucket if anything is in it, the
    /// positive ones. Ascending by value, or descending. Bounds of buckets that the zero bucket reaches into are cut to
    /// its threshold. Does not allocate.
    package struct Buckets: Sequence, IteratorProtocol {
        private let histogram: NativeHistogram
        private let isDescending: Bool
        private var first: HistogramSide.Cursor
        private var second: HistogramSide.Cursor
        private var stage = 0

        fileprivate init(_ histogram: NativeHistogram, descending: Bool) {
            self.histogram = histogram
            isDescending = descending
            first = HistogramSide.Cursor(descending ? histogram.positive : histogram.negative, reversed: true)
            second = HistogramSide.Cursor(descending ? histogram.negative : histogram.positive)
        }

        package mutating func next() -> Bucket? {
            if stage == 0 {
                if let (index, count, _) = first.next() {
                    return histogram.cutBucket(index, count, isPositive: isDescending)
                }
                stage = 1
            }
            if stage == 1 {
                stage = 2
                if histogram.zeroCount > 0, !histogram.usesCustomBounds { return histogram.zeroBucket }
            }
            guard let (index, count, _) = second.next() else { return nil }
            return histogram.cutBucket(index, count, isPositive: !isDescending)
        }
    }

    package var buckets: Buckets { Buckets(self, descending: false) }

    package var bucketsDescending: Buckets { Buckets(self, descending: true) }

    package var zeroBucket: Bucket {
        Bucket(
            lower: -zeroThreshold, upper: zeroThreshold, lowerIsInclusive: true, upperIsInclusive: true,
            count: zeroCount, index: 0)
    }

    /// The bucket of an index on one side.
    func bucket(_ index: Int, _ count: Double, isPositive: Bool) -> Bucket {
        if usesCustomBounds {
            return Bucket(
                lower: HistogramBounds.custom(index - 1, customBounds),
                upper: HistogramBounds.custom(index, customBounds), lowerIsInclusive: index == 0,
                upperIsInclusive: true, count: count, index: index)
        }
        let outer = HistogramBounds.exponential(index, schema: schema)
        let inner = HistogramBounds.exponential(index - 1, schema: schema)
        return isPositive
            ? Bucket(
                lower: inner, upper: outer, lowerIsInclusive: false, upperIsInclusive: true, count: count, index: index)
            : Bucket(
                lower: -outer, upper: -inner, lowerIsInclusive: true, upperIsInclusive: false, count: count,
                index: index)
    }

    /// The same with the part cut off that the zero bucket covers.
    func cutBucket(_ index: Int, _ count: Double, isPositive: Bool) -> Bucket {
        var bucket = bucket(index, count, isPositive: isPositive)
        if usesCustomBounds { return bucket }
        if isPositive, bucket.lower > 0, bucket.lower < zeroThreshold {
            bucket.lower = zeroThreshold
        } else if !isPositive, bucket.upper < 0, bucket.upper > -zeroThreshold {
            bucket.upper = -zeroThreshold
        }
        return bucket
    }
}
