import PromQLSyntax
import SeriesModel

/// Windows whose edges get a value of their own: the sample before the edge (`anchored`), or the point on the line
/// between the samples around it (`smoothed`).
///
/// Works on the times of one kind of samples, floats or histograms; what lies further from the window than the lookback
/// is not seen.
struct ExtendedRange {
    /// Indexes into the series' samples.
    let first: Int
    let last: Int
    /// The edges lie between samples, and are interpolated.
    let interpolatesStart: Bool
    let interpolatesEnd: Bool

    /// Nil where there is nothing to go by.
    init?(
        _ times: UnsafeBufferPointer<Timestamp>, _ kind: RangeExtension, from start: Timestamp, to end: Timestamp,
        low: Int, high: Int, lookback: Int64
    ) {
        let isSmoothed = kind == .smoothed
        let hasBefore = low > 0 && times[low &- 1] > start &- lookback
        let seenFirst = hasBefore ? low &- 1 : low
        var seenLast = high &- 1
        if isSmoothed {
            // The first sample at or after the end, or else the newest before it.
            let isExact = high > low && times[high &- 1] == end
            if !isExact, high < times.count, times[high] <= end &+ lookback { seenLast = high }
        }
        guard seenLast >= seenFirst, times[seenLast] > start else { return nil }
        if isSmoothed, times[seenFirst] > end { return nil }
        first = seenFirst
        last = seenLast
        interpolatesStart = isSmoothed && times[seenFirst] < start && seenLast > seenFirst
        interpolatesEnd = isSmoothed && seenLast > seenFirst && times[seenLast] > end
    }

    // MARK: Floats

    static func rate(_ window: Window, _ call: WindowCall, isCounter: Bool, isRate: Bool) -> Double? {
        guard
            let edges = ExtendedRange(
                window.times, call.range.rangeExtension, from: window.start, to: window.end, low: window.low,
                high: window.high, lookback: call.context.lookbackDelta)
        else { return nil }
        let left = edges.left(window, isCounter)
        let right = edges.right(window, isCounter)
        var result = right - left
        if isCounter {
            // Resets at the edges are in the interpolated values already.
            let inner = edges.first + (window.times[edges.first] <= window.start ? 1 : 0)
            let end = edges.last + (window.times[edges.last] >= window.end ? 0 : 1)
            var previous = left
            for index in inner..<max(inner, end) {
                if window.values[index] < previous { result += previous }
                previous = window.values[index]
            }
            if right < previous { result += previous }
        }
        return isRate ? result / (Double(call.range.width) / 1000) : result
    }

    private func left(_ window: Window, _ isCounter: Bool) -> Double {
        guard interpolatesStart else { return window.values[first] }
        return ExtendedRange.interpolate(window, first, first + 1, at: window.start, isCounter)
    }

    private func right(_ window: Window, _ isCounter: Bool) -> Double {
        guard interpolatesEnd else { return window.values[last] }
        return ExtendedRange.interpolate(window, last - 1, last, at: window.end, isCounter)
    }

    private static func interpolate(
        _ window: Window, _ a: Int, _ b: Int, at time: Timestamp, _ isCounter: Bool
    ) -> Double {
        let after = window.values[b]
        // After a reset the counter climbs from zero.
        let before = isCounter && after < window.values[a] ? 0 : window.values[a]
        return Smoothing.interpolate(window.times[a], before, window.times[b], after, at: time)
    }

    // MARK: The range vector itself

    /// The samples inside, and one at each edge.
    static func samples(
        _ samples: borrowing SampleBuffer, from start: Timestamp, to end: Timestamp, lookback: Int64,
        _ kind: RangeExtension
    ) throws -> SampleBuffer {
        if !samples.histograms.isEmpty {
            throw QueryError.execution("\(kind.rawValue) modifier is not supported with histograms")
        }
        var result = SampleBuffer()
        samples.timestamps.withUnsafeBufferPointer { times in
            samples.values.withUnsafeBufferPointer { values in
                let low = times.firstIndex { $0 > start } ?? times.count
                let high = times.firstIndex { $0 > end } ?? times.count
                guard
                    let edges = ExtendedRange(
                        times, kind, from: start, to: end, low: low, high: high, lookback: lookback)
                else { return }
                let window = Window(
                    times: times, values: values, low: low, high: high, start: start, end: end, step: 0,
                    evaluationTime: end)
                result.append(start, edges.left(window, false))
                for index in low..<high where times[index] < end { result.append(times[index], values[index]) }
                result.append(end, edges.right(window, false))
            }
        }
        return result
    }
}
