import PromQLSyntax
import SeriesModel

/// rate, increase, delta, irate and idelta.
enum RateFunctions {
    static let all: [FunctionDefinition] = [
        difference("rate", isCounter: true, isRate: true),
        difference("increase", isCounter: true, isRate: false),
        difference("delta", isCounter: false, isRate: false),
        FunctionDefinition(
            name: "irate",
            kernel: .window({ window, _ in instant(window, isRate: true) }) { instant($0, $1, isRate: true) },
            series: { SlidingRate.instant($0, &$1, isRate: true) }),
        FunctionDefinition(
            name: "idelta",
            kernel: .window({ window, _ in instant(window, isRate: false) }) { instant($0, $1, isRate: false) },
            series: { SlidingRate.instant($0, &$1, isRate: false) }),
    ]

    private static func difference(_ name: String, isCounter: Bool, isRate: Bool) -> FunctionDefinition {
        FunctionDefinition(
            name: name,
            kernel: .window({ window, call in
                if call.range.rangeExtension != .none {
                    return ExtendedRange.rate(window, call, isCounter: isCounter, isRate: isRate)
                }
                return extrapolated(window, call, isCounter: isCounter, isRate: isRate)
            }) { window, call in
                if call.range.rangeExtension != .none {
                    return HistogramRate.extended(window, call, isCounter: isCounter, isRate: isRate)
                }
                if window.histogramCount == 0 {
                    return extrapolated(window.floats, call, isCounter: isCounter, isRate: isRate).map { .float($0) }
                }
                return HistogramRate.extrapolated(window, call, isCounter: isCounter, isRate: isRate)
            },
            series: { SlidingRate.extrapolated($0, &$1, isCounter: isCounter, isRate: isRate) },
            needsStretches: true)
    }

    // MARK: Extrapolation

    /// The difference of last and first sample, counter resets added back, stretched to the edges of the window as
    /// far as the samples' spacing says that the series went on.
    private static func extrapolated(
        _ window: Window, _ call: WindowCall, isCounter: Bool, isRate: Bool
    ) -> Double? {
        let (times, values) = (window.times, window.values)
        let (low, last) = (window.low, window.high &- 1)
        guard last >= low else { return nil }
        var result = values[last] - values[low]
        if isCounter { result = addingResets(window, result, call) }
        var stretch = Stretch(
            first: times[low], last: times[last], count: window.count, start: window.start, end: window.end)
        if isCounter, let began = window.known(start: low), began > window.start, began < times[low] {
            // The counter began inside the window, at zero.
            stretch.begin(at: began, last: times[last])
            result += values[low]
        } else if window.count == 1 {
            return nil
        } else if isCounter, result > 0, values[low] >= 0 {
            stretch.limit(toZero: values[low] / result)
        }
        return result * stretch.factor(isRate ? call.range.width : nil)
    }

    private static func addingResets(_ window: Window, _ difference: Double, _ call: WindowCall) -> Double {
        var result = difference
        var previous = window.values[window.low]
        if window.starts.isEmpty {
            for index in window.low &+ 1..<max(window.high, window.low &+ 1) {
                let value = window.values[index]
                if value < previous { result += previous }
                previous = value
            }
            return result
        }
        var hasOverlap = false
        for index in window.low &+ 1..<max(window.high, window.low &+ 1) {
            let value = window.values[index]
            let pair = StartTimestamps.Pair(window.starts, window.times, index)
            if value < previous || pair.isReset { result += previous }
            hasOverlap = hasOverlap || pair.overlaps
            previous = value
        }
        if hasOverlap { StartTimestamps.warnOfOverlap(call) }
        return result
    }

    // MARK: The last two samples

    private static func instant(_ window: Window, isRate: Bool) -> Double? {
        guard window.count >= 2 else { return nil }
        let last = window.high &- 1
        let interval = window.times[last] &- window.times[last &- 1]
        guard interval != 0 else { return nil }
        let (previous, newest) = (window.values[last &- 1], window.values[last])
        if !isRate { return newest - previous }
        var isReset = newest < previous
        if !window.starts.isEmpty {
            isReset = isReset || StartTimestamps.Pair(window.starts, window.times, last).isReset
        }
        return (isReset ? newest : newest - previous) / (Double(interval) / 1000)
    }

