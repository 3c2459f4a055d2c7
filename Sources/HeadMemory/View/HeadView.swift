package import SeriesModel
package import StorageAPI

/// What a reader of the head holds: as long as it is there, nothing goes that was reachable when it was taken.
package final class HeadView: Sendable {
    package let head: Head
    private let stay: ViewEpochs.Stay
    let files: HeadChunkFileSet
    /// As `Head.start` was. ms
    package let start: Timestamp

    /// Under the gate.
    package init(_ head: Head, _ stay: ViewEpochs.Stay) {
        self.head = head
        self.stay = stay
        files = head.chunks.files
        start = head.start
    }

    /// The part of a range that the head answers for as to samples in order.
    package func inOrder(_ range: TimeRange) -> TimeRange { TimeRange(min: max(range.min, start), max: range.max) }
}

/// The series of the head that one selection found, and their chunks as they were at that moment.
package struct HeadSelection: Sendable {
    package struct Entry: Sendable {
        package let labels: LabelSet
        package let hash: UInt64
        fileprivate let snapshot: SeriesSnapshot
        /// What was deleted of it; nil for nothing.
        fileprivate let deleted: TimeRangeSet?
    }

    /// What is taken under the gate: no labels yet.
    package struct Capture: @unchecked Sendable {
        fileprivate struct Row {
            let hash: UInt64
            let labels: UnsafeMutablePointer<UInt32>
            let labelCount: Int
            let snapshot: SeriesSnapshot
            let deleted: TimeRangeSet?
        }

        fileprivate var rows: [Row] = []
        fileprivate let range: TimeRange
        fileprivate let view: HeadView

        /// Under the gate.
        package init(_ slots: [UInt32], _ range: TimeRange, _ view: HeadView) {
            self.range = range
            self.view = view
            let inOrder = view.inOrder(range)
            rows.reserveCapacity(slots.count)
            for slot in slots {
                guard let record = view.head.record(at: slot), let labels = record.pointee.labels else { continue }
                let snapshot = SeriesSnapshot(record.pointee, slot)
                guard snapshot.overlaps(range, inOrder: inOrder) else { continue }
                let deleted = view.head.tombstones.ranges(slot: slot, generation: record.pointee.generation)
                if deleted?.covers(range) ?? false { continue }
                rows.append(
                    Row(
                        hash: record.pointee.hash, labels: labels, labelCount: Int(record.pointee.labelCount),
                        snapshot: snapshot, deleted: deleted))
            }
        }
    }

    package let entries: [Entry]
    private let view: HeadView
    private let range: TimeRange

    /// Outside of the gate: puts the labels together.
    package init(_ capture: Capture) {
        view = capture.view
        range = capture.range
        let head = capture.view.head
        entries = capture.rows.map { row in
            Entry(
                labels: head.labels(row.labels, row.labelCount), hash: row.hash, snapshot: row.snapshot,
                deleted: row.deleted)
        }
    }

    /// Appends the samples of an entry.
    /// - Parameter newestOnly: the newest one alone.
    package func read(_ entry: Int, newestOnly: Bool, into buffer: inout SampleBuffer) throws(StorageError) {
        let snapshot = entries[entry].snapshot
        if let deleted = entries[entry].deleted {
            // The newest may be a deleted one: all are looked at.
            let before = BufferMark(buffer)
            try snapshot.read(range, inOrder: view.inOrder(range), view.files, into: &buffer)
            buffer.removeAll(in: deleted, since: before)
        } else if newestOnly {
            try snapshot.readNewest(range, inOrder: view.inOrder(range), view.files, into: &buffer)
        } else {
            try snapshot.read(range, inOrder: view.inOrder(range), view.files, into: &buffer)
        }
    }
}

// MARK: - All series, one at a time

extension HeadSelection.Capture {
    func labels(of row: Int) -> LabelSet { view.head.labels(rows[row].labels, rows[row].labelCount) }

    /// - Parameter range: a part of the one that was captured.
    func read(
        _ row: Int, _ range: TimeRange, into buffer: inout SampleBuffer,
        damaged: (StorageError) throws(StorageError) -> Void
    ) throws(StorageError) {
        let before = BufferMark(buffer)
        try withoutActuallyEscaping(damaged) { (damaged) throws(StorageError) in
            try rows[row].snapshot.read(
                range, inOrder: view.inOrder(range), view.files, into: &buffer, damaged: damaged)
        }
        if let deleted = rows[row].deleted { buffer.removeAll(in: deleted, since: before) }
    }

    /// The numbers of the aligned windows of a width that something may lie in, ascending.
    func windows(width: Int64) -> [Int64] {
        var windows: Set<Int64> = []
        for row in rows {
            row.snapshot.forEachRange { held in
                let held = TimeRange(min: max(held.min, range.min), max: min(held.max, range.max))
                guard held.min <= held.max else { return }
                // A chunk lies in one window, or, if it could not be closed in time, in a few.
                for window in Timestamp.window(of: held.min, width)...Timestamp.window(of: held.max, width) {
                    windows.insert(window)
                }
            }
        }
        return windows.sorted()
    }

    /// The rows in the order of their label sets, without putting the sets together: pairs are ranked once, and rows
    /// compared by the ranks of their pairs.
    func orderedByLabels() -> [Int] {
        var ranks: [UInt32: UInt32] = [:]
        for row in rows {
            for index in 0..<row.labelCount { ranks[row.labels[index]] = 0 }
        }
        let sorted = ranks.keys.sorted { view.head.pairs.precedes($0, $1) }
        for (rank, pair) in sorted.enumerated() { ranks[pair] = UInt32(rank) }
        // The ranks of all rows, one behind the other: no look-up while sorting.
        var keys: [UInt32] = []
        var starts: [Int] = [0]
        starts.reserveCapacity(rows.count + 1)
        for row in rows {
            for index in 0..<row.labelCount { keys.append(ranks[row.labels[index]] ?? 0) }
            starts.append(keys.count)
        }
        return keys.withUnsafeBufferPointer { keys in
            rows.indices.sorted { a, b in
                keys[starts[a]..<starts[a + 1]].lexicographicallyPrecedes(keys[starts[b]..<starts[b + 1]])
            }
        }
    }
}
