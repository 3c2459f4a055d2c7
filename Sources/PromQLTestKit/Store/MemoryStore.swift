package import SeriesModel
package import StorageAPI
import Synchronization

/// A store in memory, for tests of what reads through `Queryable`. Samples of a series must come in time order.
package final class MemoryStore: Queryable {
    private struct State {
        var series: [LabelSet: SeriesRecord] = [:]
        /// By stable hash, then labels; nil after a series was added.
        var ordered: [LabelSet]?
    }

    private let state = Mutex(State())

    package init() {}

    package func removeAll() {
        state.withLock { $0 = State() }
    }

    /// A sample that cannot be taken.
    package struct AppendError: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// Appends in time order. An exact repetition of the newest sample is ignored.
    package func append(_ samples: [StoredSample], to labels: LabelSet) throws(AppendError) {
        guard !samples.isEmpty else { return }
        let result: Result<Void, AppendError> = state.withLock { state in
            var record = state.series[labels] ?? SeriesRecord()
            if record.samples.isEmpty { state.ordered = nil }
            for sample in samples {
                do throws(AppendError) {
                    try record.append(sample)
                } catch {
                    return .failure(AppendError(description: "\(labels.metricNotation): \(error)"))
                }
            }
            state.series[labels] = record
            return .success(())
        }
        try result.get()
    }

    // MARK: Queryable

    package func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet] {
        try cancellation.check()
        let view = snapshot()
        return selections.map { selection in
            MemorySeriesSet(
                series: view.filter { labels, record in
                    selection.matchers.allSatisfy { $0.matches(labels) } && record.hasSamples(in: selection.range)
                }, range: selection.range)
        }
    }

    package func labelNames(
        matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [String] {
        let names = try series(matching: matching, in: range, cancellation: cancellation).flatMap { $0.map(\.name) }
        return Set(names).sorted { $0.precedesByBytes($1) }
    }

    package func labelValues(
        of name: String, matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [String] {
        let values = try series(matching: matching, in: range, cancellation: cancellation).compactMap { $0[name] }
        return Set(values).sorted { $0.precedesByBytes($1) }
    }

    package func series(
        matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [LabelSet] {
        try cancellation.check()
        var found: [LabelSet] = []
        for (labels, record) in snapshot() where record.hasSamples(in: range) {
            let isWanted = matching.isEmpty || matching.contains { all in all.allSatisfy { $0.matches(labels) } }
            if isWanted { found.append(labels) }
        }
        return found.sorted()
    }

    private func snapshot() -> [(LabelSet, SeriesRecord)] {
        state.withLock { state in
            let ordered = state.ordered ?? MemoryStore.order(state.series.keys)
            state.ordered = ordered
            return ordered.compactMap { labels in state.series[labels].map { (labels, $0) } }
        }
    }

    private static func order(_ keys: some Collection<LabelSet>) -> [LabelSet] {
        let hashed: [(hash: UInt64, labels: LabelSet)] = keys.map { labels in (labels.stableHash, labels) }
        let sorted = hashed.sorted { a, b -> Bool in a.hash == b.hash ? a.labels < b.labels : a.hash < b.hash }
        return sorted.map { $0.labels }
    }
}

/// What a selection of a `MemoryStore` found; a value.
private struct MemorySeriesSet: SeriesSet {
    let series: [(LabelSet, SeriesRecord)]
    let range: TimeRange

    var count: Int { series.count }

    func labels(at index: Int) -> LabelSet { series[index].0 }

    func read(_ index: Int, into buffer: inout SampleBuffer) {
        series[index].1.read(range, into: &buffer)
    }
}
