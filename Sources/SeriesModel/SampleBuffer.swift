/// The samples of one series, decoded into columns. A buffer is reused from series to series: `removeAll` keeps the
/// memory. Timestamps ascend strictly within each pair of columns, and no timestamp occurs in both.
///
/// Floats and native histograms are separate columns, so that float queries never pay for histograms. A stale marker
/// that ended a run of histograms stands in the float column, where every reader looks for it.
@usableFromInline package struct SampleBuffer: Sendable {
    /// Milliseconds; as long as `values`.
    @usableFromInline package var timestamps: [Timestamp] = []
    /// As stored, to the last bit: stale markers and NaN payloads included.
    @usableFromInline package var values: [Double] = []
    /// When each sample's counter began, milliseconds, 0 for unknown: empty where no sample says it, else as long as
    /// `values`.
    package var startTimestamps: [Timestamp] = []

    /// Milliseconds; as long as `histograms`.
    package var histogramTimestamps: [Timestamp] = []
    package var histograms: [NativeHistogram] = []
    /// As `startTimestamps`, for the histograms.
    package var histogramStartTimestamps: [Timestamp] = []

    package init() {}

    /// The float samples.
    package var count: Int { timestamps.count }
    /// Whether there are neither floats nor histograms.
    package var isEmpty: Bool { timestamps.isEmpty && histogramTimestamps.isEmpty }

    package mutating func removeAll() {
        timestamps.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        startTimestamps.removeAll(keepingCapacity: true)
        if !histogramTimestamps.isEmpty {
            histogramTimestamps.removeAll(keepingCapacity: true)
            histograms.removeAll(keepingCapacity: true)
            histogramStartTimestamps.removeAll(keepingCapacity: true)
        }
    }

    /// Adds a float. Only for series without start timestamps.
    @inlinable
    package mutating func append(_ timestamp: Timestamp, _ value: Double) {
        timestamps.append(timestamp)
        values.append(value)
    }

    /// Adds a float with the time its counter began, 0 for unknown.
    package mutating func append(_ timestamp: Timestamp, _ value: Double, start: Timestamp) {
        append(timestamp, value)
        SampleBuffer.append(start, to: &startTimestamps, count: values.count)
    }

    /// Adds a histogram; a stale one goes where stale markers are looked for.
    package mutating func append(_ timestamp: Timestamp, _ histogram: NativeHistogram, start: Timestamp = 0) {
        if histogram.isStale {
            append(timestamp, StaleMarker.value, start: start)
        } else {
            histogramTimestamps.append(timestamp)
            histograms.append(histogram)
            SampleBuffer.append(start, to: &histogramStartTimestamps, count: histograms.count)
        }
    }

    /// The column exists only once somebody has something to put in it.
    private static func append(_ start: Timestamp, to column: inout [Timestamp], count: Int) {
        if start == 0, column.isEmpty { return }
        if column.count < count - 1 { column.append(contentsOf: repeatElement(0, count: count - 1 - column.count)) }
        column.append(start)
    }
}
