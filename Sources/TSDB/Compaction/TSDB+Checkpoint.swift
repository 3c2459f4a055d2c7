import Blocks
import HeadMemory
import Logging
import SelfMetrics
import StorageAPI
import StorageFiles
import Synchronization
import WAL

extension TSDB {
    /// Samples in the log behind the checkpoint that make a new one due: so many that they are replayed in a fraction
    /// of a second, or so many for each series that checkpoints cost few bytes a sample.
    private static let tailSamplesMin = 2_000_000
    private static let tailSamplesPerSeries = 32

    /// On the committer, or under the gate.
    static func isCheckpointDue(_ log: LogWriter, _ head: Head) -> Bool {
        log.tailSampleCount >= max(tailSamplesMin, tailSamplesPerSeries * head.seriesCount)
    }

    /// Of the newest checkpoint. Bytes.
    var checkpointBytes: Int { checkpointSize.load(ordering: .relaxed) }

    /// Before deleted samples leave blocks for good: the log may still have them, where they came out of order, and a replay
    /// that finds them in no block would bring them back. A checkpoint that is newer than the blocks takes their place.
    func checkpoint(behind blocks: [Block]) throws {
        guard let newest = blocks.map(\.reader.lsn).max() else { return }
        // Blocks of another store count by its records.
        if min(newest, log.nextLSN - 1) > log.checkpointLSN { try checkpoint() }
    }

    /// Writes out what the head holds, so that the log before it can go.
    func checkpoint() throws {
        metrics.checkpoints.increment()
        wantsCheckpoint.store(false, ordering: .relaxed)
        let started = ContinuousClock.now
        let (snapshot, lsn, segment): (HeadCheckpoint, LSN, UInt64)
        do {
            (snapshot, lsn, segment) = try committer.perform { [head, log] in
                let segment = try log.cutSegment()
                return (HeadCheckpoint(head), log.nextLSN - 1, segment)
            }
            // The store needs the segment that was left no more, but who is behind does. How it ends is told by `syncLog`.
            if log.hasConsumers { try? log.sync() }
            let bytes = try writeCheckpoint(snapshot, lsn, segment)
            options.logger.info("checkpoint written", metadata: ["lsn": "\(lsn)", "bytes": "\(bytes)"])
        } catch {
            metrics.checkpointFailures.increment()
            tellOfFailedCheckpoint(error)
            throw error
        }
        metrics.walTruncations.increment()
        do {
            let leftSlotCount = snapshot.leftSlotCount
            // Files go that consumers have passed: a start must not look for them there.
            savePositions()
            note(
                try log.replaced(
                    by: lsn, firstSegment: segment, bytes: checkpointBytes, heldBytesMax: heldLogBytesMax,
                    givingUp: diskGuard.isShort))
            try committer.perform { [head, log] in
                try log.removeSegments(before: segment)
                head.freeLeftSlots(leftSlotCount)
            }
            metrics.checkpointDeletions.increment()
        } catch {
            metrics.walTruncationFailures.increment()
            tellOfFailedCheckpoint(error)
            throw error
        }
        health.clear(.checkpoint)
        metrics.walTruncateDuration.observe(started.duration(to: .now) / .seconds(1))
    }

    /// Removes what was kept of the log for consumers that have passed it, or have had it for long enough.
    func trimLog() throws {
        // Those of consumers that are forgotten as well, whatever is kept.
        savePositions()
        if log.hasHeldFiles { try trimLog(givingUp: diskGuard.isShort) }
    }

    func trimLog(givingUp: Bool) throws {
        note(try log.trim(heldBytesMax: heldLogBytesMax, givingUp: givingUp))
        try committer.perform { [log] in try log.removeSegments(before: log.coveredEnd) }
    }

    private func note(_ givenUp: [GivenUpLog]) {
        for part in givenUp {
            options.logger.warning(
                "a part of the log is given up that remote write has not passed: \(part.reason)",
                metadata: ["bytes": "\(part.bytes)"])
        }
    }

    private func tellOfFailedCheckpoint(_ error: any Error) {
        if case .diskFull? = error as? StorageError { diskGuard.noteFull() }
        health.raise(.checkpoint, "The log cannot be shortened by a checkpoint", error)
    }

    /// - Returns: its size. Bytes.
    private func writeCheckpoint(_ snapshot: HeadCheckpoint, _ lsn: LSN, _ segment: UInt64) throws -> Int {
        // The checkpoint names places in the head-chunk files: they come first.
        try head.syncChunks()
        let bytes: Int
        do throws(StorageError) {
            var writer = try CheckpointWriter(
                fileSystem: options.fileSystem, directory: log.directory, lsn: lsn, firstSegment: segment)
            try snapshot.write(to: &writer)
            // Which of the older ones go depends on the log's consumers.
            bytes = try writer.finish(removesOlder: false)
        } catch {
            // Half a checkpoint would take the room that the next one needs.
            CheckpointWriter.removeUnfinished(fileSystem: options.fileSystem, directory: log.directory, lsn: lsn)
            throw error
        }
        checkpointSize.store(bytes, ordering: .relaxed)
        return bytes
    }
}
