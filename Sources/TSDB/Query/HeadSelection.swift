import SeriesModel
import StorageAPI

/// The head's part of a view: what was found, and the chunks as they were at that moment.
struct HeadSelection {
    struct Entry {
        let labels: LabelSet
        let hash: UInt64
        let snapshot: HeadSnapshot
        /// What was deleted of it; nil for nothing.
        let deleted: TimeRangeSet?
    }

    var entries: [Entry] = []

    /// Everything. On the committer.
    init(all head: Head) {
        entries.reserveCapacity(head.seriesCount)
        head.forEach { series in
            entries.append(
                Entry(
                    labels: series.labels, hash: series.hash, snapshot: series.snapshot(),
                    deleted: head.tombstones.ranges(slot: series.slot, generation: series.generation)))
        }
    }

    /// - Parameter range: already cut to what is the head's to answer for.
    /// Under the gate, shared.
    init(
        _ matchers: [LabelMatcher], _ range: TimeRange, _ head: Head, _ resolution: inout MatcherResolution
    ) throws {
        let isInRange = head.range?.overlaps(range) ?? false
        self.init(isInRange ? try resolution.resolve(matchers, in: head.postings) : [], range, head)
    }

    /// - Parameter slots: of the series.
    /// Under the gate, shared.
    init(_ slots: [UInt32], _ range: TimeRange, _ head: Head) {
        for slot in slots {
            guard let series = head.series(at: slot) else { continue }
            let snapshot = series.snapshot()
            guard snapshot.overlaps(range) else { continue }
            let deleted = head.tombstones.ranges(slot: slot, generation: series.generation)
            if deleted?.covers(range) ?? false { continue }
            entries.append(Entry(labels: series.labels, hash: series.hash, snapshot: snapshot, deleted: deleted))
        }
    }
}
