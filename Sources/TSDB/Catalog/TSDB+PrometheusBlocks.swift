import Blocks
import HeadMemory
import Logging
import SelfMetrics
import SeriesModel
import StorageAPI

extension TSDB {
    /// Takes in and lets go the blocks of Prometheus' that were put there, taken away or imported. One that the time of
    /// the retention leaves nothing of is served no more; its files are not ours to delete.
    func reloadPrometheusBlocks() throws {
        let (own, known) = head.gate.shared { (blocks.all.map(\.record), blocks.prometheus) }
        let found: [PrometheusBlockSource]
        do throws(StorageError) {
            found = try prometheusBlocks.look(known: known, own: own) { [damage, metrics] in
                damage.note($0)
                metrics.reloadFailures.increment()
            }
        } catch {
            metrics.reloadFailures.increment()
            throw error
        }
        let (_, _, ownNewest) = retentionInput()
        let newest = [ownNewest, found.map(\.block.range.max).max()].compactMap { $0 }.max()
        let oldestKept = retention.time.flatMap { time in newest.map { $0.subtractingClamped(time) } } ?? .min
        let served = found.filter { $0.block.range.max >= oldestKept }
        guard Set(served.map(\.identifier)) != Set(known.map(\.identifier)) else { return }
        try committer.perform { [head, blocks] in
            head.gate.exclusive { blocks.replacePrometheus(served) }
        }
        metrics.reloads.increment()
        options.logger.info("blocks of Prometheus' are served", metadata: ["blocks": "\(served.count)"])
    }

    /// Leaves those out that were reported and are damaged.
    func leaveOutDamaged(_ suspects: Set<BlockIdentifier>) throws {
        for source in head.gate.shared({ blocks.prometheus }) where suspects.contains(source.identifier) {
            do throws(StorageError) {
                // The file system may have had a bad moment.
                try source.block.verify()
            } catch {
                options.logger.error(
                    "a block of Prometheus' is damaged, it is left out",
                    metadata: ["path": "\(source.path)", "error": "\(error)"])
                prometheusBlocks.leaveOut(source.identifier)
                damage.note(
                    StorageDamage(
                        file: source.path, reason: "\(error)", after: source.block.range.min,
                        before: source.block.range.max))
            }
        }
    }

    /// What cannot be deleted from is not deleted from in part.
    /// - Throws: `StorageError.invalid` where a block of Prometheus' has samples that are to be deleted.
    func refuseDeletionFromPrometheus(_ matching: [[LabelMatcher]], _ range: TimeRange) throws {
        var resolution = MatcherResolution()
        for source in head.gate.shared({ blocks.prometheus }) where source.block.range.overlaps(range) {
            let block = VisibleBlock(source)
            let found = PostingsList.union(try matching.map { try resolution.resolve($0, in: block) })
            guard try source.hasSamples(found, in: range) else { continue }
            throw StorageError.invalid(
                reason: "block \(source.identifier) is Prometheus' and only read: nothing was deleted; take it in with "
                    + "`hearth tsdb import \(options.directory) \(options.directory)` first")
        }
    }
}
