import SeriesModel

/// The `…_over_time` family. What depends on the order of additions is computed anew for each window, in upstream's
/// order.
enum OverTimeFunctions {
    static let all: [FunctionDefinition] = [
        FunctionDefinition(
            name: "avg_over_time", kernel: .window({ window, _ in average(window) }) { average($0, $1) },
            series: SlidingWindows.average),
        FunctionDefinition(
            name: "sum_over_time", kernel: .window({ window, _ in sum(window) }) { sum($0, $1) },
            series: SlidingWindows.sum),
        FunctionDefinition(
            name: "count_over_time", kernel: counting { Double($0) }, series: SlidingWindows.counting { Double($0) }),
        FunctionDefinition(
            name: "present_over_time", kernel: counting { _ in 1 }, series: SlidingWindows.counting { _ in 1 }),
        FunctionDefinition(
            name: "last_over_time", dropsName: false, kernel: edge(isFirst: false),
            series: SlidingWindows.edge(isFirst: false)),
        FunctionDefinition(
            name: "first_over_time", dropsName: false, kernel: edge(isFirst: true),
            series: SlidingWindows.edge(isFirst: true)),
        FunctionDefinition(
            name: "max_over_time",
            kernel: .floatWindow { window, _ in extreme(window) { $0 > $1 }.map { window.values[$0] } },
            series: SlidingWindows.greatest),
        FunctionDefinition(
            name: "min_over_time",
            kernel: .floatWindow { window, _ in extreme(window) { $0 < $1 }.map { window.values[$0] } },
            series: SlidingWindows.least),
        FunctionDefinition(
            name: "ts_of_max_over_time",
            kernel: .floatWindow { window, _ in seconds(window, extreme(window) { $0 >= $1 }) },
            series: SlidingWindows.greatestTime),
        FunctionDefinition(
            name: "ts_of_min_over_time",
            kernel: .floatWindow { window, _ in seconds(window, extreme(window) { $0 <= $1 }) },
            series: SlidingWindows.leastTime),
        FunctionDefinition(
            name: "ts_of_last_over_time", kernel: edgeTime(isFirst: false),
            series: SlidingWindows.edgeTime(isFirst: false)),
        FunctionDefinition(
            name: "ts_of_first_over_time", kernel: edgeTime(isFirst: true),
            series: SlidingWindows.edgeTime(isFirst: true)),
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
        var values = values
        return of(&values, q)
    }

    /// - Parameter values: come back in another order.
    static func of(_ values: inout [Double], _ q: Double) -> Double {
        if values.isEmpty || q.isNaN { return .nan }
        if q < 0 { return -.infinity }
        if q > 1 { return .infinity }
        let rank = q * Double(values.count - 1)
        let lower = max(0, rank.rounded(.down))
        let low = Int(clamping: Int64(clamping: lower) ?? 0)
        let high = min(values.count - 1, low + 1)
        let weight = rank - lower
        return values.withUnsafeMutableBufferPointer { values in
            // NaN comes before all numbers.
            var numbers = 0
            for index in values.indices where values[index].isNaN {
                values.swapAt(index, numbers)
                numbers += 1
            }
            func ranked(_ index: Int) -> Double {
                if index < numbers { return values[index] }
                select(values, from: numbers, index)
                return values[index]
            }
            return ranked(low) * (1 - weight) + ranked(high) * weight
        }
    }

    /// Brings the value of a rank to its place, the lesser ones before it (Hoare, 1961, with the median of three as
    /// pivot; sorts what is left once it has taken too many turns).
    private static func select(_ values: UnsafeMutableBufferPointer<Double>, from start: Int, _ rank: Int) {
        var (low, high) = (start, values.count - 1)
        var turns = 0
        while high - low > 16 {
            turns += 1
            if turns > 64 { break }
            let middle = low + (high - low) / 2
            if values[middle] < values[low] { values.swapAt(middle, low) }
            if values[high] < values[low] { values.swapAt(high, low) }
            if values[high] < values[middle] { values.swapAt(high, middle) }
            let pivot = values[middle]
            var (left, right) = (low, high)
            while left <= right {
                while values[left] < pivot { left += 1 }
                while pivot < values[right] { right -= 1 }
                if left <= right {
                    values.swapAt(left, right)
                    left += 1
                    right -= 1
                }
            }
            if rank <= right {
                high = right
            } else if rank >= left {
                low = left
            } else {
                return
            }
        }
        if high > low {
            var rest = UnsafeMutableBufferPointer(rebasing: values[low...high])
            rest.sort()
        }
    }

    static func isOutOfRange(_ q: Double) -> Bool { q.isNaN || q < 0 || q > 1 }

    static func rangeWarning(_ q: Double) -> String {
        "quantile value should be between 0 and 1, got \(NumberText.general(q))"
    }
}
