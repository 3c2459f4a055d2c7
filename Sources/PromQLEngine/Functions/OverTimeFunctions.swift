import SeriesModel

/// The `…_over_time` family. What depends on the order of additions is computed anew for each window, in upstream's
/// order.
enum OverTimeFunctions {
    static let all: [FunctionDefinition] = [
        FunctionDefinition(
            name: "avg_over_time", kernel: .window({ window, _ in average(window) }) { average($0, $1) }),
        FunctionDefinition(name: "sum_over_time", kernel: .window({ window, _ in sum(window) }) { sum($0, $1) }),
        FunctionDefinition(name: "count_over_time", kernel: counting { Double($0) }),
        FunctionDefinition(name: "present_over_time", kernel: counting { _ in 1 }),
        FunctionDefinition(
            name: "last_over_time", dropsName: false,
            kernel: edge({ $0.high &- 1 }) { floatTime, histogramTime in histogramTime < floatTime }),
        FunctionDefinition(
            name: "first_over_time", dropsName: false,
            kernel: edge({ $0.low }) { floatTime, histogramTime in floatTime < histogramTime }),
        FunctionDefinition(
            name: "max_over_time",
            kernel: .floatWindow { window, _ in extreme(window) { $0 > $1 }.map { window.values[$0] } }),
        FunctionDefinition(
            name: "min_over_time",
            kernel: .floatWindow { window, _ in extreme(window) { $0 < $1 }.map { window.values[$0] } }),
        FunctionDefinition(
            name: "ts_of_max_over_time",
            kernel: .floatWindow { window, _ in seconds(window, extreme(window) { $0 >= $1 }) }),
        FunctionDefinition(
            name: "ts_of_min_over_time",
            kernel: .floatWindow { window, _ in seconds(window, extreme(window) { $0 <= $1 }) }),
        FunctionDefinition(name: "ts_of_last_over_time", kernel: edgeTime({ $0.high &- 1 }, last: true)),
        FunctionDefinition(name: "ts_of_first_over_time", kernel: edgeTime({ $0.low }, last: false)),
        FunctionDefinition(
            name: "stddev_over_time", kernel: .floatWindow { window, _ in variance(window)?.squareRoot() }),
        FunctionDefinition(name: "stdvar_over_time", kernel: .floatWindow { window, _ in variance(window) }),
        FunctionDefinition(name: "quantile_over_time", kernel: .floatWindow { quantile($0, $1) }),
        FunctionDefinition(name: "mad_over_time", kernel: .floatWindow { window, _ in medianDeviation(window) }),
    ]

    private static func counting(_ value: @escaping @Sendable (Int) -> Double) -> FunctionKernel {
        .window({ window, _ in window.count > 0 ? value(window.count) : nil }) { window, _ in
            .float(value(window.floats.count + window.histogramCount))
        }
    }

    // MARK: Edges

    /// The first or the last sample.
    private static func edge(
        _ index: @escaping @Sendable (Window) -> Int,
        _ prefersFloat: @escaping @Sendable (_ float: Timestamp, _ histogram: Timestamp) -> Bool
    ) -> FunctionKernel {
        .window({ window, _ in window.count > 0 ? window.values[index(window)] : nil }) { window, _ in
            let floats = window.floats
            guard let first = window.histograms.first, let last = window.histograms.last else {
                return floats.count > 0 ? .float(floats.values[index(floats)]) : nil
            }
            let isFirst = index(floats) == floats.low && prefersFloat(0, 1)
            let time = isFirst ? window.times.first : window.times.last
            if floats.count > 0, prefersFloat(floats.times[index(floats)], time ?? 0) {
                return .float(floats.values[index(floats)])
            }
            return .histogram(isFirst ? first : last)
        }
    }

    private static func edgeTime(
        _ index: @escaping @Sendable (Window) -> Int, last: Bool
    ) -> FunctionKernel {
        .window({ window, _ in seconds(window, window.count > 0 ? index(window) : nil) }) { window, _ in
            let float = window.floats.count > 0 ? window.floats.times[index(window.floats)] : nil
            let histogram = last ? window.times.last : window.times.first
            let times = [float, histogram].compactMap { $0 }
            return (last ? times.max() : times.min()).map { .float(Double($0) / 1000) }
        }
    }

    private static func seconds(_ window: Window, _ index: Int?) -> Double? {
        index.map { Double(window.times[$0]) / 1000 }
    }

    // MARK: Sums

