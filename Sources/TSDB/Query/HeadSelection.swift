import SeriesModel
import StorageAPI

/// The head's part of a view: what was found, and the chunks as they were at that moment.
struct HeadSelection {
    struct Entry {
        let labels: LabelSet
        let hash: UInt64
        let snapshot: HeadSnapshot
    }

    var entries: [Entry] = []

    /// - Parameter range: already cut to what is the head's to answer for.
    /// Under the gate, shared.
    init(
        _ matchers: [LabelMatcher], _ range: TimeRange, _ head: Head, _ resolution: inout MatcherResolution
    ) throws {
        guard let held = head.range, held.overlaps(range) else { return }
        for slot in try resolution.resolve(matchers, in: head.postings) {
            guard let series = head.series(at: slot) else { continue }
            let snapshot = series.snapshot()
            guard snapshot.overlaps(range) else { continue }
            entries.append(Entry(labels: series.labels, hash: series.hash, snapshot: snapshot))
        }
    }
}
