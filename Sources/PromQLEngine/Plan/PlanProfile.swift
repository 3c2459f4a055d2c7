/// What each node of a plan did, kept by its number. Time goes to one node at a moment: whoever hands work on says
/// whose it is.
final class PlanProfile {
    struct Figures: Sendable {
        var series: [Int]
        var samples: [Int]
        /// Nanoseconds spent in the node itself.
        var times: [UInt64]

        init(count: Int) {
            series = [Int](repeating: 0, count: count)
            samples = [Int](repeating: 0, count: count)
            times = [UInt64](repeating: 0, count: count)
        }
    }

    private(set) var figures: Figures
    private var current: Int?
    private var since: UInt64 = 0

    /// - Parameter count: node numbers are below.
    init(count: Int) { figures = Figures(count: count) }

    var nodeCount: Int { figures.series.count }

    /// From now on time is that of another node, nil for nobody's.
    /// - Returns: whose it was.
    @discardableResult
    func enter(_ node: Int?) -> Int? {
        let now = EvaluationContext.monotonicNow()
        if let current { figures.times[current] &+= now &- since }
        since = now
        defer { current = node }
        return current
    }

    func count(_ node: Int, series: Int = 0, samples: Int) {
        figures.series[node] &+= series
        figures.samples[node] &+= samples
    }

    func merge(_ other: Figures) {
        for node in other.series.indices {
            figures.series[node] &+= other.series[node]
            figures.samples[node] &+= other.samples[node]
            figures.times[node] &+= other.times[node]
        }
    }

    /// The figures so far, which start anew.
    func take() -> Figures {
        defer { figures = Figures(count: figures.series.count) }
        return figures
    }
}
