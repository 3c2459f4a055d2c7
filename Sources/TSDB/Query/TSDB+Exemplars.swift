import HeadMemory
package import SeriesModel
package import StorageAPI

extension TSDB: ExemplarQueryable {
    package func exemplars(
        matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [(labels: LabelSet, exemplars: [Exemplar])] {
        if matching.isEmpty { return [] }
        return try head.exemplars.exemplars(in: range) { labels in
            try cancellation.check()
            return matching.contains { matchers in matchers.allSatisfy { $0.matches(labels) } }
        }
    }
}
