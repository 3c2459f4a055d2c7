#if canImport(Glibc)
    import Glibc
#endif

/// Functions of single values.
enum MathFunctions {
    static let all: [FunctionDefinition] =
        [
            unary("abs") { abs($0) }, unary("ceil") { $0.rounded(.up) }, unary("floor") { $0.rounded(.down) },
            unary("exp") { exp($0) }, unary("sqrt") { $0.squareRoot() }, unary("ln") { log($0) },
            unary("log2") { log2($0) }, unary("log10") { log10($0) }, unary("sin") { sin($0) },
            unary("cos") { cos($0) }, unary("tan") { tan($0) }, unary("asin") { asin($0) },
            unary("acos") { acos($0) }, unary("atan") { atan($0) }, unary("sinh") { sinh($0) },
            unary("cosh") { cosh($0) }, unary("tanh") { tanh($0) }, unary("asinh") { asinh($0) },
            unary("acosh") { acosh($0) }, unary("atanh") { atanh($0) }, unary("rad") { $0 * .pi / 180 },
            unary("deg") { $0 * 180 / .pi }, unary("sgn") { $0 < 0 ? -1 : $0 > 0 ? 1 : $0 },
            FunctionDefinition(name: "round", kernel: .map(round)),
            FunctionDefinition(name: "clamp", kernel: .map(clamp)),
            FunctionDefinition(name: "clamp_min", kernel: .map { column, bounds in clampMin(&column, bounds[0]) }),
            FunctionDefinition(name: "clamp_max", kernel: .map { column, bounds in clampMax(&column, bounds[0]) }),
        ]

    private static func unary(_ name: String, _ operation: @escaping @Sendable (Double) -> Double) -> FunctionDefinition
    {
        FunctionDefinition(
            name: name,
            kernel: .map { column, _ in
                for index in column.values.indices { column.values[index] = operation(column.values[index]) }
            })
    }

    /// To the nearest multiple, halves upwards; by way of the inverse, as upstream, for the sake of fractions.
    private static func round(_ column: inout Column, _ parameters: [[Double]]) {
        for index in column.values.indices {
            let inverse = 1 / (parameters.first?[index] ?? 1)
            column.values[index] = (column.values[index] * inverse + 0.5).rounded(.down) / inverse
        }
    }

    private static func clamp(_ column: inout Column, _ bounds: [[Double]]) {
        for index in column.values.indices {
            let (low, high) = (bounds[0][index], bounds[1][index])
            if high < low {
                column.present.remove(index)
            } else {
                column.values[index] = goMax(low, goMin(high, column.values[index]))
            }
        }
    }

    private static func clampMin(_ column: inout Column, _ bound: [Double]) {
        for index in column.values.indices { column.values[index] = goMax(bound[index], column.values[index]) }
    }

    private static func clampMax(_ column: inout Column, _ bound: [Double]) {
        for index in column.values.indices { column.values[index] = goMin(bound[index], column.values[index]) }
    }

    /// Go's `math.Max`: NaN where either is, unless the other is +Inf.
    static func goMax(_ a: Double, _ b: Double) -> Double {
        if a == .infinity || b == .infinity { return .infinity }
        if a.isNaN || b.isNaN { return .nan }
        if a == 0, b == 0 { return a.sign == .minus ? b : a }
        return a > b ? a : b
    }

    /// Go's `math.Min`.
    static func goMin(_ a: Double, _ b: Double) -> Double {
        if a == -.infinity || b == -.infinity { return -.infinity }
        if a.isNaN || b.isNaN { return .nan }
        if a == 0, b == 0 { return a.sign == .minus ? a : b }
        return a < b ? a : b
    }
}
