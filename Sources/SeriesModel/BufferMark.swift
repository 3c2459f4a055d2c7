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
        startTimestamps.removeLast(max(0, startTimestamps.count - mark.floats))
        histogramStartTimestamps.removeLast(max(0, histogramStartTimestamps.count - mark.histograms))
    }
}

extension SampleBuffer {
    /// Brings samples of sources that overlap (restored or backfilled blocks) into one order: of equal timestamps the
    /// first source wins, whichever kind its sample is of.
    /// - Parameter sources: where each source's samples begin, and the end.
    package mutating func merge(_ sources: [BufferMark]) {
        guard let start = sources.first else { return }
        var samples: [SourceSample] = []
        for (source, (from, to)) in zip(sources, sources.dropFirst()).enumerated() {
            for index in from.floats..<to.floats {
                samples.append(
                    SourceSample(
                        timestamp: timestamps[index], source: source, value: values[index],
                        start: index < startTimestamps.count ? startTimestamps[index] : 0))
            }
            for index in from.histograms..<to.histograms {
                // What a source knew of the sample before is not true of the one that may now be there.
                var histogram = histograms[index]
                if histogram.counterResetHint != .gauge { histogram.counterResetHint = .unknown }
                samples.append(
                    SourceSample(
                        timestamp: histogramTimestamps[index], source: source, histogram: histogram,
                        start: index < histogramStartTimestamps.count ? histogramStartTimestamps[index] : 0))
            }
        }
        samples.sort { $0.timestamp != $1.timestamp ? $0.timestamp < $1.timestamp : $0.source < $1.source }
        removeAll(since: start)
        var last: Timestamp?
        for sample in samples where sample.timestamp != last {
            last = sample.timestamp
            if let histogram = sample.histogram {
                append(sample.timestamp, histogram, start: sample.start)
            } else {
                append(sample.timestamp, sample.value, start: sample.start)
            }
        }
    }
}

/// A sample of either kind, and which source it is from.
private struct SourceSample {
    var timestamp: Timestamp
    var source: Int
    var value = 0.0
    var histogram: NativeHistogram?
    /// As in `SampleBuffer.startTimestamps`.
    var start: Timestamp
}

/// Where in a buffer the samples of each source begin, and whether every source is newer than those before.
package struct SourceMarks {
    /// And the end; empty while there are less than two sources.
    package private(set) var marks: [BufferMark] = []
    package private(set) var isOrdered = true
    private let start: BufferMark
    private var end: BufferMark
    private var newest: Timestamp?

    package init(_ buffer: SampleBuffer) {
        start = BufferMark(buffer)
        end = start
    }

    /// A source's samples are in the buffer.
    package mutating func note(_ buffer: SampleBuffer) {
        guard let oldest = buffer.oldest(since: end), let last = buffer.newest(since: end) else { return }
        let mark = end
        end = BufferMark(buffer)
        if let known = newest {
            if marks.isEmpty { marks = [start, mark] }
            marks.append(end)
            isOrdered = isOrdered && oldest > known
        }
        newest = max(newest ?? .min, last)
    }
}
