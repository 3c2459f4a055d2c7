import SeriesModel
import StorageAPI
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A store whose series are read slowly: 1 ms each, and that without computing. Any name but `quick` has 100,000 series
/// of one sample; `quick` has one, and costs nothing.
final class SlowStore: Queryable {
    private let reads = Atomic(0)
    private let begun = AsyncStream<Void>.makeStream()

    /// How many slow series have been read.
    var readCount: Int { reads.load(ordering: .relaxed) }

    /// Returns when the first slow series is being read.
    func hasBegun() async {
        for await _ in begun.stream { return }
    }

    private struct Series: SeriesSet {
        let store: SlowStore
        let isQuick: Bool
        var count: Int { isQuick ? 1 : 100_000 }

        func labels(at index: Int) -> LabelSet { ["__name__": isQuick ? "quick" : "slow", "n": "\(index)"] }

        func read(_ index: Int, into buffer: inout SampleBuffer) {
            if !isQuick {
                if store.reads.add(1, ordering: .relaxed).newValue == 1 { store.begun.continuation.yield() }
                usleep(1000)
            }
            buffer.append(TestServer.now, 1)
        }
    }

    func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet] {
        selections.map { selection in
            Series(store: self, isQuick: selection.matchers.contains { $0.value == "quick" })
        }
    }

    func labelNames(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) -> [String] { ["n"] }

    func labelValues(
        of name: String, matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) -> [String] { [] }

    func series(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) -> [LabelSet] { [] }
}