    /// The newest two samples, of whichever kind they are.
    private static func instant(_ window: MixedWindow, _ call: WindowCall, isRate: Bool) -> PointValue? {
        let floats = window.floats
        let newestFloat = floats.count > 0 ? floats.times[floats.high &- 1] : Int64.min
        let olderFloat = floats.count > 1 ? floats.times[floats.high &- 2] : Int64.min
        let newest = window.times.last ?? Int64.min
        let older = window.histogramCount > 1 ? window.times[window.times.endIndex - 2] : Int64.min
        if olderFloat > newest { return instant(floats, isRate: isRate).map { .float($0) } }
        guard older > newestFloat else {
            if floats.count + window.histogramCount >= 2 { HistogramRate.warnOfMix(call, at: call.rangeArgument) }
            return nil
        }
        return HistogramRate.instant(window, call, isRate: isRate).map { .histogram($0) }
    }
}

extension Window {
    /// The start timestamp of a sample, nil where it is unknown.
    @inline(__always)
    func known(start index: Int) -> Timestamp? {
        guard index < starts.count, starts[index] != 0 else { return nil }
        return starts[index]
    }
}

/// How far the difference between the first and the last sample of a window is stretched to the window's edges.
struct Stretch {
    /// Seconds each.
    private(set) var toStart: Double
    private(set) var toEnd: Double
    private(set) var sampled: Double

    /// Of no window.
    static let none = Stretch(first: 0, last: 0, count: 0, start: 0, end: 0)

    /// - Parameter count: of the samples.
    init(first: Timestamp, last: Timestamp, count: Int, start: Timestamp, end: Timestamp) {
        toStart = Double(first &- start) / 1000
        toEnd = Double(end &- last) / 1000
        sampled = Double(last &- first) / 1000
        let spacing = count > 1 ? sampled / Double(count - 1) : 0
        // A gap of more than a tenth above the spacing says that the series began, or ended, inside the window.
        let threshold = spacing * 1.1
        if toStart >= threshold { toStart = spacing / 2 }
        if toEnd >= threshold { toEnd = spacing / 2 }
    }

    /// A counter cannot have been below zero: no further back than to where it was zero.
    /// - Parameter share: the first value as a part of the increase.
    mutating func limit(toZero share: Double) {
        let toZero = sampled * share
        if toZero < toStart { toStart = toZero }
    }

    /// The series is known to have begun so long before the last sample.
    mutating func begin(at time: Timestamp, last: Timestamp) {
        toStart = 0
        sampled = Double(last &- time) / 1000
    }

    /// - Parameter width: the window's in ms, where the result is to be a rate.
    func factor(_ width: Int64?) -> Double {
        var factor = sampled == 0 ? 1 : (sampled + toStart + toEnd) / sampled
        if let width { factor /= Double(width) / 1000 }
        return factor
    }
}

/// What start timestamps say of counters.
enum StartTimestamps {
    /// A sample and the one before it.
    struct Pair {
        let previousStart: Timestamp
        let previousTime: Timestamp
        let start: Timestamp
        let time: Timestamp

        init(_ starts: UnsafeBufferPointer<Timestamp>, _ times: UnsafeBufferPointer<Timestamp>, _ index: Int) {
            self.init(starts[index - 1], times[index - 1], starts[index], times[index])
        }

        init(_ previousStart: Timestamp, _ previousTime: Timestamp, _ start: Timestamp, _ time: Timestamp) {
            self.previousStart = previousStart
            self.previousTime = previousTime
            self.start = start
            self.time = time
        }

        /// Whether the counter began anew between the two. A start at the very time of the previous sample says so for
        /// a series of deltas, but not where the start of the previous sample was unknown.
        var isReset: Bool {
            if start == 0 || start >= time || start < previousTime { return false }
            if start > previousTime { return true }
            return previousStart != 0 && previousStart < previousTime
        }

        /// The second claims to have begun while the first was still counting, and is not of the same run.
        var overlaps: Bool { start != 0 && start < previousTime && start != previousStart }
    }

    static func warnOfOverlap(_ call: WindowCall) {
        call.context.annotations.warn(
            "sample has start time that overlaps with previous sample timestamp for metric "
                + GoQuote.quote(call.metricName), at: call.rangeArgument)
    }
}
