import Logging
import OutboundHTTP
import OwnThreads
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization

/// What all parts of one queue share.
struct QueueContext: Sendable {
    let section: RemoteWriteSection
    /// For logs and metrics.
    let name: String
    /// Of the tail.
    let consumer: String
    let preparation: SeriesPreparation
    let client: WriteClient
    let clock: any WallClock
    let metrics: QueueMetrics
    let progress = QueueProgress()
    let table = SharedSeriesTable()
    let doubt = Doubt()
    let logger: Logger
    let gate: LogGate
    /// Where encoding and compressing is done.
    let threads: TaskThreads
    let options: RemoteWriteOptions
    /// What has come in, for all queues.
    let intake: Intake

    /// How long to wait before an attempt after so many failures, unless the receiver says. ms
    func backoff(_ failures: Int) -> Int64 {
        let doubled = section.queue.backoffMin.multipliedReportingOverflow(
            by: 1 << Int64(min(max(failures - 1, 0), 40)))
        return doubled.overflow ? section.queue.backoffMax : min(doubled.partialValue, section.queue.backoffMax)
    }

    /// Samples before it are too old to be sent; nil where none is.
    var ageLimit: Timestamp? {
        let limit = section.queue.sampleAgeLimit
        return limit > 0 ? clock.now().subtractingClamped(limit) : nil
    }
}

/// The last record that may have been delivered before the process began.
final class Doubt: Sendable {
    private let number = Atomic<UInt64>(0)

    init() {}

    var end: UInt64 {
        get { number.load(ordering: .relaxed) }
        set { number.store(newValue, ordering: .relaxed) }
    }
}

/// The table, written by the reader, read by the shards when they encode, and what is known of metrics.
final class SharedSeriesTable: Sendable {
    struct State {
        var table = SeriesTable()
        var book = MetadataBook()
    }

    /// So many series are taken in at once: shards that encode meanwhile do not wait for millions.
    private static let portionMax = 4096

    private let state = Mutex(State())

    func withLock<R: Sendable>(_ body: (inout State) -> R) -> R {
        state.withLock { state in body(&state) }
    }

    /// Takes in the series that a tail begins with. What the table has stays as long as rows name it.
    /// - Parameter record: the next one whose rows are taken.
    func fill(
        from tail: any CommitTail, before record: UInt64, _ preparation: SeriesPreparation
    ) throws(StorageError) {
        var portion: [(number: UInt32, labels: LabelSet)] = []
        portion.reserveCapacity(SharedSeriesTable.portionMax)
        func flush() {
            state.withLock { state in
                for (number, labels) in portion { state.table.set(number, labels, from: record, preparation) }
            }
            portion.removeAll(keepingCapacity: true)
        }
        try tail.forEachSeries { number, labels in
            portion.append((number, labels))
            if portion.count == SharedSeriesTable.portionMax { flush() }
        }
        flush()
    }
}
