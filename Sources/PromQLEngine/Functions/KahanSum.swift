/// Compensated summation in Neumaier's form (Zeitschrift für Angewandte Mathematik und Mechanik 54, 1974), as
/// upstream adds samples.
struct KahanSum {
    var sum: Double
    var compensation: Double

    init(_ sum: Double = 0, compensation: Double = 0) {
        self.sum = sum
        self.compensation = compensation
    }

    @inline(__always)
    mutating func add(_ value: Double) {
        let total = sum + value
        if total.isInfinite {
            compensation = 0
        } else if abs(sum) >= abs(value) {
            compensation += (sum - total) + value
        } else {
            compensation += (value - total) + sum
        }
        sum = total
    }

    var value: Double { sum + compensation }
}

/// The mean of values as upstream takes it: a compensated sum, and from the value on that would overflow it, the mean
/// carried on incrementally.
struct KahanMean {
    private var total: KahanSum
    private var count = 1.0
    private var isIncremental = false

    init(_ first: Double) { total = KahanSum(first) }

    mutating func add(_ value: Double) {
        count += 1
        if !isIncremental {
            var next = total
            next.add(value)
            if !next.sum.isInfinite {
                total = next
                return
            }
            isIncremental = true
            total = KahanSum(total.sum / (count - 1), compensation: total.compensation / (count - 1))
        }
        let share = (count - 1) / count
        total = KahanSum(share * total.sum, compensation: share * total.compensation)
        total.add(value / count)
    }

    var value: Double {
        isIncremental ? total.value : total.sum / count + total.compensation / count
    }
}
