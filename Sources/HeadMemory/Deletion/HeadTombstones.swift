package import SeriesModel
import StorageAPI
package import WAL

/// What was deleted of the series that are in the head. A value: whoever takes a view keeps what held then.
///
/// Series are named by slot and generation, as in the log: the next owner of a slot has nothing to do with what was
/// deleted of the one before.
package struct HeadTombstones: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        var generation: UInt32
        var ranges: TimeRangeSet
    }

    private var entries: [UInt32: Entry] = [:]

    package var isEmpty: Bool { entries.isEmpty }

    /// The number of series.
    package var count: Int { entries.count }

    /// What is hidden of a series; nil for nothing.
    func ranges(slot: UInt32, generation: UInt32) -> TimeRangeSet? {
        guard let entry = entries[slot], entry.generation == generation else { return nil }
        return entry.ranges
    }

    mutating func add(_ deletions: [LogBatch.Deletion]) {
        for deletion in deletions {
            if entries[deletion.slot]?.generation != deletion.generation {
                entries[deletion.slot] = Entry(generation: deletion.generation, ranges: TimeRangeSet())
            }
            entries[deletion.slot]?.ranges.insert(deletion.range)
        }
    }

    /// All of it, in the order of the slots: what a checkpoint has to hold.
    var deletions: [LogBatch.Deletion] {
        entries.sorted { $0.key < $1.key }.flatMap { slot, entry in
            entry.ranges.ranges.map { LogBatch.Deletion(slot: slot, generation: entry.generation, range: $0) }
        }
    }

    /// Forgets what lies before the head's start, and all of series that have left.
    mutating func forget(before start: Timestamp, isAlive: (_ slot: UInt32, _ generation: UInt32) -> Bool) {
        for (slot, entry) in entries {
            var ranges = entry.ranges
            ranges.removeAll(endingBefore: start)
            if ranges.isEmpty || !isAlive(slot, entry.generation) {
                entries[slot] = nil
            } else if ranges != entry.ranges {
                entries[slot]?.ranges = ranges
            }
        }
    }
}

extension Head {
    /// What a deletion means for the series of some slots: of the range that part in which each has samples now. On the
    /// committer.
    package func deletions(of slots: [UInt32], in range: TimeRange) -> [LogBatch.Deletion] {
        slots.compactMap { slot in
            guard let record = record(at: slot)?.pointee else { return nil }
            let state = SeriesSnapshot(record, slot)
            guard let held = state.heldRange else { return nil }
            let first = state.hasOutOfOrder ? held.min : max(held.min, start)
            let hidden = TimeRange(min: max(range.min, first), max: min(range.max, held.max))
            guard hidden.min <= hidden.max else { return nil }
            return LogBatch.Deletion(slot: slot, generation: record.generation, range: hidden)
        }
    }

    /// Exclusive. Hides what a record of the log deleted.
    package func apply(deletions: [LogBatch.Deletion]) { tombstones.add(deletions) }

    /// Exclusive. Forgets tombstones of what the head has no more.
    func forgetTombstones() {
        if tombstones.isEmpty { return }
        // Samples out of order may be older than the start.
        let oldest = min(start, range?.min ?? start)
        tombstones.forget(before: oldest) { slot, generation in
            record(SeriesRef(slot: slot, generation: generation)) != nil
        }
    }
}
