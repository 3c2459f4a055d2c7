import SeriesModel
import StorageAPI
import Synchronization

/// An empty store that keeps which metrics were selected, call by call.
final class CountingStore: Queryable {
    private let selected = Mutex<[[String]]>([])

    var calls: [[String]] { selected.withLock { $0 } }

    private struct Nothing: SeriesSet {
        var count: Int { 0 }

        func labels(at index: Int) -> LabelSet { .empty }

        func read(_ index: Int, into buffer: inout SampleBuffer) {}
    }

    func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet] {
        let names = selections.map { $0.matchers.first { $0.name == Label.metricName }?.value ?? "" }
        selected.withLock { $0.append(names) }
        return selections.map { _ in Nothing() }
    }

    func labelNames(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) -> [String] { [] }

    func labelValues(
        of name: String, matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) -> [String] { [] }

    func series(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) -> [LabelSet] { [] }
}
