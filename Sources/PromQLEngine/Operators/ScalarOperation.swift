import PromQLSyntax

#if canImport(Glibc)
    import Glibc
#endif

/// What a binary operator does to two numbers.
struct ScalarOperation {
    private let operation: BinaryOperator

    init(_ operation: BinaryOperator) { self.operation = operation }

    /// Between scalars; comparisons give 1 or 0.
    func scalar(_ a: Double, _ b: Double) -> Double {
        operation.isComparison ? (compare(a, b) ? 1 : 0) : arithmetic(a, b)
    }

    @inline(__always)
    func compare(_ a: Double, _ b: Double) -> Bool {
        switch operation {
        case .equal: a == b
        case .notEqual: a != b
        case .greater: a > b
        case .less: a < b
        case .greaterOrEqual: a >= b
        case .lessOrEqual: a <= b
        default: false
        }
    }

    @inline(__always)
    func arithmetic(_ a: Double, _ b: Double) -> Double {
        switch operation {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .modulo: fmod(a, b)
        case .power: pow(a, b)
        case .atan2: atan2(a, b)
        default: .nan
        }
    }

    /// Combines two columns in place, the operator looked at once.
    func combine(
        _ values: UnsafeMutableBufferPointer<Double>, with others: UnsafeBufferPointer<Double>, scalarIsLeft: Bool
    ) {
        switch operation {
        case .add: ScalarOperation.each(values, others, scalarIsLeft) { $0 + $1 }
        case .subtract: ScalarOperation.each(values, others, scalarIsLeft) { $0 - $1 }
        case .multiply: ScalarOperation.each(values, others, scalarIsLeft) { $0 * $1 }
        case .divide: ScalarOperation.each(values, others, scalarIsLeft) { $0 / $1 }
        default: ScalarOperation.each(values, others, scalarIsLeft) { scalar($0, $1) }
        }
    }

    @inline(__always)
    private static func each(
        _ values: UnsafeMutableBufferPointer<Double>, _ others: UnsafeBufferPointer<Double>, _ isSwapped: Bool,
        _ body: (Double, Double) -> Double
    ) {
        let count = min(values.count, others.count)
        if isSwapped {
            for step in 0..<count { values[step] = body(others[step], values[step]) }
        } else {
            for step in 0..<count { values[step] = body(values[step], others[step]) }
        }
    }
}
