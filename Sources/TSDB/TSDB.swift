import Blocks
import FileIO
package import HeadMemory
import Logging
import OwnThreads
import SelfMetrics
import SeriesModel
package import StorageAPI
import StorageFiles
import Synchronization
import WAL

/// The store: a head in memory behind a write-ahead log, and immutable blocks on disk.
///
/// A tour: `append` hands a batch to the `Committer`, which decides it, writes one frame to the log and applies it to
/// the `Head` under the gate. `select` takes a view of head and blocks under one hold of the gate. A low-priority
/// thread cuts blocks off the head, makes checkpoints and applies the retention (`TSDB+Maintenance`). Opening replays
/// checkpoint and log (`TSDB+Open`).
package final class TSDB: Sendable {
    /// What is kept over a restart and is not a sample.
    package let state: StateStore
    let options: TSDBOptions
    package let head: Head
    let log: LogWriter
    let metrics: TSDBMetrics
    /// Changed by the committer under the gate held exclusively; read under the gate.
    let blocks: BlockList
    let catalog: Catalog
    /// Those that lie beside ours.
    let prometheusBlocks: PrometheusBlockSet
    let committer: Committer
    let maintenance = Monitor(MaintenanceState())
    /// Cutting, checkpoints and retention: one at a time, whichever thread does it.
    let maintenanceTurn = Mutex(())
    /// The log could not be synced: a checkpoint is to take its place.
    let wantsCheckpoint = Atomic(false)
    /// Where the log's consumers are, as it was saved last.
    let savedPositions: Mutex<[String: LSN]>
    /// Whether a thread saves them.
    let savesPositions = Atomic(false)
    let corruptions: Atomic<Int>
    /// How often in a row the cut of a block failed.
    let failedCutCount = Atomic<Int>(0)
    let settings: Mutex<StorageSettings>
    /// What does not work now.
    let health: HealthRegister
    let diskGuard: DiskGuard
    let clockWatch: ClockWatch
    /// The merge that is under way.
    let compacting = Mutex<CompactionStatus?>(nil)
    /// What an earlier process left of a merge; it goes on, or is removed, when the next merge is due.
    let interruptedMerge: Mutex<InterruptedMerge?>
    /// What damaged files were met: to be looked at by the next round of maintenance, and to be told.
    let damage: DamageRegister
    /// Of the newest checkpoint. Bytes.
    let checkpointSize: Atomic<Int>
    private let lock: Mutex<DirectoryLock?>

    struct MaintenanceState {
        var isRequested = false
        var isClosing = false
        var runningThreads = 0
    }

    /// What `open` has put together.
    struct Parts {
        let head: Head
        let log: LogWriter
        let blocks: BlockList
        let catalog: Catalog
        let state: StateStore
        let lock: DirectoryLock
        let interruptedMerge: InterruptedMerge?
        let damages: [StorageDamage]
        /// Of the newest checkpoint.
        let checkpointBytes: Int
        let savedPositions: [String: LSN]
    }

    init(_ options: TSDBOptions, _ metrics: TSDBMetrics, _ parts: Parts) throws(StorageError) {
        self.options = options
        self.metrics = metrics
        head = parts.head
        log = parts.log
        blocks = parts.blocks
        catalog = parts.catalog
        prometheusBlocks = PrometheusBlockSet(
            fileSystem: options.fileSystem, directory: options.directory, logger: options.logger)
        state = parts.state
        lock = Mutex(parts.lock)
        corruptions = Atomic(parts.damages.count)
        settings = Mutex(options.settings)
        health = HealthRegister(options)
        diskGuard = DiskGuard(options, health)
        clockWatch = ClockWatch(options, health)
        damage = DamageRegister(parts.damages)
        interruptedMerge = Mutex(parts.interruptedMerge)
        checkpointSize = Atomic(parts.checkpointBytes)
        savedPositions = Mutex(parts.savedPositions)
        head.outOfOrderWindow = options.settings.outOfOrderWindow
        diskGuard.check()
        if let newest = parts.head.newestTime { clockWatch.noteNewest(newest) }
        if let refusal = parts.state.refusal {
            health.raise(.stateDatabase, "Alert states and metadata are kept in memory only", refusal)
        }
        let commit = BatchCommit(
            head: parts.head, log: parts.log, metrics: metrics, diskGuard: diskGuard, clockWatch: clockWatch,
            health: health)
        let maintenance = maintenance
        committer = try Committer(queuedMax: options.queuedBatchesMax) { batch in
            let result = commit.run(batch)
            if commit.head.isCutDue || TSDB.isCheckpointDue(commit.log, commit.head) {
                maintenance.change { $0.isRequested = true }
            }
            return result
        }
        do throws(StorageError) {
            try startThreads()
        } catch {
            close()
            throw error
        }
        metrics.collect { [weak self] in self?.publish() }
    }

    /// Runs what changes blocks or deletes beside no cut, merge or other such work; `close` waits for it. Blocks.
    func exclusively<R>(_ body: () throws -> R) throws -> R {
        let isClosing = maintenance.change { state in
            if !state.isClosing { state.runningThreads += 1 }
            return state.isClosing
        }
        if isClosing { throw StorageError.closed }
        defer { maintenance.change { $0.runningThreads -= 1 } }
        return try maintenanceTurn.withLock { _ in try body() }
    }

    /// Finishes what waits, syncs the log, and lets go of the directory. Nothing acknowledged depends on it. Blocks;
    /// the second time it does nothing.
    package func close() {
        // A merge that is under way ends at its next series.
        maintenance.change { $0.isClosing = true }
        if lock.withLock({ $0 != nil }), (try? log.sync()) == nil {
            // Whoever opens the store cannot know that its log is doubtful.
            try? maintenanceTurn.withLock { _ in try checkpoint() }
        }
        committer.close()
        log.endTails()
        maintenance.wait { $0.runningThreads == 0 ? () : nil }
        guard let lock = lock.withLock({ $0.take() }) else { return }
        savePositions()
        do throws(StorageError) {
            try log.sync()
            try catalog.close()
            try state.close()
            try CleanMarker.put(options.fileSystem, options.directory)
        } catch {
            options.logger.error("the store was not closed cleanly", metadata: ["error": "\(error)"])
        }
        // The last reference: the next one may have the directory.
        _ = consume lock
    }
}

