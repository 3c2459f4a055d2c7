import SeriesModel

/// When two results count as the same number.
enum FloatComparison {
    private static let epsilon = 1e-6

    static func areClose(_ a: Double, _ b: Double) -> Bool {
        if StaleMarker.isStale(a) || StaleMarker.isStale(b) { return StaleMarker.isStale(a) && StaleMarker.isStale(b) }
        if a.isNaN && b.isNaN { return true }
        if a == b { return true }
        let sum = abs(a) + abs(b)
        let difference = abs(a - b)
        if a == 0 || b == 0 || sum < Double.leastNormalMagnitude {
            return difference < epsilon * Double.leastNormalMagnitude
        }
        return difference / min(sum, Double.greatestFiniteMagnitude) < epsilon
    }
}
