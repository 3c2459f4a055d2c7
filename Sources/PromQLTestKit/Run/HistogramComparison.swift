import SeriesModel

/// When two results count as the same histogram.
enum HistogramComparison {
    static func areClose(_ wanted: ScriptHistogram, _ got: NativeHistogram) -> Bool {
        if wanted.isHintWritten, wanted.histogram.counterResetHint != got.counterResetHint { return false }
        var (a, b) = (wanted.histogram, got)
        a.compact()
        b.compact()
        guard a.schema == b.schema, a.zeroThreshold == b.zeroThreshold else { return false }
        if a.usesCustomBounds, a.customBounds != b.customBounds { return false }
        return FloatComparison.areClose(a.count, b.count) && FloatComparison.areClose(a.sum, b.sum)
            && FloatComparison.areClose(a.zeroCount, b.zeroCount) && areClose(a.positive, b.positive)
            && areClose(a.negative, b.negative)
    }

    private static func areClose(_ a: HistogramSide, _ b: HistogramSide) -> Bool {
        a.spans == b.spans && a.counts.count == b.counts.count
            && zip(a.counts, b.counts).allSatisfy { FloatComparison.areClose($0, $1) }
    }
}
