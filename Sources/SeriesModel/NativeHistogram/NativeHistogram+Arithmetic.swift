extension NativeHistogram {
    /// What happened beside the arithmetic when two histograms were put together; PromQL warns of it.
    package struct Reconciliation: Hashable, Sendable {
        /// One was hinted to follow a counter reset, the other not to.
        package var hasCounterResetCollision = false
        /// Custom bounds differed: both were brought to the bounds that they share.
        package var hasReconciledBounds = false

        package init() {}

        package mutating func formUnion(_ other: Reconciliation) {
            hasCounterResetCollision = hasCounterResetCollision || other.hasCounterResetCollision
            hasReconciledBounds = hasReconciledBounds || other.hasReconciledBounds
        }
    }

    /// Adds counts, sum and buckets of the other histogram. Different schemas come to the lower one, different zero
    /// thresholds to one that both can have, different custom bounds to those shared. Empty buckets may remain: see
    /// `compact`.
    /// - Throws: `HistogramError.incompatibleSchemas`.
    @discardableResult
    package mutating func add(_ other: NativeHistogram) throws(HistogramError) -> Reconciliation {
        try combine(other, sign: 1)
    }

    /// The same, subtracting. The hint is adjusted as for an addition: PromQL's `-` sets `gauge` itself.
    @discardableResult
    package mutating func subtract(_ other: NativeHistogram) throws(HistogramError) -> Reconciliation {
        try combine(other, sign: -1)
    }

    private mutating func combine(
        _ other: NativeHistogram, sign: Double
    ) throws(HistogramError) -> Reconciliation {
        guard usesCustomBounds == other.usesCustomBounds else { throw HistogramError.incompatibleSchemas }
        var outcome = Reconciliation()
        outcome.hasCounterResetCollision = adjustHint(to: other)
        if usesCustomBounds {
            count += sign * other.count
            sum += sign * other.sum
            outcome.hasReconciledBounds = combineCustom(other, sign: sign)
            return outcome
        }
        let otherZeroCount = reconcileZeroBucket(with: other)
        zeroCount += sign * otherZeroCount
        count += sign * other.count
        sum += sign * other.sum
        if other.schema < schema { reduceResolution(to: other.schema) }
        let steps = Int(other.schema) - Int(schema)
        positive.add(other.positive.reduced(by: steps).above(zeroThreshold, schema: schema), sign: sign)
        negative.add(other.negative.reduced(by: steps).above(zeroThreshold, schema: schema), sign: sign)
        return outcome
    }

    /// - Returns: whether the bounds had to be reconciled.
    private mutating func combineCustom(_ other: NativeHistogram, sign: Double) -> Bool {
        if customBounds == other.customBounds {
            positive.add(other.positive, sign: sign)
            return false
        }
        let shared = NativeHistogram.sharedBounds(customBounds, other.customBounds)
        var mapped = positive.counts(mappedFrom: customBounds, to: shared)
        let added = other.positive.counts(mappedFrom: other.customBounds, to: shared)
        for index in mapped.indices { mapped[index] += sign * added[index] }
        positive = HistogramSide(dense: mapped)
        customBounds = shared
        return true
    }

    /// Scales counts, buckets and sum. A negative factor makes a gauge of it.
    package mutating func multiply(by factor: Double) {
        scale(isGauge: factor < 0) { $0 * factor }
    }

    /// The same, dividing. Division by zero leaves no buckets.
    package mutating func divide(by divisor: Double) {
        if divisor == 0 {
            positive = HistogramSide()
            negative = HistogramSide()
        }
        scale(isGauge: divisor < 0) { $0 / divisor }
    }

    private mutating func scale(isGauge: Bool, _ transform: (Double) -> Double) {
        zeroCount = transform(zeroCount)
        count = transform(count)
        sum = transform(sum)
        positive.scale(transform)
        negative.scale(transform)
        if isGauge { counterResetHint = .gauge }
    }

    /// Brings buckets to a lower resolution; a schema that is not lower changes nothing.
    package mutating func reduceResolution(to target: Int32) {
        guard !usesCustomBounds, target != NativeHistogram.customSchema, target < schema else { return }
        let steps = Int(schema) - Int(target)
        positive = positive.reduced(by: steps)
        negative = negative.reduced(by: steps)
        schema = target
    }

    /// Schemas above the finest that is stored, up to this, are brought down to it.
    private static let reducibleSchemaMax: Int32 = 52

    /// Brings a histogram that is finer than what is stored down to what is.
    ///
    /// Joining buckets hides it when spans and counts do not fit each other, so that is looked at before: what does not
    /// fit keeps its buckets, to be refused.
    package mutating func reduceToStored() {
        let finest = NativeHistogram.exponentialSchemas.upperBound
        guard schema > finest, schema <= NativeHistogram.reducibleSchemaMax else { return }
        var reduced = self
        reduced.reduceResolution(to: finest)
        schema = finest
        if (try? validate()) != nil { self = reduced }
    }

    /// The hint of a sum: a gauge if one is, unknown if they differ otherwise.
    /// - Returns: whether a reset met its opposite.
    mutating func adjustHint(to other: NativeHistogram) -> Bool {
        switch (counterResetHint, other.counterResetHint) {
        case (let a, let b) where a == b: return false
        case (.gauge, _): return false
        case (_, .gauge):
            counterResetHint = .gauge
            return false
        case (.unknown, _): return false
        case (_, .unknown):
            counterResetHint = .unknown
            return false
        default:
            counterResetHint = .unknown
            return true
        }
    }
}

extension HistogramSide {
    fileprivate mutating func scale(_ transform: (Double) -> Double) {
        for index in counts.indices { counts[index] = transform(counts[index]) }
    }
}
