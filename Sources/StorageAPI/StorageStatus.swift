package import SeriesModel

/// What a store tells about itself: the source of `/api/v1/status/tsdb` and of the retention line on the status page.
package protocol StorageStatus: Sendable {
    func headStatistics() -> HeadStatistics

    /// The largest groups of series, at most `limit` rows each.
    func cardinality(limit: Int) -> Cardinality

    /// As shown in `runtimeinfo`: "30d or 10GiB".
    var retentionDescription: String { get }

    /// Damage met since the start.
    var corruptionCount: Int { get }

    /// What is known of it: files set aside or repaired, and the spans of time in which samples may be missing.
    var damages: [StorageDamage] { get }

    /// What a merge of blocks that is under way does, in words; nil for none.
    var compactionDescription: String? { get }

    /// What does not work now, the oldest first; empty where all is well.
    var problems: [StorageProblem] { get }
}

extension StorageStatus {
    package var damages: [StorageDamage] { [] }
    package var compactionDescription: String? { nil }
    package var problems: [StorageProblem] { [] }
}

/// A damaged file.
package struct StorageDamage: Sendable, Hashable {
    package var file: String
    package var reason: String
    /// The span of time in which samples may be missing, as far as it is known. ms
    package var after: Timestamp?
    package var before: Timestamp?

    package init(file: String, reason: String, after: Timestamp? = nil, before: Timestamp? = nil) {
        self.file = file
        self.reason = reason
        self.after = after
        self.before = before
    }
}

package struct HeadStatistics: Sendable, Hashable {
    package var seriesCount = 0
    package var labelPairCount = 0
    package var chunkCount = 0
    /// ms; nil while the head is empty.
    package var range: TimeRange?

    package init() {}
}

package struct Cardinality: Sendable, Hashable {
    package struct Row: Sendable, Hashable {
        package var name: String
        package var value: Int

        package init(name: String, value: Int) {
            self.name = name
            self.value = value
        }
    }

    package var seriesCountByMetricName: [Row] = []
    package var valueCountByLabelName: [Row] = []
    /// Bytes of the values of each label, each value counted once for each series that has it.
    package var memoryByLabelName: [Row] = []
    /// Rows named `label=value`.
    package var seriesCountByLabelPair: [Row] = []

    package init() {}
}
