import SeriesModel

/// The `…_over_time` functions, changes and resets over all windows of a series, from state that is carried from window
/// to window where that gives exactly what looking at each window anew would give.
enum SlidingWindows {
    /// By the number of samples.
    static func counting(_ value: @escaping @Sendable (Int) -> Double) -> SeriesKernel {
        { windows, column in windows.fill(&column) { low, high, _ in value(high &- low) } }
    }

    /// The first or last sample.
    static func edge(isFirst: Bool) -> SeriesKernel {
        { windows, column in
            let values = windows.values
            windows.fill(&column) { low, high, _ in values[isFirst ? low : high &- 1] }
        }
    }

    /// The time of the first or last sample, seconds.
    static func edgeTime(isFirst: Bool) -> SeriesKernel {
        { windows, column in
            let times = windows.times
            windows.fill(&column) { low, high, _ in Double(times[isFirst ? low : high &- 1]) / 1000 }
        }
    }

    // MARK: Extremes

    /// The greatest value of each window; NaN gives way to any number.
    static let greatest: SeriesKernel = { windows, column in
        eachExtreme(windows, &column, { $0 > $1 }, { windows.values[$0] })
    }

    static let least: SeriesKernel = { windows, column in
        eachExtreme(windows, &column, { $0 < $1 }, { windows.values[$0] })
    }

    /// When the greatest value was, the last time it was there; seconds.
    static let greatestTime: SeriesKernel = { windows, column in
        eachExtreme(windows, &column, { $0 >= $1 }, { Double(windows.times[$0]) / 1000 })
    }

    static let leastTime: SeriesKernel = { windows, column in
        eachExtreme(windows, &column, { $0 <= $1 }, { Double(windows.times[$0]) / 1000 })
    }

    /// A queue of the samples that may yet be extreme: each is better than all behind it. Samples enter and leave once.
    /// - Parameter isBetter: whether a newer value takes the place of an older one.
    @inline(__always)
    private static func eachExtreme(
        _ windows: SeriesWindows, _ column: inout Column, _ isBetter: (Double, Double) -> Bool,
        _ result: (Int) -> Double
    ) {
        let values = windows.values
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: max(1, values.count)) { queue in
            var head = 0
            var tail = 0
            var entered = 0
            windows.fill(&column) { low, high, _ in
                if entered < low {
                    entered = low
                    head = tail
                }
                while entered < high {
                    let value = values[entered]
                    if !value.isNaN {
                        while tail > head, isBetter(value, values[Int(queue[tail &- 1])]) { tail &-= 1 }
                        queue[tail] = Int32(truncatingIfNeeded: entered)
                        tail &+= 1
                    }
                    entered &+= 1
                }
                while head < tail, Int(queue[head]) < low { head &+= 1 }
                // Nothing but NaN: the last of them.
                return result(head < tail ? Int(queue[head]) : high &- 1)
            }
        }
    }

    // MARK: Sums

    static let sum: SeriesKernel = { windows, column in
        let values = windows.values
        windows.fill(&column) { low, high, _ in
            var total = KahanSum()
            for index in low..<high { total.add(values[index]) }
            return total.sum.isInfinite ? total.sum : total.value
        }
    }

    static let average: SeriesKernel = { windows, column in
        let values = windows.values
        windows.fill(&column) { low, high, _ in
            var total = KahanSum(values[low])
            var index = low &+ 1
            while index < high {
                total.add(values[index])
                index &+= 1
            }
            if !total.sum.isInfinite, !total.sum.isNaN {
                let count = Double(high &- low)
                return total.sum / count + total.compensation / count
            }
            // Somewhere on the way it may have to be carried on as a mean.
            var mean = KahanMean(values[low])
            for index in low &+ 1..<max(high, low &+ 1) { mean.add(values[index]) }
            return mean.value
        }
    }

    // MARK: Neighbours

    /// How often neighbouring samples differ in the way told.
    static func changes(_ isChange: @escaping @Sendable (_ before: Double, _ after: Double) -> Bool) -> SeriesKernel {
        { windows, column in
            let values = windows.values
            withUnsafeTemporaryAllocation(of: Int32.self, capacity: max(1, values.count)) { totals in
                // Up to each sample.
                var total: Int32 = 0
                if let first = totals.indices.first { totals[first] = 0 }
                var index = 1
                while index < values.count {
                    if isChange(values[index &- 1], values[index]) { total &+= 1 }
                    totals[index] = total
                    index &+= 1
                }
                windows.fill(&column) { low, high, _ in Double(totals[high &- 1] &- totals[low]) }
            }
        }
    }
}
