/// A native histogram: counts of observations in buckets whose bounds follow from a schema, so that only populated
/// regions take memory (prometheus.io, "Native histograms specification"). Counts are doubles, as the results of
/// queries are fractional; what was counted in integers is represented exactly up to 2^53.
///
/// Schemas -4...8 are exponential: each bucket is 2^(2^-schema) times as wide as the one before; there are positive and
/// negative sides and a zero bucket between them. Schema -53 has custom upper bounds, a positive side only, and no zero
/// bucket.
///
/// One reference wide, copied on the first write: cheap to hold in arrays and to hand around.
package struct NativeHistogram: Sendable {
    private var storage: Storage

    /// Neighbouring buckets in one run: how far it begins behind the end of the run before (the first: its index).
    package struct Span: Hashable, Sendable {
        package var offset: Int32
        package var length: UInt32

        package init(offset: Int32, length: UInt32) {
            self.offset = offset
            self.length = length
        }
    }

    /// What is known of counter resets between this histogram and the one before it in its series.
    package enum CounterResetHint: UInt8, Sendable, CaseIterable {
        case unknown
        case reset
        case notReset
        /// Not a counter at all: values may fall.
        case gauge
    }

    /// The schema of custom bounds.
    package static let customSchema: Int32 = -53
    package static let exponentialSchemas: ClosedRange<Int32> = -4...8

    fileprivate struct Fields {
        var counterResetHint: CounterResetHint
        var schema: Int32
        var zeroThreshold: Double
        var zeroCount: Double
        var count: Double
        var sum: Double
        var positive: HistogramSide
        var negative: HistogramSide
        var customBounds: [Double]
    }

    /// Written only while one histogram refers to it, which makes sharing it between threads safe.
    private final class Storage: @unchecked Sendable {
        var fields: Fields

        init(_ fields: Fields) { self.fields = fields }
    }

    /// Nothing is checked: see `validate()`.
    package init(
        counterResetHint: CounterResetHint = .unknown, schema: Int32 = 0, zeroThreshold: Double = 0,
        zeroCount: Double = 0, count: Double = 0, sum: Double = 0, positiveSpans: [Span] = [],
        positiveBuckets: [Double] = [], negativeSpans: [Span] = [], negativeBuckets: [Double] = [],
        customBounds: [Double] = []
    ) {
        storage = Storage(
            Fields(
                counterResetHint: counterResetHint, schema: schema, zeroThreshold: zeroThreshold,
                zeroCount: zeroCount, count: count, sum: sum,
                positive: HistogramSide(spans: positiveSpans, counts: positiveBuckets),
                negative: HistogramSide(spans: negativeSpans, counts: negativeBuckets), customBounds: customBounds))
    }

    private var fields: Fields {
        _read { yield storage.fields }
        _modify {
            if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.fields) }
            yield &storage.fields
        }
    }
}

// MARK: - Fields

extension NativeHistogram {
    package var counterResetHint: CounterResetHint {
        get { fields.counterResetHint }
        set { fields.counterResetHint = newValue }
    }

    package var schema: Int32 {
        get { fields.schema }
        set { fields.schema = newValue }
    }

    /// The zero bucket holds observations of an absolute value up to this.
    package var zeroThreshold: Double {
        get { fields.zeroThreshold }
        set { fields.zeroThreshold = newValue }
    }

    package var zeroCount: Double {
        get { fields.zeroCount }
        set { fields.zeroCount = newValue }
    }

    /// All observations, those of NaN included, which no bucket holds.
    package var count: Double {
        get { fields.count }
        set { fields.count = newValue }
    }

    package var sum: Double {
        get { fields.sum }
        set { fields.sum = newValue }
    }

    package var positive: HistogramSide {
        _read { yield fields.positive }
        _modify { yield &fields.positive }
    }

    package var negative: HistogramSide {
        _read { yield fields.negative }
        _modify { yield &fields.negative }
    }

    /// Upper bounds of the custom buckets, ascending, without the last one, which is +Inf.
    package var customBounds: [Double] {
        _read { yield fields.customBounds }
        _modify { yield &fields.customBounds }
    }

    package var positiveSpans: [Span] { positive.spans }
    package var negativeSpans: [Span] { negative.spans }
    /// Absolute counts, not differences.
    package var positiveBuckets: [Double] { positive.counts }
    package var negativeBuckets: [Double] { negative.counts }

    package var usesCustomBounds: Bool { schema == NativeHistogram.customSchema }

    /// Whether it stands for the end of its series: staleness is kept in the sum.
    package var isStale: Bool { StaleMarker.isStale(sum) }

    /// The mean of the observations.
    package var average: Double { sum / count }
}
