import PromQLSyntax
import SeriesModel

/// deriv, predict_linear and double_exponential_smoothing.
enum RegressionFunctions {
    static let all: [FunctionDefinition] = [
        FunctionDefinition(name: "deriv", kernel: .floatWindow { window, _ in deriv(window) }),
        FunctionDefinition(name: "predict_linear", kernel: .floatWindow { predict($0, $1) }),
        FunctionDefinition(name: "double_exponential_smoothing", kernel: .floatWindow { try smoothed($0, $1) }),
    ]

    private static func deriv(_ window: Window) -> Double? {
        guard window.count >= 2 else { return nil }
        return LinearRegression.fit(window, intercept: window.times[window.low]).slope
    }

    private static func predict(_ window: Window, _ call: WindowCall) -> Double? {
        guard window.count >= 2 else { return nil }
        let line = LinearRegression.fit(window, intercept: window.evaluationTime)
        return line.slope * call.parameter(0, at: window.step) + line.intercept
    }

    /// Holt's linear method: level and trend, each with its smoothing factor.
    private static func smoothed(_ window: Window, _ call: WindowCall) throws -> Double? {
        let level = call.parameter(0, at: window.step)
        let trendFactor = call.parameter(1, at: window.step)
        try check(level, "smoothing factor. Expected: 0 < sf < 1")
        try check(trendFactor, "trend factor. Expected: 0 < tf < 1")
        guard window.count >= 2 else { return nil }
        var previous = 0.0
        var current = window.values[window.low]
        var trend = window.values[window.low &+ 1] - window.values[window.low]
        for offset in 1..<window.count {
            let x = level * window.values[window.low &+ offset]
            if offset > 1 { trend = trendFactor * (current - previous) + (1 - trendFactor) * trend }
            let y = (1 - level) * (current + trend)
            (previous, current) = (current, x + y)
        }
        return current
    }

    private static func check(_ factor: Double, _ demand: String) throws(QueryError) {
        // A NaN passes, and the result is NaN.
        guard factor <= 0 || factor >= 1 else { return }
        throw .execution("invalid \(demand), got: \(NumberText.fixed(factor, digits: 6))")
    }
}

/// Least squares over the samples of a window.
enum LinearRegression {
    /// - Parameter intercept: ms; the time at which the line's `intercept` is taken.
    static func fit(_ window: Window, intercept: Timestamp) -> (slope: Double, intercept: Double) {
        let first = window.values[window.low]
        var isConstant = true
        var n = 0.0
        var sumX = KahanSum()
        var sumY = KahanSum()
        var sumXY = KahanSum()
        var sumX2 = KahanSum()
        for index in window.low..<window.high {
            let y = window.values[index]
            if isConstant, index > window.low, y != first { isConstant = false }
            n += 1
            let x = Double(window.times[index] &- intercept) / 1000
            sumX.add(x)
            sumY.add(y)
            sumXY.add(x * y)
            sumX2.add(x * x)
        }
        if isConstant { return first.isInfinite ? (.nan, .nan) : (0, first) }
        let covariance = sumXY.value - sumX.value * sumY.value / n
        let variance = sumX2.value - sumX.value * sumX.value / n
        let slope = covariance / variance
        return (slope, sumY.value / n - slope * sumX.value / n)
    }
}
