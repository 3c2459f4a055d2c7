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
