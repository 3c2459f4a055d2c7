/// Kahan's summation as Neumaier improved it ("Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen",
/// 1974): what each addition rounds away is collected beside the sum.
@usableFromInline package enum CompensatedSum {
    @inlinable
    package static func add(_ value: Double, to sum: inout Double, _ compensation: inout Double) {
        let total = sum + value
        if total.isInfinite {
            compensation = 0
        } else if abs(sum) >= abs(value) {
            compensation += (sum - total) + value
        } else {
            compensation += (value - total) + sum
        }
        sum = total
    }
}

extension NativeHistogram {
    /// `add`, with what rounding took away collected in a second histogram of the same buckets; nil before the first
    /// addition. At the end the collected histogram is added to the sum.
    /// - Throws: `HistogramError.incompatibleSchemas`.
    @discardableResult
    package mutating func add(
        _ other: NativeHistogram, compensation: inout NativeHistogram?
    ) throws(HistogramError) -> Reconciliation {
        guard usesCustomBounds == other.usesCustomBounds else { throw HistogramError.incompatibleSchemas }
        var carry = compensation ?? emptyCompensation
        var outcome = Reconciliation()
        outcome.hasCounterResetCollision = adjustHint(to: other)
        CompensatedSum.add(other.count, to: &count, &carry.count)
        CompensatedSum.add(other.sum, to: &sum, &carry.sum)
        if usesCustomBounds {
            outcome.hasReconciledBounds = addCustom(other, carry: &carry)
        } else {
            addExponential(other, carry: &carry)
        }
        carry.counterResetHint = counterResetHint
        compensation = carry
        return outcome
    }

    /// All zeros, in the buckets of this histogram.
    private var emptyCompensation: NativeHistogram {
        NativeHistogram(
            counterResetHint: counterResetHint, schema: schema, zeroThreshold: zeroThreshold,
            positiveSpans: positive.spans, positiveBuckets: [Double](repeating: 0, count: positive.counts.count),
            negativeSpans: negative.spans, negativeBuckets: [Double](repeating: 0, count: negative.counts.count),
            customBounds: customBounds)
    }

    private mutating func addExponential(_ other: NativeHistogram, carry: inout NativeHistogram) {
        let otherZeroCount = reconcileZeroBucket(with: other, carry: &carry)
        CompensatedSum.add(otherZeroCount, to: &zeroCount, &carry.zeroCount)
        if other.schema < schema {
            positive.reduce(by: Int(schema) - Int(other.schema), carry: &carry.positive)
            negative.reduce(by: Int(schema) - Int(other.schema), carry: &carry.negative)
            schema = other.schema
            carry.schema = other.schema
        }
        let steps = Int(other.schema) - Int(schema)
        let otherPositive = other.positive.reduced(by: steps).above(zeroThreshold, schema: schema)
        let otherNegative = other.negative.reduced(by: steps).above(zeroThreshold, schema: schema)
        positive.add(otherPositive, carry: &carry.positive)
        negative.add(otherNegative, carry: &carry.negative)
    }

    /// `reconcileZeroBucket` for a histogram with its compensation: what the raised zero bucket takes in of the one it
    /// takes in of the other.
    private mutating func reconcileZeroBucket(
        with other: NativeHistogram, carry: inout NativeHistogram
    ) -> Double {
        let before = zeroThreshold
        let oldPositive = positive
        let oldNegative = negative
        let otherCount = reconcileZeroBucket(with: other)
        guard zeroThreshold > before else { return otherCount }
        carry.zeroThreshold = zeroThreshold
        var swallowed = carry.zeroCount
        for (old, lane) in [(oldPositive, carry.positive), (oldNegative, carry.negative)] {
            var cursor = HistogramSide.Cursor(old)
            while let (index, _, position) = cursor.next(), lane.counts.indices.contains(position),
                HistogramBounds.exponential(index, schema: schema) <= zeroThreshold
            {
                swallowed += lane.counts[position]
            }
        }
        carry.zeroCount = swallowed
        carry.positive = carry.positive.restricted(from: oldPositive, to: positive)
        carry.negative = carry.negative.restricted(from: oldNegative, to: negative)
        return otherCount
    }

