package import SeriesModel
package import StorageAPI

/// What the head holds of a range of time, series by series in the order of their labels: the source of a block.
package struct HeadCut: @unchecked Sendable {
    private let capture: HeadSelection.Capture

    /// On the committer.
    /// - Parameter range: closed. ms
    package init(_ head: Head, _ range: TimeRange) {
        let view = HeadView(head, head.epochs.enter())
        var slots: [UInt32] = []
        head.allSlots.append(to: &slots)
        capture = HeadSelection.Capture(slots, range, view)
    }

    /// The aligned ranges of a width that hold something, oldest first. `[min, max)`, ms
    package func windows(width: Int64) -> [TimeRange] {
        capture.windows(width: width).map { TimeRange(min: $0 * width, max: ($0 + 1) * width) }
    }

    /// Calls the body for each series that has a sample in a range. Any thread.
    /// - Parameters:
    ///   - range: closed, a part of the one that the cut was taken of.
    ///   - damaged: gets what is wrong with a chunk that cannot be read; its samples are left out unless it throws.
    ///   - body: the samples are only lent.
    package func forEach(
        in range: TimeRange, damaged: (StorageError) throws(StorageError) -> Void,
        _ body: (LabelSet, SampleBuffer) throws(StorageError) -> Void
    ) throws(StorageError) {
        var samples = SampleBuffer()
        for row in capture.orderedByLabels() {
            samples.removeAll()
            try capture.read(row, range, into: &samples, damaged: damaged)
            if !samples.isEmpty { try body(capture.labels(of: row), samples) }
        }
    }
}
