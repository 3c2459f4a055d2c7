/// Spans of time that neither overlap nor touch, in ascending order: what a deletion hides of a series.
package struct TimeRangeSet: Sendable, Hashable {
    package private(set) var ranges: [TimeRange] = []

    package init() {}

    package init(_ ranges: some Sequence<TimeRange>) {
        for range in ranges { insert(range) }
    }

    package var isEmpty: Bool { ranges.isEmpty }

    /// From the first to the last ms of the set; nil while it is empty.
    package var span: TimeRange? {
        guard let first = ranges.first, let last = ranges.last else { return nil }
        return TimeRange(min: first.min, max: last.max)
    }

    package func contains(_ timestamp: Timestamp) -> Bool {
        let index = firstIndex(endingAtOrAfter: timestamp)
        return index < ranges.count && ranges[index].min <= timestamp
    }

    /// Whether all of a range is in the set.
    package func covers(_ range: TimeRange) -> Bool {
        let index = firstIndex(endingAtOrAfter: range.min)
        return index < ranges.count && ranges[index].min <= range.min && range.max <= ranges[index].max
    }

    package func overlaps(_ range: TimeRange) -> Bool {
        let index = firstIndex(endingAtOrAfter: range.min)
        return index < ranges.count && ranges[index].min <= range.max
    }

    /// Adds a range; an empty one changes nothing. Ranges that overlap or touch become one.
    package mutating func insert(_ range: TimeRange) {
        guard range.min <= range.max else { return }
        let first = firstIndex(endingAtOrAfter: range.min.subtractingClamped(1))
        var end = first
        var whole = range
        while end < ranges.count, ranges[end].min <= range.max.addingClamped(1) {
            whole.min = min(whole.min, ranges[end].min)
            whole.max = max(whole.max, ranges[end].max)
            end += 1
        }
        ranges.replaceSubrange(first..<end, with: CollectionOfOne(whole))
    }

    package mutating func formUnion(_ other: TimeRangeSet) {
        for range in other.ranges { insert(range) }
    }

    /// Forgets the ranges that end before a time. ms
    package mutating func removeAll(endingBefore time: Timestamp) {
        ranges.removeFirst(firstIndex(endingAtOrAfter: time))
    }

    private func firstIndex(endingAtOrAfter time: Timestamp) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].max < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension SampleBuffer {
    /// Takes out the samples whose time is in the set.
    /// - Parameter mark: what was there before it is not looked at.
    package mutating func removeAll(in deleted: TimeRangeSet, since mark: BufferMark = BufferMark()) {
        guard let span = deleted.span else { return }
        if let oldest = oldest(since: mark), let newest = newest(since: mark),
            span.overlaps(TimeRange(min: oldest, max: newest))
        {
            let floats = timestamps[mark.floats...].indices.filter { !deleted.contains(timestamps[$0]) }
            if mark.floats + floats.count < timestamps.count {
                SampleBuffer.keep(floats, of: &startTimestamps, from: mark.floats)
                SampleBuffer.keep(floats, of: &timestamps, from: mark.floats)
                SampleBuffer.keep(floats, of: &values, from: mark.floats)
            }
            let others = histogramTimestamps[mark.histograms...].indices.filter {
                !deleted.contains(histogramTimestamps[$0])
            }
            if mark.histograms + others.count < histogramTimestamps.count {
                SampleBuffer.keep(others, of: &histogramStartTimestamps, from: mark.histograms)
                SampleBuffer.keep(others, of: &histogramTimestamps, from: mark.histograms)
                SampleBuffer.keep(others, of: &histograms, from: mark.histograms)
            }
        }
    }

    /// - Parameter indexes: ascending, none below `start`. A column that is shorter has no entry for the later ones.
    private static func keep<Element>(_ indexes: [Int], of column: inout [Element], from start: Int) {
        var end = start
        for index in indexes where index < column.count {
            column[end] = column[index]
            end += 1
        }
        if end < column.count { column.removeSubrange(end...) }
    }
}
