import Blocks
import FileIO
import HeadMemory
import Logging
import SelfMetrics
import SeriesModel
import StorageAPI
import StorageFiles
import Synchronization
import WAL

extension TSDB {
    /// Opens a data directory, made where it is missing: takes the lock, looks at the blocks, replays the log. Blocks.
    /// - Throws: `StorageError` where the directory is in use, newer than this program, or cannot be read.
    package static func open(_ options: TSDBOptions) throws -> TSDB {
        let started = ContinuousClock.now
        let metrics = TSDBMetrics(options.metrics)
        metrics.publish(options.settings)
        let (lock, layout, isClean) = try prepare(options, metrics)
        let catalog = try Catalog(fileSystem: options.fileSystem, directory: options.directory)
        let state = try StateStore(fileSystem: options.fileSystem, directory: options.directory)
        for path in [catalog.damagedPath, state.damagedPath].compactMap({ $0 }) {
            options.logger.error("database was damaged, a new one takes its place", metadata: ["damaged": "\(path)"])
        }
        for refusal in [catalog.refusal, state.refusal].compactMap({ $0 }) {
            options.logger.error(
                "database cannot be used now, what it holds is kept in memory", metadata: ["error": "\(refusal)"])
        }
        let interrupted = try InterruptedMerge.find(
            fileSystem: options.fileSystem, directory: BlockDirectory.path(in: options.directory))
        let blocks = try BlockSet(options, catalog, metrics, keeping: interrupted)
        try blocks.removeLeftovers()
        metrics.reloads.increment()
        let start = try headStart(catalog, blocks)
        let (head, log, report) = try replay(options, layout, start, blocks.blocks, metrics)
        if !isClean { log.doubtOlderSegments() }
        let positions = restorePositions(options, state, log)
        let seconds = started.duration(to: .now) / .seconds(1)
        metrics.replayDuration.set(seconds)
        options.logger.info(
            "store open",
            metadata: [
                "seconds": "\(seconds)", "blocks": "\(blocks.blocks.count)", "series": "\(head.seriesCount)",
                "replayed_records": "\(report.records)", "replayed_samples": "\(report.samples)",
                "damages": "\(report.damages.count)",
            ])
        let store = try TSDB(
            options, metrics,
            Parts(
                head: head, log: log, blocks: BlockList(blocks.blocks), catalog: catalog, state: state, lock: lock,
                interruptedMerge: try interruptedMerge(options, interrupted, served: blocks.blocks),
                damages: blocks.damages + report.damages.map { StorageDamage($0) },
                checkpointBytes: checkpointBytes(options, layout, report.checkpointLSN), savedPositions: positions))
        do {
            try store.maintenanceTurn.withLock { _ in try store.reloadPrometheusBlocks(store.importedBlocks()) }
            // What was read of a damaged checkpoint is nowhere else.
            if report.isCheckpointDamaged { try store.maintenanceTurn.withLock { _ in try store.checkpoint() } }
        } catch {
            // Its threads would keep it, and the directory.
            store.close()
            throw error
        }
        return store
    }

    private static func prepare(
        _ options: TSDBOptions, _ metrics: TSDBMetrics
    ) throws(StorageError) -> (DirectoryLock, DataDirectoryLayout, isClean: Bool) {
        try StorageError.wrapping { () throws(FileError) in
            try options.fileSystem.createDirectory(BlockDirectory.path(in: options.directory))
        }
        let lock: DirectoryLock
        do throws(DirectoryLock.Refusal) {
            lock = try DirectoryLock(options.directory)
        } catch {
            throw .unavailable(reason: "cannot lock the data directory: \(error)")
        }
        if case .remote(let name)? = try? options.fileSystem.kind(options.directory) {
            options.logger.warning(
                "the data directory is not on a disk of this machine: what was synced may be lost there",
                metadata: ["directory": "\(options.directory)", "file_system": "\(name)"])
        }
        let layout = DataDirectoryLayout(fileSystem: options.fileSystem, directory: options.directory)
        try layout.establish(options.fileSystem)
        let isNew = !DataDirectoryFormat.isThere(options.fileSystem, options.directory)
        try DataDirectoryFormat.check(options.fileSystem, options.directory)
        let isClean = try CleanMarker.take(options.fileSystem, options.directory, isNew: isNew)
        metrics.cleanStart.set(isClean ? 1 : 0)
        return (lock, layout, isClean)
    }

