import SeriesModel

/// The times an expression is evaluated at: `start`, `start + step`, … `count` of them.
struct Grid: Sendable, Hashable {
    /// ms
    var start: Timestamp
    /// ms; > 0, also where there is one step only.
    var step: Int64
    var count: Int

    var end: Timestamp { start &+ step &* Int64(count - 1) }

    @inline(__always)
    func time(_ index: Int) -> Timestamp { start &+ step &* Int64(index) }

    /// The first step alone.
    var first: Grid { Grid(start: start, step: step, count: 1) }

    /// More steps than this are refused: the columns would not fit anyway.
    static let countMax = 100_000_000

    /// Times stay clear of the ends of `Int64`, so that sums of a few of them cannot overflow.
    static let timeMax: Int64 = 1 << 60
}
