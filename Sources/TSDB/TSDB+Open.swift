import Blocks
import FileIO
import Logging
import SelfMetrics
import SeriesModel
import StorageAPI
import StorageFiles
import WAL

extension TSDB {
    /// Where the log lies in the data directory.
    static let logName = "wal"

    /// Opens a data directory, made where it is missing: takes the lock, looks at the blocks, replays the log. Blocks.
    /// - Throws: `StorageError` where the directory is in use, newer than this program, or cannot be read.
    package static func open(_ options: TSDBOptions) throws -> TSDB {
        let started = ContinuousClock.now
        let metrics = TSDBMetrics(options.metrics)
        metrics.publish(limits: options)
        let lock = try prepare(options, metrics)
        let catalog = try Catalog(fileSystem: options.fileSystem, directory: options.directory)
        let state = try StateStore(fileSystem: options.fileSystem, directory: options.directory)
        for path in [catalog.damagedPath, state.damagedPath].compactMap({ $0 }) {
            options.logger.error("database was damaged, a new one takes its place", metadata: ["damaged": "\(path)"])
        }
        let blocks = try BlockSet(options, catalog, metrics)
        try blocks.removeLeftovers()
        metrics.reloads.increment()
        let head = Head(blockRange: options.blockRange)
        head.raiseStart(to: try headStart(catalog, blocks))
        let (log, report) = try replay(options, into: head, metrics)
        let seconds = started.duration(to: .now) / .seconds(1)
        metrics.replayDuration.set(seconds)
        options.logger.info(
            "store open",
            metadata: [
                "seconds": "\(seconds)", "blocks": "\(blocks.blocks.count)", "series": "\(head.seriesCount)",
                "replayed_records": "\(report.records)", "replayed_samples": "\(report.samples)",
                "damages": "\(report.damages.count)",
            ])
        return try TSDB(
            options, metrics,
            Parts(
                head: head, log: log, blocks: BlockList(blocks.blocks), catalog: catalog, state: state, lock: lock,
                corruptions: report.damages.count))
    }

    private static func prepare(_ options: TSDBOptions, _ metrics: TSDBMetrics) throws(StorageError) -> DirectoryLock {
        try StorageError.wrapping { () throws(FileError) in
            try options.fileSystem.createDirectory(BlockDirectory.path(in: options.directory))
        }
        let lock: DirectoryLock
        do throws(DirectoryLock.Refusal) {
            lock = try DirectoryLock(options.directory)
        } catch {
            throw .unavailable(reason: "cannot lock the data directory: \(error)")
        }
        let isNew = !DataDirectoryFormat.isThere(options.fileSystem, options.directory)
        try DataDirectoryFormat.check(options.fileSystem, options.directory)
        let isClean = try CleanMarker.take(options.fileSystem, options.directory, isNew: isNew)
        metrics.cleanStart.set(isClean ? 1 : 0)
        return lock
    }

    /// Where the head begins: what the log holds of the time before is in a block, or was in one.
    private static func headStart(_ catalog: Catalog, _ found: BlockSet) throws(StorageError) -> Timestamp {
        if let start = try catalog.headStart() {
            // Of a block that is lost the log may have the samples still.
            return found.missing.map(\.range.min).reduce(start, min)
        }
        // The catalog is new: the blocks that were cut here tell. Those brought in from elsewhere have no record
        // number.
        return Head.start(behind: found.blocks)
    }

    private static func replay(
        _ options: TSDBOptions, into head: Head, _ metrics: TSDBMetrics
    ) throws -> (LogWriter, ReplayReport) {
        let directory = FilePath.join(options.directory, logName)
        let report = try LogReplay.replay(fileSystem: options.fileSystem, directory: directory) { _, batch in
            head.replay(batch, metrics)
        }
        head.finishReplay()
        for damage in report.damages {
            metrics.walCorruptions.increment()
            options.logger.warning("the log was damaged", metadata: ["damage": "\(damage)"])
        }
        let log = try LogWriter(fileSystem: options.fileSystem, directory: directory, nextLSN: report.lastLSN + 1)
        return (log, report)
    }
}

extension Head {
    /// Where the head begins as far as the blocks tell that were cut from one.
    static func start(behind blocks: [Block]) -> Timestamp {
        blocks.filter { $0.reader.footer.lsn > 0 }.map { $0.range.max.addingClamped(1) }.max() ?? .min
    }

    /// Applies one record of the log.
    /// - Parameter metrics: nil where nobody counts.
    func replay(_ batch: LogBatch, _ metrics: TSDBMetrics? = nil) {
        for series in batch.newSeries {
            replaySeries(series.labels, slot: series.slot, generation: series.generation)
        }
        batch.forEach(
            float: { row, value in
                guard let series = replayTarget(batch, row, metrics?.unknownSlots) else { return }
                append(series, batch.timestamps[row], value)
            },
            histogram: { row, histogram in
                guard let series = replayTarget(batch, row, metrics?.unknownHistogramSlots) else { return }
                append(series, batch.timestamps[row], histogram)
            })
        let unknownCount = delete(batch.deletions)
        metrics?.unknownTombstones.increment(by: Double(unknownCount))
    }

    /// The series that a sample of the log is to be appended to; nil for one that is not wanted.
    private func replayTarget(_ batch: LogBatch, _ row: Int, _ unknownSlots: Counter?) -> HeadSeries? {
        guard let series = series(at: batch.slots[row]) else {
            unknownSlots?.increment()
            return nil
        }
        let timestamp = batch.timestamps[row]
        // What a block holds already is not the head's any more.
        if timestamp < start { return nil }
        if let last = series.last, timestamp <= last.timestamp { return nil }
        return series
    }
}