    private static func sum(_ window: Window) -> Double? {
        guard window.count > 0 else { return nil }
        var total = KahanSum()
        for index in window.low..<window.high { total.add(window.values[index]) }
        return total.sum.isInfinite ? total.sum : total.value
    }

    private static func average(_ window: Window) -> Double? {
        guard window.count > 0 else { return nil }
        var mean = KahanMean(window.values[window.low])
        var index = window.low &+ 1
        while index < window.high {
            mean.add(window.values[index])
            index &+= 1
        }
        return mean.value
    }

    private static func sum(_ window: MixedWindow, _ call: WindowCall) -> WindowValue? {
        if isMixed(window, call) { return nil }
        guard window.histogramCount > 0 else { return sum(window.floats).map { .float($0) } }
        return total(window, call) { $0.sum() }
    }

    private static func average(_ window: MixedWindow, _ call: WindowCall) -> WindowValue? {
        if isMixed(window, call) { return nil }
        guard window.histogramCount > 0 else { return average(window.floats).map { .float($0) } }
        return total(window, call) { $0.mean() }
    }

    private static func isMixed(_ window: MixedWindow, _ call: WindowCall) -> Bool {
        guard window.floats.count > 0, window.histogramCount > 0 else { return false }
        HistogramRate.warnOfMix(call, at: call.rangeArgument)
        return true
    }

    private static func total(
        _ window: MixedWindow, _ call: WindowCall, _ result: (HistogramSum) throws(HistogramError) -> NativeHistogram?
    ) -> WindowValue? {
        var sum = HistogramSum()
        var value: NativeHistogram?
        do throws(HistogramError) {
            for histogram in window.histograms { try sum.add(histogram) }
            value = try result(sum)
        } catch {
            HistogramRate.incompatible(call)
        }
        if sum.hasCollision {
            call.context.annotations.warn(
                "conflicting counter resets during histogram aggregation", at: call.rangeArgument)
        }
        if sum.hasReconciledBounds { HistogramRate.noteReconciled("aggregation", call) }
        return value.map { .histogram($0) }
    }

    // MARK: Others

    /// The index of the extreme value; NaN gives way to any number.
    private static func extreme(_ window: Window, _ isBetter: (Double, Double) -> Bool) -> Int? {
        guard window.count > 0 else { return nil }
        var best = window.low
        for index in window.low..<window.high
        where isBetter(window.values[index], window.values[best]) || window.values[best].isNaN {
            best = index
        }
        return best
    }

    /// Welford's method with compensated sums.
    private static func variance(_ window: Window) -> Double? {
        guard window.count > 0 else { return nil }
        var count = 0.0
        var mean = KahanSum()
        var squares = KahanSum()
        for index in window.low..<window.high {
            count += 1
            let value = window.values[index]
            let delta = value - mean.value
            mean.add(delta / count)
            squares.add(delta * (value - mean.value))
        }
        return squares.value / count
    }

    private static func quantile(_ window: Window, _ call: WindowCall) -> Double? {
        guard window.count > 0 else { return nil }
        let q = call.parameter(0, at: window.step)
        if q.isNaN || q < 0 || q > 1 {
            call.context.annotations.warn(Quantile.rangeWarning(q), at: call.firstArgumentRange)
        }
        return Quantile.of(Array(window.values[window.low..<window.high]), q)
    }

    private static func medianDeviation(_ window: Window) -> Double? {
        guard window.count > 0 else { return nil }
        let values = Array(window.values[window.low..<window.high])
        let median = Quantile.of(values, 0.5)
        return Quantile.of(values.map { abs($0 - median) }, 0.5)
    }
}

/// Quantiles of a set of values, linear between neighbours.
enum Quantile {
    /// - Returns: NaN for no values or NaN rank, ∓Inf below 0 and above 1.
    static func of(_ values: [Double], _ q: Double) -> Double {
        if values.isEmpty || q.isNaN { return .nan }
        if q < 0 { return -.infinity }
        if q > 1 { return .infinity }
        let sorted = values.sorted { $0 < $1 || ($0.isNaN && !$1.isNaN) }
        let rank = q * Double(sorted.count - 1)
        let lower = max(0, rank.rounded(.down))
        let low = Int(clamping: Int64(clamping: lower) ?? 0)
        let high = min(sorted.count - 1, low + 1)
        let weight = rank - lower
        return sorted[low] * (1 - weight) + sorted[high] * weight
    }

    static func isOutOfRange(_ q: Double) -> Bool { q.isNaN || q < 0 || q > 1 }

    static func rangeWarning(_ q: Double) -> String {
        "quantile value should be between 0 and 1, got \(NumberText.general(q))"
    }
}
