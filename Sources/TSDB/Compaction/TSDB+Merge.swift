import Blocks
import FileIO
import HeadMemory
import Logging
import OwnThreads
import SelfMetrics
import SeriesModel
import StorageAPI
import StorageFiles
import Synchronization

extension TSDB {
    /// Makes the next merge of the plan, if there is one and nothing stands against it.
    /// - Returns: whether one was made: then there may be another.
    func mergeBlocks() throws -> Bool {
        guard mayMerge() else { return false }
        guard let merge = try nextMerge() else {
            health.clear(.merge)
            try removeInterruptedMerge("there is nothing to merge")
            return false
        }
        let interrupted = try interruptedMerge(for: merge)
        metrics.compactionsTriggered.increment()
        let bytes = merge.blocks.reduce(0) { $0 + Int64($1.bytes) }
        // What is written of it need not be free once more.
        guard diskGuard.hasRoom(for: max(0, bytes - Int64(interrupted?.bytes ?? 0))) else {
            metrics.compactionsSkipped.increment()
            try removeInterruptedMerge("there is no room for it")
            options.logger.warning("no room for a merge, it waits", metadata: ["bytes": "\(bytes)"])
            return false
        }
        do {
            try self.merge(merge, resuming: interrupted)
            return true
        } catch BlockMerge.Stop.interrupted {
            options.logger.info("merge interrupted, it goes on later")
            // One that was not let read what there is has changed nothing of it.
            interruptedMerge.withLock { $0 = interrupted }
            return false
        } catch BlockMerge.Stop.cancelled {
            options.logger.info("merge given up, it is begun anew later")
            return false
        } catch {
            metrics.compactionFailures.increment()
            health.raise(.merge, "Blocks cannot be merged", error)
            throw error
        }
    }

    /// The store is not closing, and the disk is not short of room.
    private func mayMerge() -> Bool { !diskGuard.holdsMerges && !maintenance.withState { $0.isClosing } }

    /// Does what must not wait for a merge: blocks that are overdue are cut from the head, and checkpoints made, between
    /// two of its series. Then the merge goes on where it was.
    /// - Returns: whether it may go on. Where a cut fails it may not: it would take the room that the cut lacks.
    private func makeWay() -> Bool {
        guard mayMerge() else { return false }
        let isDue =
            wantsCheckpoint.load(ordering: .relaxed)
            || head.gate.shared { head.isCutOverdue || TSDB.isCheckpointDue(log, head) }
        // What fails is told there, and tried again by the next round of maintenance.
        return !isDue || (try? moveToDisk()) != nil
    }

