import Blocks
import HeadMemory
import Logging
import PrometheusBlocks
import SelfMetrics
import SeriesModel
import StorageAPI

extension TSDB {
    /// What was imported into the directory. Asked before our own blocks are looked at: one that is written in between
    /// takes the place of Prometheus' a round later, and neither is missing meanwhile.
    func importedBlocks() -> ImportedBlocks {
        prometheusBlocks.imported { [damage, metrics] in
            damage.note($0)
            metrics.reloadFailures.increment()
        }
    }

    /// Takes in and lets go the blocks of Prometheus' that were put there, taken away or imported, and its log. What the
    /// time of the retention leaves nothing of is served no more; the files are not ours to delete.
    func reloadPrometheusBlocks(_ imported: ImportedBlocks) throws {
        let (own, known, knownLog) = head.gate.shared {
            (blocks.all.map(\.record), blocks.prometheus, blocks.prometheusLog)
        }
        let note: (StorageDamage) -> Void = { [damage, metrics] in
            damage.note($0)
            metrics.reloadFailures.increment()
        }
        let found: [PrometheusBlockSource]
        do throws(StorageError) {
            found = try prometheusBlocks.look(known: known, own: own, imported: imported, note)
        } catch {
            metrics.reloadFailures.increment()
            throw error
        }
        let (_, _, ownNewest) = retentionInput()
        let log = prometheusBlocks.log(imported: imported, note)
        let newest = [ownNewest, found.map(\.block.range.max).max(), log.map { $0.range.max - 1 }]
            .compactMap { $0 }.max()
        let oldestKept = retention.time.flatMap { time in newest.map { $0.subtractingClamped(time) } } ?? .min
        let served = found.filter { $0.block.range.max >= oldestKept }
        let servedLog = log.flatMap { $0.range.max > oldestKept ? $0 : nil }
        guard
            Set(served.map { ObjectIdentifier($0) }) != Set(known.map { ObjectIdentifier($0) })
                || servedLog?.identifier != knownLog?.identifier
        else { return }
        try committer.perform { [head, blocks] in
            head.gate.exclusive { blocks.replacePrometheus(served, log: servedLog) }
        }
        metrics.reloads.increment()
        options.logger.info(
            "data of Prometheus' are served",
            metadata: ["blocks": "\(served.count)", "log": "\(servedLog != nil)"])
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
                prometheusBlocks.leaveOut(source)
                damage.note(
                    StorageDamage(
                        file: source.path, reason: "\(error)", after: source.block.range.min,
                        before: source.block.range.max))
            }
        }
    }

    /// What cannot be deleted from is not deleted from in part.
    /// - Throws: `StorageError.invalid` where a block or the log of Prometheus' has samples that are to be deleted.
    func refuseDeletionFromPrometheus(_ matching: [[LabelMatcher]], _ range: TimeRange) throws {
        var resolution = MatcherResolution()
        for source in head.gate.shared({ blocks.prometheus }) where source.block.range.overlaps(range) {
            let block = VisibleBlock(source)
            let found = PostingsList.union(try matching.map { try resolution.resolve($0, in: block) })
            if try source.hasSamples(found, in: range) { throw onlyRead("block \(source.identifier)") }
        }
        if let log = head.gate.shared({ blocks.prometheusLog }), VisibleBlock(log).range.overlaps(range) {
            let block = VisibleBlock(log)
            let found = PostingsList.union(try matching.map { try resolution.resolve($0, in: block) })
            if try log.hasSamples(found, in: range) { throw onlyRead("the log in wal/") }
        }
    }

    private func onlyRead(_ what: String) -> StorageError {
        .invalid(
            reason: "\(what) is Prometheus' and only read: nothing was deleted; take it in with "
                + "`hearth tsdb import \(options.directory)` first")
    }
}
