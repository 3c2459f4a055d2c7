package import SeriesModel

/// The ranges of blocks: of one length, beginning at multiples of it.
package enum BlockWindows {
    /// The range of the blocks that a head is cut into. ms
    package static let standard: Int64 = 2 * 3_600_000

    /// The longest of 2 h, 6 h, 18 h, 54 h… that is not longer than `limit`; 2 h at least. ms
    package static func length(atMost limit: Int64) -> Int64 {
        var length = standard
        while length <= limit / 3 { length *= 3 }
        return length
    }

    /// The windows that a range touches, oldest first. Their end is **excluded**. ms
    /// - Precondition: `length` > 0
    package static func covering(_ range: TimeRange, length: Int64) -> some Sequence<TimeRange> {
        var start = range.max < range.min ? nil : start(of: range.min, length)
        return AnyIterator {
            guard let current = start else { return nil }
            let (end, hasOverflowed) = current.addingReportingOverflow(length)
            start = hasOverflowed || end > range.max ? nil : end
            return TimeRange(min: current, max: hasOverflowed ? .max : end)
        }
    }

    private static func start(of time: Timestamp, _ length: Int64) -> Timestamp {
        let rest = time % length
        return time.subtractingClamped(rest < 0 ? rest + length : rest)
    }
}
