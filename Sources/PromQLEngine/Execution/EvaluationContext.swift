import SeriesModel
import StorageAPI

#if canImport(Glibc)
    import Glibc
#endif

/// What belongs to one thread's part of a running query: its annotations, its counts, and the budget that it shares
/// with the other threads of the query. Used by one thread at a time.
final class EvaluationContext {
    let options: EngineOptions
    let query: [UInt8]
    let budget: QueryBudget
    /// ms
    let lookbackDelta: Int64
    private var ticks = 0
    private(set) var statistics = QueryStatistics()
    var annotations = Annotations()
    /// What each operator does, where somebody asked for it.
    let profile: PlanProfile?

    init(options: EngineOptions, query: [UInt8], budget: QueryBudget, lookbackDelta: Int64, profile: PlanProfile?) {
        self.options = options
        self.query = query
        self.budget = budget
        self.lookbackDelta = lookbackDelta
        self.profile = profile
    }

    static func monotonicNow() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// To be called for every piece of work of at most a few thousand samples.
    func check() throws(QueryError) {
        try budget.checkCancellation()
        ticks &+= 1
        if ticks & 15 == 0 { try budget.checkDeadline() }
    }

    /// Counts points as held, with the memory they lie in.
    func hold(_ count: Int, bytes: Int = 0) throws(QueryError) {
        try budget.hold(samples: count)
        try budget.charge(bytes: bytes)
    }

    func release(_ count: Int, bytes: Int = 0) {
        budget.release(samples: count)
        budget.refund(bytes: bytes)
    }

    /// Whether a column of so many steps may be taken at all, before it is.
    func checkColumn(steps: Int) throws(QueryError) {
        let bytes = Column.byteCount(steps: steps)
        defer { release(steps, bytes: bytes) }
        try hold(steps, bytes: bytes)
    }

    func hold(_ series: VectorSeries) throws(QueryError) {
        try hold(series.column.pointCount, bytes: series.byteCount)
    }

    func release(_ series: VectorSeries) { release(series.column.pointCount, bytes: series.byteCount) }

    func countRead(_ samples: Int, queryable: Int) {
        statistics.samplesRead &+= samples
        statistics.totalQueryableSamples &+= queryable
    }

    /// What a part of the work done by another thread has found.
    func merge(_ part: WorkReport) {
        statistics.samplesRead &+= part.samplesRead
        statistics.totalQueryableSamples &+= part.totalQueryableSamples
        annotations.merge(part.annotations)
        if let other = part.profile { profile?.merge(other) }
    }

    /// What this thread has found since the last time it was asked.
    func takeReport() -> WorkReport {
        defer {
            statistics = QueryStatistics()
            annotations = Annotations()
        }
        return WorkReport(
            samplesRead: statistics.samplesRead, totalQueryableSamples: statistics.totalQueryableSamples,
            annotations: annotations, profile: profile?.take())
    }
}

/// What one thread's work adds to the query's.
struct WorkReport: Sendable {
    var samplesRead: Int
    var totalQueryableSamples: Int
    var annotations: Annotations
    var profile: PlanProfile.Figures?
}
