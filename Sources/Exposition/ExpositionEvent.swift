package import SeriesModel

/// One entry of an exposition. Texts are ranges of the body's bytes, as they stand there; the parser's accessors
/// unescape them.
package enum ExpositionEvent: Hashable, Sendable {
    case series(SeriesLine)
    /// `# TYPE`
    case type(metric: Range<Int>, kind: MetricMetadata.Kind)
    /// `# HELP`
    case help(metric: Range<Int>, text: Range<Int>)
    /// `# UNIT`, OpenMetrics only.
    case unit(metric: Range<Int>, text: Range<Int>)
    /// A comment of the text format, with its `#`, without the line's end.
    case comment(Range<Int>)
}

/// One sample line.
package struct SeriesLine: Hashable, Sendable {
    /// The bytes of `name{labels}` as written: the key of a scrape cache. Equal bytes are the same series as long as
    /// the family's type stays the same.
    package let text: Range<Int>
    /// NaN is always `StaleMarker.ordinaryNaN`: a target cannot send a stale marker.
    package let value: Double
    /// Milliseconds; nil where the line has none.
    package let timestamp: Timestamp?
    package let exemplar: ExemplarText?
    /// What stands in place of the value, where it is a native histogram: see `ExpositionParser.histogram`.
    package let histogram: Int?

    /// Whether it may have any: a native histogram's are asked for by itself.
    package var hasExemplars: Bool { exemplar != nil || histogram != nil }

    @inline(__always)
    init(
        text: Range<Int>, value: Double, timestamp: Timestamp?, exemplar: ExemplarText?, histogram: Int? = nil
    ) {
        self.text = text
        self.value = value
        self.timestamp = timestamp
        self.exemplar = exemplar
        self.histogram = histogram
    }
}

/// An exemplar behind a sample of OpenMetrics.
package struct ExemplarText: Hashable, Sendable {
    /// What stands between the braces.
    package let labels: Range<Int>
    package let value: Double
    /// Milliseconds; nil where the exemplar has none.
    package let timestamp: Timestamp?
}
