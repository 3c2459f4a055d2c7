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
    let logger: Logger
    let gate: LogGate
    /// Where encoding and compressing is done.
    let threads: TaskThreads
    let options: RemoteWriteOptions
    /// What has come in, for all queues.
    let intake: Intake

    /// How long to wait before an attempt after so many failures, unless the receiver says. ms
    func backoff(_ failures: Int) -> Int64 {
        let doubled = section.queue.backoffMin.multipliedReportingOverflow(by: 1 << Int64(min(max(failures - 1, 0), 40)))
        return doubled.overflow ? section.queue.backoffMax : min(doubled.partialValue, section.queue.backoffMax)
    }

    /// Samples before it are too old to be sent; nil where none is.
    var ageLimit: Timestamp? {
        let limit = section.queue.sampleAgeLimit
        return limit > 0 ? clock.now().subtractingClamped(limit) : nil
    }
}

/// The table, written by the reader, read by the shards when they encode, and what is known of metrics.
final class SharedSeriesTable: Sendable {
    struct State {
        var table = SeriesTable()
        var book = MetadataBook()
    }

    private let state = Mutex(State())

    func withLock<R: Sendable>(_ body: (inout State) -> R) -> R {
        state.withLock { state in body(&state) }
    }

    /// Fills the table from a tail. Nobody else uses it yet.
    func fill(from tail: any CommitTail, _ preparation: SeriesPreparation) throws(StorageError) {
        let result = state.withLock { state -> Result<Void, StorageError> in
            state.table = SeriesTable()
            do throws(StorageError) {
                try tail.forEachSeries { number, labels in state.table.set(number, labels, from: 0, preparation) }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
