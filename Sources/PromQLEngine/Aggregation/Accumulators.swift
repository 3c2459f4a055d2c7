/// What an aggregation keeps of a group at all steps. Values come in series order.
protocol ColumnAccumulator {
    init(count: Int)
    /// Adds the values that are there.
    mutating func add(_ values: UnsafeBufferPointer<Double>, _ present: PresenceBitmap)
    /// Asked only of steps that a value was added at.
    func result(at step: Int) -> Double
    /// Bytes a step takes.
    static var stride: Int { get }
}

/// One accumulator for each step.
struct Rows<A: Accumulator>: ColumnAccumulator {
    private var rows: [A]

    init(count: Int) { rows = [A](repeating: A(), count: count) }

    mutating func add(_ values: UnsafeBufferPointer<Double>, _ present: PresenceBitmap) {
        rows.withUnsafeMutableBufferPointer { rows in
            if present.isFull {
                for step in rows.indices { rows[step].add(values[step]) }
            } else {
                present.forEach { rows[$0].add(values[$0]) }
            }
        }
    }

    func result(at step: Int) -> Double { rows[step].result }

    static var stride: Int { MemoryLayout<A>.stride }
}

/// Compensated sums (see `KahanSum`), sums and compensations in columns of their own so that neighbouring steps are added
/// side by side.
struct SumRows: ColumnAccumulator {
    private var sums: [Double]
    private var compensations: [Double]

    init(count: Int) {
        sums = [Double](repeating: 0, count: count)
        compensations = sums
    }

    mutating func add(_ values: UnsafeBufferPointer<Double>, _ present: PresenceBitmap) {
        let isFull = present.isFull
        sums.withUnsafeMutableBufferPointer { sums in
            compensations.withUnsafeMutableBufferPointer { compensations in
                if isFull {
                    for step in sums.indices { SumRows.add(values[step], &sums[step], &compensations[step]) }
                } else {
                    present.forEach { SumRows.add(values[$0], &sums[$0], &compensations[$0]) }
                }
            }
        }
    }

    /// Without branches.
    @inline(__always)
    private static func add(_ value: Double, _ sum: inout Double, _ compensation: inout Double) {
        let total = sum + value
        let isSumLarger = abs(sum) >= abs(value)
        let larger = isSumLarger ? sum : value
        let smaller = isSumLarger ? value : sum
        let next = compensation + ((larger - total) + smaller)
        compensation = abs(total) == .infinity ? 0 : next
        sum = total
    }

    func result(at step: Int) -> Double {
        sums[step].isInfinite ? sums[step] : sums[step] + compensations[step]
    }

    static var stride: Int { 2 * MemoryLayout<Double>.stride }
}

/// What an aggregation keeps of a group at one step.
protocol Accumulator {
    init()
    mutating func add(_ value: Double)
    /// Asked only after a value was added.
    var result: Double { get }
}

struct MeanAccumulator: Accumulator {
    private var mean: KahanMean?

    mutating func add(_ value: Double) {
        if mean == nil {
            mean = KahanMean(value)
        } else {
            mean?.add(value)
        }
    }

    var result: Double { mean?.value ?? .nan }
}

struct CountAccumulator: Accumulator {
    private var count = 0.0

    mutating func add(_ value: Double) { count += 1 }

    var result: Double { count }
}

struct GroupAccumulator: Accumulator {
    mutating func add(_ value: Double) {}

    var result: Double { 1 }
}

/// NaN gives way to any number.
struct MinimumAccumulator: Accumulator {
    private var least = Double.nan

    mutating func add(_ value: Double) {
        if value < least || least.isNaN { least = value }
    }

    var result: Double { least }
}

struct MaximumAccumulator: Accumulator {
    private var greatest = Double.nan

    mutating func add(_ value: Double) {
        if value > greatest || greatest.isNaN { greatest = value }
    }

    var result: Double { greatest }
}

/// Population variance by Welford's method.
struct VarianceAccumulator: Accumulator {
    private var count = 0.0
    private var mean = 0.0
    private var squares = 0.0

    mutating func add(_ value: Double) {
        count += 1
        if count == 1 {
            mean = value
            squares = value.isFinite ? 0 : .nan
        } else {
            let delta = value - mean
            mean += delta / count
            squares += delta * (value - mean)
        }
    }

    var result: Double { squares / count }
}

struct DeviationAccumulator: Accumulator {
    private var variance = VarianceAccumulator()

    mutating func add(_ value: Double) { variance.add(value) }

    var result: Double { variance.result.squareRoot() }
}