    private func nextMerge() throws -> CompactionPlan.Merge? {
        let (visible, _, newest) = retentionInput()
        guard let newest else { return nil }
        let (retention, rules) = (retention, settings.withLock { $0.retentionRules })
        let plan = CompactionPlan(
            blockRange: options.blockRange, rangeMax: options.blockRangeMax, retentionTime: retention.time,
            retentionSize: retention.size)
        let uploaded = try options.delayCompactFile.map { try UploadedBlocks(options.fileSystem, $0) }
        let byIdentifier = Dictionary(visible.map { ($0.identifier, $0) }) { first, _ in first }
        var failure: (any Error)?
        let merge = plan.next(visible.map(\.record)) { record in
            record.level == 1 && !(uploaded?.contains(record.identifier) ?? true)
        } deletedShare: { record in
            guard let block = byIdentifier[record.identifier], record.seriesCount > 0 else { return 0 }
            return Double(block.reader.tombstones.series.count) / Double(record.seriesCount)
        } isOutlived: { record in
            guard !rules.isEmpty, let block = byIdentifier[record.identifier] else { return false }
            do {
                return try TSDB.outlived(block, rules, newest: newest).contains { !$0.isEmpty }
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
        return merge
    }

    /// A merge that makes way for what is more urgent, and leaves marks.
    private func work(on old: [Block], newest: Timestamp, goingOn interrupted: InterruptedMerge?) -> BlockMerge {
        var work = BlockMerge(old.map(\.reader))
        let cutoffs = MergeCutoffs(
            settings.withLock { $0.retentionRules }, newest: newest, goingOn: interrupted?.context)
        work.keepFrom = cutoffs.keepFrom
        work.marks = MergeMarks(intervalBytes: options.mergeMarkBytes, context: cutoffs.context)
        work.isInterrupted = { [self] in leavesMarks }
        work.resumption = { [self] in note($0) }
        let monotonicTime = options.monotonicTime ?? ClockWatch.continuousTime
        var nextLook = monotonicTime()
        work.mayGoOn = { [self] in
            let now = monotonicTime()
            guard now >= nextLook else { return true }
            nextLook = now.addingClamped(options.mergeLookInterval)
            return makeWay()
        }
        work.progress = { [metrics] done, total in
            metrics.compactionProgress.set(total > 0 ? Double(done) / Double(total) : 0)
        }
        return work
    }

    private func merge(_ merge: CompactionPlan.Merge, resuming interrupted: InterruptedMerge?) throws {
        let started = ContinuousClock.now
        let (visible, _, newest) = retentionInput()
        let wanted = Set(merge.blocks.map(\.identifier))
        let old = visible.filter { wanted.contains($0.identifier) }
        try checkpoint(behind: old)
        // From here on the merge itself goes on with it, or removes it.
        interruptedMerge.withLock { $0 = nil }
        let work = work(on: old, newest: newest ?? .min, goingOn: interrupted)
        defer { metrics.compactionProgress.set(0) }
        compacting.withLock { $0 = CompactionStatus(reason: merge.reason.rawValue, blocks: old.map(\.identifier)) }
        defer { compacting.withLock { $0 = nil } }
        options.logger.info(
            "merge begun", metadata: ["blocks": "\(old.count)", "reason": "\(merge.reason.rawValue)"])
        let identifier = BlockIdentifier(timestamp: options.clock.now())
        let directory = BlockDirectory.path(in: options.directory)
        let level = old.count == 1 ? old.first?.reader.level : nil
        let footer: BlockFooter?
        do {
            footer = try work.run(
                fileSystem: options.fileSystem, directory: directory, identifier: identifier, level: level,
                resuming: interrupted)
        } catch {
            reportDamage(error)
            throw error
        }
        let path = FilePath.join(directory, (footer?.identifier ?? identifier).description)
        let merged: Block?
        do {
            merged = try footer.map { _ in Block(try BlockReader(fileSystem: options.fileSystem, path: path)) }
            try catalog.replace(adding: merged.map { [$0.record] } ?? [], removing: old.map(\.identifier))
        } catch {
            // Nobody refers to it: the next attempt writes it anew.
            if footer != nil { try? BlockDirectory.remove(fileSystem: options.fileSystem, path: path) }
            throw error
        }
        try replaceBlocks(adding: merged.map { [$0] } ?? [], removing: wanted)
        for block in old { try BlockDirectory.remove(fileSystem: options.fileSystem, path: block.reader.path) }
        metrics.compactions.increment()
        if merge.reason == .overlap { metrics.verticalCompactions.increment() }
        metrics.reloads.increment()
        metrics.compactionDuration.observe(started.duration(to: .now) / .seconds(1))
        options.logger.info(
            "blocks merged",
            metadata: [
                "block": "\(merged?.identifier.description ?? "none, nothing is left")",
                "reason": "\(merge.reason.rawValue)", "parents": "\(old.map(\.identifier))",
                "seconds": "\(started.duration(to: .now) / .seconds(1))",
                "bytes_before": "\(old.reduce(0) { $0 + $1.record.bytes })", "bytes": "\(merged?.record.bytes ?? 0)",
            ])
    }
}

/// A merge that is under way.
struct CompactionStatus: Sendable {
    var reason: String
    var blocks: [BlockIdentifier]
}

extension Head {
    /// The head spans two blocks: a cut that has not been made for so long comes before everything else.
    var isCutOverdue: Bool {
        guard let oldestTime, let newestTime else { return false }
        return newestTime.subtractingClamped(oldestTime) > blockRange.addingClamped(blockRange)
    }
}
