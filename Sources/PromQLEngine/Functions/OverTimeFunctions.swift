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
        FunctionDefinition(name: "last_over_time", dropsName: false, kernel: edge(isFirst: false)),
        FunctionDefinition(name: "first_over_time", dropsName: false, kernel: edge(isFirst: true)),
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
        FunctionDefinition(name: "ts_of_last_over_time", kernel: edgeTime(isFirst: false)),
        FunctionDefinition(name: "ts_of_first_over_time", kernel: edgeTime(isFirst: true)),
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
    private static func edge(isFirst: Bool) -> FunctionKernel {
        .window({ window, _ in
            window.count > 0 ? window.values[isFirst ? window.low : window.high &- 1] : nil
        }) { window, _ in
            let floats = window.floats
            let index = isFirst ? floats.low : floats.high &- 1
            let float = floats.count > 0 ? floats.times[index] : nil
            let time = isFirst ? window.times.first : window.times.last
            guard let histogram = isFirst ? window.histograms.first : window.histograms.last, let time else {
                return float == nil ? nil : .float(floats.values[index])
            }
            if let float, isFirst ? float < time : float > time { return .float(floats.values[index]) }
            return .histogram(histogram)
        }
    }

    private static func edgeTime(isFirst: Bool) -> FunctionKernel {
        .window({ window, _ in
            seconds(window, window.count > 0 ? (isFirst ? window.low : window.high &- 1) : nil)
        }) { window, _ in
            let floats = window.floats
            let float = floats.count > 0 ? floats.times[isFirst ? floats.low : floats.high &- 1] : nil
            let histogram = isFirst ? window.times.first : window.times.last
            let times = [float, histogram].compactMap { $0 }
            return (isFirst ? times.min() : times.max()).map { .float(Double($0) / 1000) }
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

    private static func sum(_ window: MixedWindow, _ call: WindowCall) -> PointValue? {
        if isMixed(window, call) { return nil }
        guard window.histogramCount > 0 else { return sum(window.floats).map { .float($0) } }
        return total(window, call, HistogramSum(isMean: false)) { sum throws(HistogramError) in try sum.sum() }
    }

    private static func average(_ window: MixedWindow, _ call: WindowCall) -> PointValue? {
        if isMixed(window, call) { return nil }
        guard window.histogramCount > 0 else { return average(window.floats).map { .float($0) } }
        return total(window, call, HistogramSum(isMean: true)) { sum throws(HistogramError) in try sum.mean() }
    }

    private static func isMixed(_ window: MixedWindow, _ call: WindowCall) -> Bool {
        guard window.floats.count > 0, window.histogramCount > 0 else { return false }
        HistogramRate.warnOfMix(call, at: call.rangeArgument)
        return true
    }

    private static func total(
        _ window: MixedWindow, _ call: WindowCall, _ empty: HistogramSum,
        _ result: (HistogramSum) throws(HistogramError) -> NativeHistogram?
    ) -> PointValue? {
        var sum = empty
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