/// The blocks that queries see, oldest first.
final class BlockList: @unchecked Sendable {
    /// Our own: those that are cut, merged and deleted.
    private(set) var all: [Block]
    /// Those of Prometheus', which are only read.
    private(set) var prometheus: [PrometheusBlockSource] = []
    /// The log of a Prometheus that was stopped.
    private(set) var prometheusLog: PrometheusLogSource?
    /// All of them.
    private(set) var visible: [VisibleBlock] = []

    init(_ blocks: [Block]) {
        all = blocks
        sort()
    }

    /// Exclusive.
    func replace(adding added: [Block], removing removed: Set<BlockIdentifier>) {
        all.removeAll { removed.contains($0.identifier) }
        all += added
        // What was imported is not served twice, not for a moment.
        let adopted = Set(added.map(\.identifier) + added.flatMap(\.record.parents))
        prometheus.removeAll { adopted.contains($0.identifier) }
        sort()
    }

    /// Exclusive.
    func replacePrometheus(_ blocks: [PrometheusBlockSource], log: PrometheusLogSource?) {
        prometheus = blocks
        prometheusLog = log
        sort()
    }

    private func sort() {
        all.sort { ($0.range.min, $0.identifier) < ($1.range.min, $1.identifier) }
        visible = all.map { VisibleBlock($0) } + prometheus.map { VisibleBlock($0) }
        if let prometheusLog { visible.append(VisibleBlock(prometheusLog)) }
        visible.sortByAge()
    }
}

// MARK: - Appendable

extension TSDB: Appendable {
    package func append(_ batch: SampleBatch) async throws -> AppendResult {
        try await committer.append(batch)
    }
}
