import SeriesModel
import StorageAPI
import WAL

extension Head {
    /// What a deletion means for a series: of the range that part in which the series has samples now. Nil for none.
    /// On the committer.
    func deletion(of slot: UInt32, in range: TimeRange) -> LogBatch.Deletion? {
        guard let series = series(at: slot), let first = series.firstTimestamp, let last = series.last else {
            return nil
        }
        let hidden = TimeRange(min: max(range.min, first, start), max: min(range.max, last.timestamp))
        guard hidden.min <= hidden.max else { return nil }
        return LogBatch.Deletion(slot: slot, generation: series.generation, range: hidden)
    }

    /// Hides samples of series that are there, whose deletion is in the log. Exclusive, or before the threads start.
    /// - Returns: how many of the deletions were of series that are not there.
    @discardableResult
    func delete(_ deletions: [LogBatch.Deletion]) -> Int {
        let known = deletions.filter { holds($0.slot, $0.generation) }
        tombstones.add(known)
        return deletions.count - known.count
    }

    /// Exclusive, or before the threads start. Forgets what can hide nothing any more.
    func forgetDeletions() {
        if tombstones.isEmpty { return }
        tombstones.forget(before: start) { holds($0, $1) }
    }

    private func holds(_ slot: UInt32, _ generation: UInt32) -> Bool {
        series(SeriesRef(slot: slot, generation: generation)) != nil
    }
}