    /// - Returns: whether the bounds had to be reconciled.
    private mutating func addCustom(_ other: NativeHistogram, carry: inout NativeHistogram) -> Bool {
        if customBounds == other.customBounds {
            positive.add(other.positive, carry: &carry.positive)
            return false
        }
        let shared = NativeHistogram.sharedBounds(customBounds, other.customBounds)
        var sums = [Double](repeating: 0, count: shared.count + 1)
        var carries = carry.positive.counts(mappedFrom: customBounds, to: shared)
        for (side, bounds) in [(positive, customBounds), (other.positive, other.customBounds)] {
            var target = 0
            side.forEach { index, count in
                target = HistogramSide.target(of: index, in: bounds, among: shared, from: target)
                CompensatedSum.add(count, to: &sums[target], &carries[target])
                return true
            }
        }
        var last: Int?
        positive = HistogramSide()
        carry.positive = HistogramSide()
        for index in sums.indices where sums[index] != 0 || carries[index] != 0 {
            positive.append(sums[index], at: index, last: last)
            carry.positive.append(carries[index], at: index, last: last)
            last = index
        }
        customBounds = shared
        carry.customBounds = shared
        return true
    }
}

extension HistogramSide {
    /// Adds the other side's counts; the carry has, and keeps, the same buckets as this side.
    fileprivate mutating func add(_ other: HistogramSide, carry: inout HistogramSide) {
        if other.counts.isEmpty { return }
        if carry.counts.count != counts.count { carry.counts = [Double](repeating: 0, count: counts.count) }
        if spans == other.spans, counts.count == other.counts.count {
            for index in counts.indices {
                CompensatedSum.add(other.counts[index], to: &counts[index], &carry.counts[index])
            }
            return
        }
        var sums = HistogramSide()
        var carries = HistogramSide()
        var last: Int?
        HistogramSide.walkUnion(self, other) { index, inA, inB in
            var sum = inA.map { counts[$0] } ?? 0
            var rest = inA.map { carry.counts[$0] } ?? 0
            if let inB { CompensatedSum.add(other.counts[inB], to: &sum, &rest) }
            sums.append(sum, at: index, last: last)
            carries.append(rest, at: index, last: last)
            last = index
        }
        self = sums
        carry = carries
    }

    /// `reduced(by:)` for a side with its carry.
    fileprivate mutating func reduce(by steps: Int, carry: inout HistogramSide) {
        var sums = HistogramSide()
        var carries = HistogramSide()
        var last: Int?
        var cursor = Cursor(self)
        while let (index, count, position) = cursor.next() {
            let rest = carry.counts.indices.contains(position) ? carry.counts[position] : 0
            let target = HistogramSide.reducedIndex(index, by: steps)
            if target == last, let end = sums.counts.indices.last {
                CompensatedSum.add(count, to: &sums.counts[end], &carries.counts[end])
                carries.counts[end] += rest
            } else {
                sums.append(count, at: target, last: last)
                carries.append(rest, at: target, last: last)
                last = target
            }
        }
        self = sums
        carry = carries
    }

    /// The counts of those buckets that another layout has.
    /// - Parameter layout: the buckets that this side's counts belong to.
    fileprivate func restricted(from layout: HistogramSide, to kept: HistogramSide) -> HistogramSide {
        var out = HistogramSide(spans: kept.spans, counts: [Double](repeating: 0, count: kept.counts.count))
        HistogramSide.walkUnion(layout, kept) { _, inLayout, inKept in
            guard let inLayout, let inKept, counts.indices.contains(inLayout) else { return }
            out.counts[inKept] = counts[inLayout]
        }
        return out
    }
}
