import HeadMemory
import Logging
package import SeriesModel
import StorageAPI
import WAL

extension TSDB {
    /// A record of the log holds about so many deletions.
    static let deletionsPerRecord = 500_000

    /// Hides the samples of the matching series in a range of time. When the call returns no query sees them, also
    /// after a restart; the space is given back when blocks are cut, merged or cleaned. As upstream, samples that come
    /// later are hidden only where they lie between the first and the last that the series had in the head. Blocks:
    /// waits for a cut or a merge that runs.
    /// - Parameter matching: each list selects series for itself; no list selects none.
    /// - Returns: how many series were found, one held by head and blocks counted for each.
    @discardableResult
    package func deleteSeries(matching: [[LabelMatcher]], in range: TimeRange) throws -> Int {
        // Not beside a cut: its block would have what is deleted meanwhile.
        try exclusively {
            try refuseDeletionFromPrometheus(matching, range)
            let count = try deleteFromHead(matching, range) + deleteFromBlocks(matching, range)
            options.logger.info(
                "series deleted",
                metadata: ["series": "\(count)", "mint": "\(range.min)", "maxt": "\(range.max)"])
            return count
        }
    }

    private func deleteFromHead(_ matching: [[LabelMatcher]], _ range: TimeRange) throws -> Int {
        let stay = head.epochs.enter()
        let matchings = matching.map { HeadMatching($0, head, stay) }
        return try committer.perform { [head, log] in
            let deletions = head.deletions(of: PostingsList.union(matchings.map { $0.slots() }), in: range)
            for start in stride(from: 0, to: deletions.count, by: TSDB.deletionsPerRecord) {
                var batch = LogBatch()
                batch.deletions = Array(deletions[start..<min(start + TSDB.deletionsPerRecord, deletions.count)])
                _ = try log.append(batch)
                head.gate.exclusive { head.apply(deletions: batch.deletions) }
            }
            return deletions.count
        }
    }
}