    /// Where the head begins: what the log holds of the time before is in a block, or was in one.
    private static func headStart(_ catalog: Catalog, _ found: BlockSet) throws(StorageError) -> Timestamp {
        if let start = try catalog.headStart() {
            // Of a block that is lost the log may have the samples still.
            return found.missing.map(\.range.min).reduce(start, min)
        }
        // The catalog is new: the blocks that were cut here tell. Those brought in from elsewhere have no record
        // number.
        return found.blocks.headStart
    }

    private static func replay(
        _ options: TSDBOptions, _ layout: DataDirectoryLayout, _ start: Timestamp, _ blocks: [Block],
        _ metrics: TSDBMetrics
    ) throws -> (Head, LogWriter, ReplayReport) {
        let directory = layout.log
        if options.refusesDamagedLog { try refuseDamage(options, directory) }
        var headOptions = HeadOptions(
            dataDirectory: options.directory, blockRange: options.blockRange, fileSystem: options.fileSystem)
        headOptions.exemplarsMax = options.settings.exemplarsMax
        headOptions.chunkDirectoryName = layout.chunksName
        let restore = HeadRestore(
            headOptions, start: start, hasCheckpoint: try hasCheckpoint(options.fileSystem, directory))
        let report = try LogReplay.replay(
            fileSystem: options.fileSystem, directory: directory,
            restore: { type, payload in try restore.restore(type, payload) },
            { lsn, batch in
                let head = try restore.head()
                let unknown = head.replay(batch) { time in blocks.contains { $0.holdsOutOfOrder(time, lsn) } }
                head.reclaim()
                // Memory stays what it was before the end, not what all chunks of the log take. What cannot be written
                // stays in memory.
                if head.hasUnflushedChunks { try? head.flushClosed() }
                if unknown.floats > 0 { metrics.unknownSlots.increment(by: Double(unknown.floats)) }
                if unknown.deletions > 0 { metrics.unknownTombstones.increment(by: Double(unknown.deletions)) }
                if unknown.histograms > 0 { metrics.unknownHistogramSlots.increment(by: Double(unknown.histograms)) }
            })
        let head = try restore.head()
        head.finishReplay()
        for damage in report.damages {
            metrics.walCorruptions.increment()
            options.logger.warning("the log was damaged", metadata: ["damage": "\(damage)"])
        }
        var logOptions = options.log
        logOptions.monotonicTime = options.monotonicTime ?? ClockWatch.monotonicTime(beside: options.clock)
        // A damaged one takes the place of nothing.
        let log = try LogWriter(
            fileSystem: options.fileSystem, directory: directory, nextLSN: report.lastLSN + 1,
            checkpoint: report.isCheckpointDamaged ? 0 : report.checkpointLSN, options: logOptions)
        log.noteReplayed(report.samples, introduced: report.introduced)
        return (head, log, report)
    }
}

extension StorageDamage {
    init(_ damage: LogDamage) {
        self.init(file: damage.file, reason: damage.description, after: damage.after, before: damage.before)
    }
}

extension TSDB {
    /// - Throws: `.corruption` where the log is damaged elsewhere than at its end, which a crash leaves torn.
    private static func refuseDamage(_ options: TSDBOptions, _ directory: String) throws {
        let report = try LogReplay.replay(fileSystem: options.fileSystem, directory: directory, repair: false) { _, _ in
        }
        guard let damage = report.damages.first(where: { !$0.isTail }) else { return }
        throw StorageError.corruption(file: damage.file, offset: damage.offset, reason: damage.reason)
    }

    /// Whether the log has one, be it damaged.
    static func hasCheckpoint(_ fileSystem: any FileSystem, _ directory: String) throws(StorageError) -> Bool {
        guard fileSystem.exists(directory) else { return false }
        return try StorageError.wrapping { () throws(FileError) in
            try fileSystem.list(directory).contains { LogFormat.checkpointLSN($0) != nil }
        }
    }

    private static func checkpointBytes(
        _ options: TSDBOptions, _ layout: DataDirectoryLayout, _ lsn: LSN
    ) -> Int {
        guard lsn > 0 else { return 0 }
        let path = FilePath.join(layout.log, LogFormat.checkpointName(lsn))
        return (try? options.fileSystem.size(path)) ?? 0
    }
}

extension [Block] {
    /// Where the head begins as far as the blocks tell that were cut from one. ms
    var headStart: Timestamp {
        filter { $0.reader.footer.lsn > 0 }.map { $0.range.max.addingClamped(1) }.max() ?? .min
    }
}
