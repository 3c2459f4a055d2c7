import SeriesModel
import StorageAPI

/// A list of series as a store.
struct ListStore: Queryable {
    private(set) var series: [(labels: LabelSet, samples: SampleBuffer)] = []

    mutating func add(_ labels: LabelSet, _ samples: SampleBuffer) {
        series.append((labels, samples))
    }

    func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet] {
        selections.map { selection in
            let found = series.filter { entry in selection.matchers.allSatisfy { $0.matches(entry.labels) } }
            return Found(
                series: found.sorted { ($0.labels.stableHash, $0.labels) < ($1.labels.stableHash, $1.labels) },
                range: selection.range)
        }
    }

    func series(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [LabelSet] {
        series.map(\.labels).filter { labels in
            matching.isEmpty || matching.contains { $0.allSatisfy { $0.matches(labels) } }
        }.sorted()
    }

    func labelNames(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [String] {
        let found = try series(matching: matching, in: range, cancellation: cancellation)
        return Set(found.flatMap { $0.map(\.name) }).sorted { $0.precedesByBytes($1) }
    }

    func labelValues(
        of name: String, matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [String] {
        let found = try series(matching: matching, in: range, cancellation: cancellation)
        return Set(found.compactMap { $0[name] }).sorted { $0.precedesByBytes($1) }
    }

    private struct Found: SeriesSet {
        let series: [(labels: LabelSet, samples: SampleBuffer)]
        let range: TimeRange

        var count: Int { series.count }

        func labels(at index: Int) -> LabelSet { series[index].labels }

        func read(_ index: Int, into buffer: inout SampleBuffer) throws {
            let samples = series[index].samples
            for (time, value) in zip(samples.timestamps, samples.values) where range.contains(time) {
                buffer.append(time, value)
            }
            for (time, histogram) in zip(samples.histogramTimestamps, samples.histograms) where range.contains(time) {
                buffer.append(time, histogram)
            }
        }
    }
}
