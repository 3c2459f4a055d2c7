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
    /// Merges blocks until the plan has nothing more to do, or something more urgent has.
    func mergeBlocks() throws {
        while !isMergingInterrupted(), let merge = try nextMerge() {
            metrics.compactionsTriggered.increment()
            let bytes = merge.blocks.reduce(0) { $0 + Int64($1.bytes) }
            guard diskGuard.hasRoom(for: bytes) else {
                metrics.compactionsSkipped.increment()
                options.logger.warning("no room for a merge, it waits", metadata: ["bytes": "\(bytes)"])
                return
            }
            do {
                try self.merge(merge)
            } catch BlockMerge.Stop.cancelled {
                options.logger.info("merge interrupted, it is begun anew later")
                return
            } catch {
                metrics.compactionFailures.increment()
                health.raise(.merge, "Blocks cannot be merged", error)
                throw error
            }
        }
        if !isMergingInterrupted() { health.clear(.merge) }
    }

    /// The store is closing, the disk is short of room, or the head is half a block overdue.
    private func isMergingInterrupted() -> Bool {
        if diskGuard.holdsMerges { return true }
        if maintenance.change({ $0.isClosing }) { return true }
        return head.gate.shared { head.isCutOverdue }
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

    private func merge(_ merge: CompactionPlan.Merge) throws {
        let started = ContinuousClock.now
        let (visible, _, newest) = retentionInput()
        let wanted = Set(merge.blocks.map(\.identifier))
        let old = visible.filter { wanted.contains($0.identifier) }
        var work = BlockMerge(old.map(\.reader))
        work.keepFrom = TSDB.keepFrom(settings.withLock { $0.retentionRules }, newest: newest ?? .min)
        work.isCancelled = isMergingInterrupted
        work.progress = { [metrics] done, total in
            metrics.compactionProgress.set(total > 0 ? Double(done) / Double(total) : 0)
        }
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
                fileSystem: options.fileSystem, directory: directory, identifier: identifier, level: level)
        } catch {
            reportDamage(error)
            throw error
        }
        let merged = try footer.map { _ in
            Block(
                try BlockReader(
                    fileSystem: options.fileSystem, path: FilePath.join(directory, identifier.description)))
        }
        try catalog.replace(adding: merged.map { [$0.record] } ?? [], removing: old.map(\.identifier))
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
