import SeriesModel
import StorageAPI

#if canImport(Glibc)
    import Glibc
#endif

/// What belongs to one running query: its limits, its annotations, its flag of cancellation.
/// Used by one thread at a time.
final class EvaluationContext {
    let options: EngineOptions
    let query: [UInt8]
    let cancellation: Cancellation
    /// On the monotonic clock, nanoseconds.
    private let deadline: UInt64
    private var ticks = 0
    private var heldSamples = 0
    /// ms
    var lookbackDelta: Int64 = 0
    private(set) var statistics = QueryStatistics()
    var annotations = Annotations()

    init(options: EngineOptions, query: [UInt8], cancellation: Cancellation, deadline: UInt64) {
        self.options = options
        self.query = query
        self.cancellation = cancellation
        self.deadline = deadline
    }

    static func monotonicNow() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// To be called for every piece of work of at most a few thousand samples.
    func check() throws(QueryError) {
        if cancellation.isCancelled { throw .canceled("query was canceled in expression evaluation") }
        ticks &+= 1
        guard ticks & 15 == 0 else { return }
        if EvaluationContext.monotonicNow() > deadline {
            throw .timeout("query timed out in expression evaluation")
        }
    }

    /// Counts samples as held in memory.
    func hold(_ count: Int) throws(QueryError) {
        heldSamples += count
        statistics.peakSamples = max(statistics.peakSamples, heldSamples)
        if heldSamples > options.maxSamples {
            throw .tooLarge("query processing would load too many samples into memory in query execution")
        }
    }

    func release(_ count: Int) { heldSamples -= count }

    func countRead(_ samples: Int, queryable: Int) {
        statistics.samplesRead &+= samples
        statistics.totalQueryableSamples &+= queryable
    }

    func setTimings(_ change: (inout QueryStatistics) -> Void) { change(&statistics) }
}
