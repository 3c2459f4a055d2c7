/// How much of each kind a buffer held at some moment.
package struct BufferMark: Sendable, Hashable {
    package var floats = 0
    package var histograms = 0

    package init() {}

    package init(_ buffer: SampleBuffer) {
        floats = buffer.count
        histograms = buffer.histograms.count
    }
}

extension SampleBuffer {
    /// The oldest timestamp of what was added since, which must be in order.
    package func oldest(since mark: BufferMark = BufferMark()) -> Timestamp? {
        let float = mark.floats < timestamps.count ? timestamps[mark.floats] : nil
        guard mark.histograms < histogramTimestamps.count else { return float }
        return Swift.min(float ?? .max, histogramTimestamps[mark.histograms])
    }

    /// The newest timestamp of what was added since, which must be in order.
    package func newest(since mark: BufferMark = BufferMark()) -> Timestamp? {
        let float = mark.floats < timestamps.count ? timestamps.last : nil
        guard mark.histograms < histogramTimestamps.count else { return float }
        return Swift.max(float ?? .min, histogramTimestamps.last ?? .min)
    }

    package mutating func removeAll(since mark: BufferMark) {
        timestamps.removeSubrange(mark.floats...)
        values.removeSubrange(mark.floats...)
        histogramTimestamps.removeSubrange(mark.histograms...)
        histograms.removeSubrange(mark.histograms...)
    }
}
