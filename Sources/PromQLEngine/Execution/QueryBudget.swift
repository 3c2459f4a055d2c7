import StorageAPI
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// What one query may use, shared by all threads that work for it: samples held, bytes held, time.
///
/// Whoever takes memory says so before it is taken where the size is known beforehand (columns, accumulators), and
/// right after where only the store knows it (decoded samples of one series).
final class QueryBudget: Sendable {
    private let maxSamples: Int
    /// Bytes.
    private let maxMemory: Int
    let cancellation: Cancellation
    /// On the monotonic clock, nanoseconds.
    let deadline: UInt64
    private let samples = Atomic(0)
    private let samplesPeak = Atomic(0)
    private let bytes = Atomic(0)

    init(maxSamples: Int, maxMemory: Int, cancellation: Cancellation, deadline: UInt64) {
        self.maxSamples = maxSamples
        self.maxMemory = maxMemory
        self.cancellation = cancellation
        self.deadline = deadline
    }

    var peakSamples: Int { samplesPeak.load(ordering: .relaxed) }

    func hold(samples count: Int) throws(QueryError) {
        if count == 0 { return }
        let held = samples.wrappingAdd(count, ordering: .relaxed).newValue
        // A look before the write: a new peak is rare, and a write takes the cache line from the other threads.
        if held > samplesPeak.load(ordering: .relaxed) { samplesPeak.max(held, ordering: .relaxed) }
        if held > maxSamples {
            throw .tooLarge("query processing would load too many samples into memory in query execution")
        }
    }

    func release(samples count: Int) { samples.wrappingSubtract(count, ordering: .relaxed) }

    func charge(bytes count: Int) throws(QueryError) {
        if count == 0 { return }
        let held = bytes.wrappingAdd(count, ordering: .relaxed).newValue
        if held > maxMemory {
            throw .tooLarge("query processing would use more than \(maxMemory) bytes of memory in query execution")
        }
    }

    func refund(bytes count: Int) { bytes.wrappingSubtract(count, ordering: .relaxed) }

    func checkCancellation() throws(QueryError) {
        if cancellation.isCancelled { throw .canceled("query was canceled in expression evaluation") }
    }

    func checkDeadline() throws(QueryError) {
        if EvaluationContext.monotonicNow() > deadline { throw .timeout("query timed out in expression evaluation") }
    }
}
