import SeriesModel

/// All windows of a range function over one series of floats, for functions that compute them in one pass. Stale
/// markers are out, no start timestamps are in use, and the windows are not extended.
struct SeriesWindows {
    let times: UnsafeBufferPointer<Timestamp>
    let values: UnsafeBufferPointer<Double>
    /// For each step the first sample of its window, and the one behind the last.
    let lows: UnsafeBufferPointer<Int32>
    let highs: UnsafeBufferPointer<Int32>
    /// Only for functions that ask for it; means nothing for windows of fewer than two samples.
    let stretches: UnsafeBufferPointer<Stretch>
    /// ms
    let width: Int64

    /// Sets the column's value at each step whose window has at least so many samples.
    @inline(__always)
    func fill(_ column: inout Column, atLeast count: Int = 1, _ value: (_ low: Int, _ high: Int, _ step: Int) -> Double)
    {
        column.values.withUnsafeMutableBufferPointer { out in
            column.present.fill { step in
                let (low, high) = (Int(lows[step]), Int(highs[step]))
                guard high &- low >= count else { return false }
                out[step] = value(low, high, step)
                return true
            }
        }
    }
}

/// The function's values over all windows of a series.
typealias SeriesKernel = @Sendable (SeriesWindows, inout Column) -> Void
