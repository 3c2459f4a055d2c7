import SeriesModel
import StorageAPI

/// A store in memory, in the order of hashes.
struct MemoryStore: Queryable {
    struct Set: SeriesSet {
        let rows: [(labels: LabelSet, samples: SampleBuffer)]
        let range: TimeRange

        var count: Int { rows.count }

        func labels(at index: Int) -> LabelSet { rows[index].labels }

        func read(_ index: Int, into buffer: inout SampleBuffer) throws {
            let samples = rows[index].samples
            for (time, value) in zip(samples.timestamps, samples.values) where range.contains(time) {
                buffer.append(time, value)
            }
            for (time, value) in zip(samples.histogramTimestamps, samples.histograms) where range.contains(time) {
                buffer.append(time, value)
            }
        }
    }

    var rows: [(labels: LabelSet, samples: SampleBuffer)] = []

    func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet] {
        selections.map { selection in
            let found = rows.filter { row in selection.matchers.allSatisfy { $0.matches(row.labels) } }
            return Set(rows: found.sorted { $0.labels.stableHash < $1.labels.stableHash }, range: selection.range)
        }
    }

    func labelNames(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [String] {
        []
    }

    func labelValues(
        of name: String, matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [String] { [] }

    func series(
        matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [LabelSet] { [] }
}
