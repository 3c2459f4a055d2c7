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
}
