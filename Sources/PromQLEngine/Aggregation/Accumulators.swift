/// What an aggregation keeps of a group at one step. Values come in series order.
protocol Accumulator {
    init()
    mutating func add(_ value: Double)
    /// Asked only after a value was added.
    var result: Double { get }
}

struct SumAccumulator: Accumulator {
    private var total = KahanSum()

    mutating func add(_ value: Double) { total.add(value) }

    var result: Double { total.sum.isInfinite ? total.sum : total.value }
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
