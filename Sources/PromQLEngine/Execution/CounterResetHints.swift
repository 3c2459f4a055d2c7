import SeriesModel

/// What queries do to the hints of stored histograms.
enum CounterResetHints {
    /// Where only count and sum are looked at, an unknown hint is replaced by what the comparison with the histogram
    /// before says.
    static func refine(_ samples: inout SampleBuffer) {
        for index in samples.histograms.indices.dropFirst()
        where samples.histograms[index].counterResetHint == .unknown {
            let isReset = samples.histograms[index].isReset(after: samples.histograms[index - 1])
            samples.histograms[index].counterResetHint = isReset ? .reset : .notReset
        }
    }

    /// The points of a subquery are no neighbours in their series: what was said of the one before means nothing.
    static func forgotten(_ histogram: NativeHistogram) -> NativeHistogram {
        guard histogram.counterResetHint == .reset || histogram.counterResetHint == .notReset else { return histogram }
        var histogram = histogram
        histogram.counterResetHint = .unknown
        return histogram
    }
}
