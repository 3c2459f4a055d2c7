import PromQLSyntax
import SeriesModel

/// changes and resets: how often neighbouring samples differ, or fall.
enum CountingFunctions {
    static let all: [FunctionDefinition] = [
        FunctionDefinition(
            name: "changes",
            kernel: .window({ window, call in
                count(window, call) { window, index in
                    let (a, b) = (window.values[index &- 1], window.values[index])
                    return a != b && !(a.isNaN && b.isNaN)
                }
            }) { window, call in
                count(window, call) { a, b in
                    switch (a.value, b.value) {
                    case (.float(let x), .float(let y)): x != y && !(x.isNaN && y.isNaN)
                    case (.histogram(let x), .histogram(let y)): x != y
                    default: true
                    }
                }
            }, series: SlidingWindows.changes { $0 != $1 && !($0.isNaN && $1.isNaN) }),
        FunctionDefinition(
            name: "resets",
            kernel: .window({ window, call in
                count(window, call) { window, index in
                    if window.values[index] < window.values[index &- 1] { return true }
                    return !window.starts.isEmpty
                        && StartTimestamps.Pair(window.starts, window.times, index).isReset
                }
            }) { window, call in
                count(window, call) { a, b in
                    if StartTimestamps.Pair(a.start, a.time, b.start, b.time).isReset { return true }
                    return switch (a.value, b.value) {
                    case (.float(let x), .float(let y)): y < x
                    case (.histogram(let x), .histogram(let y)): y.isReset(after: x)
                    default: true
                    }
                }
            }, series: SlidingWindows.changes { $1 < $0 }),
    ]

    private static func count(
        _ window: Window, _ call: WindowCall, _ isCounted: (Window, _ index: Int) -> Bool
    ) -> Double? {
        guard window.count > 0 else { return nil }
        var low = window.low
        // An anchored window begins with the sample before it.
        if call.range.rangeExtension == .anchored, low > 0,
            window.times[low &- 1] > window.start &- call.context.lookbackDelta
        {
            low &-= 1
        }
        var count = 0
        var index = low &+ 1
        while index < window.high {
            if isCounted(window, index) { count &+= 1 }
            index &+= 1
        }
        return Double(count)
    }

    private struct Point {
        var time: Timestamp
        /// 0 for unknown.
        var start: Timestamp
        var value: PointValue
    }

    private static func count(
        _ window: MixedWindow, _ call: WindowCall, _ isCounted: (Point, Point) -> Bool
    ) -> PointValue? {
        guard window.floats.count + window.histogramCount > 0 else { return nil }
        let isAnchored = call.range.rangeExtension == .anchored
        var previous = isAnchored ? pointBefore(window, call) : nil
        var float = window.floats.low
        var histogram = window.times.startIndex
        var count = 0
        while float < window.floats.high || histogram < window.times.endIndex {
            let isFloat =
                histogram >= window.times.endIndex
                || (float < window.floats.high && window.floats.times[float] < window.times[histogram])
            let point = isFloat ? floatPoint(window, float) : histogramPoint(window, histogram)
            if isFloat { float += 1 } else { histogram += 1 }
            if let previous, isCounted(previous, point) { count += 1 }
            previous = point
        }
        return .float(Double(count))
    }

    private static func pointBefore(_ window: MixedWindow, _ call: WindowCall) -> Point? {
        let seen = window.floats.start &- call.context.lookbackDelta
        let float = window.floats.low > 0 ? floatPoint(window, window.floats.low - 1) : nil
        let index = window.times.startIndex
        let histogram = index > 0 ? histogramPoint(window, index - 1) : nil
        return [float, histogram].compactMap { $0 }.filter { $0.time > seen }.max { $0.time < $1.time }
    }

    private static func floatPoint(_ window: MixedWindow, _ index: Int) -> Point {
        Point(
            time: window.floats.times[index], start: window.floats.known(start: index) ?? 0,
            value: .float(window.floats.values[index]))
    }

    private static func histogramPoint(_ window: MixedWindow, _ index: Int) -> Point {
        Point(
            time: window.allTimes[index], start: window.startTimestamp(index),
            value: .histogram(window.allHistograms[index]))
    }
}
