import SeriesModel

/// What it takes to put a sample into a chunk that has other buckets: the buckets of both, and the spans that describe
/// them as Prometheus would.
struct HistogramExpansion {
    private let positive: SideMerge
    private let negative: SideMerge
    private let isGauge: Bool
    private let sampleSpans: (positive: [NativeHistogram.Span], negative: [NativeHistogram.Span])
    private let chunkSpans: (positive: [NativeHistogram.Span], negative: [NativeHistogram.Span])

    /// - Parameters:
    ///   - chunk: the newest sample of the chunk, in the chunk's buckets.
    ///   - sample: the next one.
    init(_ chunk: NativeHistogram, _ sample: NativeHistogram) {
        positive = SideMerge(chunk.positive, sample.positive)
        negative = SideMerge(chunk.negative, sample.negative)
        isGauge = sample.counterResetHint == .gauge
        sampleSpans = (sample.positiveSpans, sample.negativeSpans)
        chunkSpans = (chunk.positiveSpans, chunk.negativeSpans)
    }

    /// Whether the samples that are in the chunk already have to be written anew.
    var chunkLacksBuckets: Bool { positive.chunkLacksBuckets || negative.chunkLacksBuckets }

    func isReset(_ last: NativeHistogram, _ sample: NativeHistogram) -> Bool {
        positive.isReset(last.positiveBuckets, sample.positiveBuckets)
            || negative.isReset(last.negativeBuckets, sample.negativeBuckets)
    }

    var bucketCount: Int { positive.inChunk.count + negative.inChunk.count }

    var positiveSpans: [NativeHistogram.Span] {
        spans(positive, sample: sampleSpans.positive, chunk: chunkSpans.positive)
    }

    var negativeSpans: [NativeHistogram.Span] {
        spans(negative, sample: sampleSpans.negative, chunk: chunkSpans.negative)
    }

    /// The chunk's spans, where it has all buckets; the sample's own, where that has all; else those of the union. A
    /// gauge that lacks buckets on one side has the union's on both.
    private func spans(
        _ side: SideMerge, sample: [NativeHistogram.Span], chunk: [NativeHistogram.Span]
    ) -> [NativeHistogram.Span] {
        if !chunkLacksBuckets { return chunk }
        let sampleLacksBuckets =
            isGauge ? positive.sampleLacksBuckets || negative.sampleLacksBuckets : side.sampleLacksBuckets
        return sampleLacksBuckets ? side.spans : sample
    }

    /// The next sample in the buckets of both.
    func applied(to sample: NativeHistogram) -> NativeHistogram {
        var out = sample
        out.positive = HistogramSide(
            spans: positiveSpans, counts: SideMerge.spread(sample.positiveBuckets, positive.inSample))
        out.negative = HistogramSide(
            spans: negativeSpans, counts: SideMerge.spread(sample.negativeBuckets, negative.inSample))
        return out
    }

    /// A sample of the chunk in the buckets of both.
    func applied(toEarlier sample: NativeHistogram) -> NativeHistogram {
        var out = sample
        out.positive = HistogramSide(
            spans: positiveSpans, counts: SideMerge.spread(sample.positiveBuckets, positive.inChunk))
        out.negative = HistogramSide(
            spans: negativeSpans, counts: SideMerge.spread(sample.negativeBuckets, negative.inChunk))
        return out
    }
}
