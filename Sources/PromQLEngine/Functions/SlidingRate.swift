import SeriesModel

/// rate, increase, delta, irate and idelta over all windows of a series: first and last sample, and the sparse list of
/// counter resets between them, added in the order in which the samples come.
enum SlidingRate {
    static func extrapolated(_ windows: SeriesWindows, _ column: inout Column, isCounter: Bool, isRate: Bool) {
        let values = windows.values
        let seconds = isRate ? Double(windows.width) / 1000 : 1
        if !isCounter {
            return windows.fill(&column, atLeast: 2) { low, high, step in
                let stretch = windows.stretches[step]
                return (values[high &- 1] - values[low]) * factor(stretch, stretch.toStart, isRate, seconds)
            }
        }
        let resets = resets(values)
        resets.withUnsafeBufferPointer { resets in
            // The first reset that may lie in the window.
            var next = 0
            windows.fill(&column, atLeast: 2) { low, high, step in
                var result = values[high &- 1] - values[low]
                while next < resets.count, Int(resets[next]) <= low { next &+= 1 }
                var reset = next
                while reset < resets.count, Int(resets[reset]) < high {
                    result += values[Int(resets[reset]) &- 1]
                    reset &+= 1
                }
                let stretch = windows.stretches[step]
                var toStart = stretch.toStart
                let first = values[low]
                if result > 0, first >= 0 {
                    // A counter cannot have been below zero.
                    let toZero = stretch.sampled * (first / result)
                    if toZero < toStart { toStart = toZero }
                }
                return result * factor(stretch, toStart, isRate, seconds)
            }
        }
    }

    @inline(__always)
    private static func factor(_ stretch: Stretch, _ toStart: Double, _ isRate: Bool, _ seconds: Double) -> Double {
        let sampled = stretch.sampled
        let factor = sampled == 0 ? 1 : (sampled + toStart + stretch.toEnd) / sampled
        return isRate ? factor / seconds : factor
    }

    /// The samples that are less than the one before.
    static func resets(_ values: UnsafeBufferPointer<Double>) -> [Int32] {
        var found: [Int32] = []
        var index = 1
        // Four at a time: mostly there is none.
        while index &+ 3 < values.count {
            let any =
                values[index] < values[index &- 1] || values[index &+ 1] < values[index]
                || values[index &+ 2] < values[index &+ 1] || values[index &+ 3] < values[index &+ 2]
            if any {
                for sample in index...index &+ 3 where values[sample] < values[sample &- 1] {
                    found.append(Int32(truncatingIfNeeded: sample))
                }
            }
            index &+= 4
        }
        while index < values.count {
            if values[index] < values[index &- 1] { found.append(Int32(truncatingIfNeeded: index)) }
            index &+= 1
        }
        return found
    }

    /// The last two samples.
    static func instant(_ windows: SeriesWindows, _ column: inout Column, isRate: Bool) {
        let (times, values) = (windows.times, windows.values)
        windows.fill(&column, atLeast: 2) { _, high, _ in
            let last = high &- 1
            let (previous, newest) = (values[last &- 1], values[last])
            if !isRate { return newest - previous }
            let interval = times[last] &- times[last &- 1]
            return (newest < previous ? newest : newest - previous) / (Double(interval) / 1000)
        }
    }
}
