import Blocks
import HeadMemory
import Logging
import OwnThreads
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization
import WAL

extension TSDB {
    /// How long a failed attempt is not repeated, whatever asks for it. ms
    private static let retryInterval: Int64 = 10_000

    func startThreads() throws(StorageError) {
        try start("wal-sync") { store in
            while !store.isClosing(after: store.options.syncInterval) {
                store.syncLog()
                store.diskGuard.check()
                store.clockWatch.check()
                if store.diskGuard.wantsMaintenance { store.maintenance.change { $0.isRequested = true } }
            }
        }
        guard options.maintainsItself else { return }
        try start("maintenance", nice: 15) { store in
            while store.waitForWork() {
                do {
                    try store.maintain()
                } catch StorageError.closed {
                    break
                } catch {
                    store.options.logger.error(
                        "maintenance failed, it is tried again", metadata: ["error": "\(error)"])
                    if store.isClosing(after: TSDB.retryInterval) { break }
                }
            }
        }
    }

    /// Starts a thread that `close` waits for.
    func start(_ name: String, nice: Int32 = 0, _ run: @escaping @Sendable (TSDB) -> Void) throws(StorageError) {
        maintenance.change { $0.runningThreads += 1 }
        do throws(StorageError) {
            try StorageError.startingThread(name, nice: nice) { [self] in
                run(self)
                maintenance.change { $0.runningThreads -= 1 }
            }
        } catch {
            maintenance.change { $0.runningThreads -= 1 }
            throw error
        }
    }

    func isClosing(after milliseconds: Int64) -> Bool {
        maintenance.wait(milliseconds: milliseconds) { $0.isClosing ? true : nil } ?? false
    }

    /// - Returns: false when the store is closing.
    private func waitForWork() -> Bool {
        maintenance.wait(milliseconds: options.reloadInterval) { state -> Bool? in
            if state.isClosing { return false }
            defer { state.isRequested = false }
            return state.isRequested ? true : nil
        } ?? true
    }

    func syncLog() {
        // After an end that was not clean nobody knows what of the log reached the disk.
        if log.isDoubtful, !health.has(.logSync) { makeWantedCheckpoint() }
        let started = ContinuousClock.now
        do throws(StorageError) {
            try log.sync()
            health.clear(.logSync)
            metrics.fsyncDuration.observe(started.duration(to: .now) / .seconds(1))
        } catch {
            // What reached the disk is unknown: everything the head holds is written out anew.
            health.raise(.logSync, "The log cannot be synced, checkpoints are made instead", error)
            makeWantedCheckpoint()
        }
    }

    /// It tells itself how it ended.
    private func makeWantedCheckpoint() {
        wantsCheckpoint.store(true, ordering: .relaxed)
        // A merge may have the turn for minutes; it makes way. What else has it leaves the wish to the next round.
        let isMade: Void? = maintenanceTurn.withLockIfAvailable { _ in _ = try? checkpoint() }
        if isMade == nil { maintenance.change { $0.isRequested = true } }
    }

    /// Cuts the blocks that are due, takes in and lets go what changed on disk, applies the retention. Runs by itself;
    /// who calls it has it done. Blocks.
    /// - Throws: the first of what the steps met; each is noted, and the later ones are logged here. `.closed`.
    package func maintain() throws {
        // A whole round between two merges: retention may save the next one, and what is damaged does not wait for it.
        while try exclusively(makeRound), !maintenance.withState({ $0.isClosing }) {}
    }

    /// - Returns: whether blocks were merged: then there may be more to do.
    private func makeRound() throws -> Bool {
        // A step that fails must not keep the others from running: retention makes the room that a cut lacks.
        var failures: [any Error] = []
        func step(_ body: () throws -> Void) {
            do {
                try body()
            } catch {
                if case .diskFull? = error as? StorageError { diskGuard.noteFull() }
                failures.append(error)
            }
        }
        step(makeRoomInBlocks)
        // The disk has become full: what is kept for remote write goes, and what a checkpoint makes superfluous.
        let wantsRoom = diskGuard.takeWantsRoom()
        step { if wantsRoom, log.hasHeldFiles { try trimLog(givingUp: true) } }
        step { if wantsRoom, log.size > checkpointBytes { try checkpoint() } }
        step(moveToDisk)
        let failuresBefore = failures.count
        step(trimLog)
        step(closeStaleChunks)
        step(quarantineDamaged)
        let imported = importedBlocks()
        step(reloadBlocks)
        step(applyRetention)
        step(shedBlocks)
        step { try reloadPrometheusBlocks(imported) }
        if failures.count > failuresBefore {
            health.raise(.maintenance, "The data directory cannot be kept in order", failures[failuresBefore])
        } else {
            health.clear(.maintenance)
        }
        // Last: what is deleted need not be merged.
        var hasMerged = false
        step { hasMerged = try mergeBlocks() }
        reattachCatalog()
        for failure in failures.dropFirst() {
            options.logger.error("maintenance failed in a further step", metadata: ["error": "\(failure)"])
        }
        if let failure = failures.first { throw failure }
        return hasMerged
    }

    /// Cuts the blocks that are due, and makes a checkpoint where one is.
    func moveToDisk() throws {
        var hasCut = false
        while let range = try committer.perform({ [head] in head.isCutDue ? head.nextBlockRange : nil }) {
            do {
                metrics.compactionsTriggered.increment()
                try cutBlock(range)
                hasCut = true
            } catch {
                metrics.compactionFailures.increment()
                health.raise(.blockCut, "No block can be cut from the head", error)
                throw error
            }
        }
        health.clear(.blockCut)
        let isDue = try committer.perform { [log, head] in TSDB.isCheckpointDue(log, head) }
        // One that failed is tried again: the log was to become shorter.
        // A doubtful log cannot be synced before.
        let isWanted = health.has(.checkpoint) || wantsCheckpoint.load(ordering: .relaxed) || log.isDoubtful
        if hasCut || isDue || isWanted { try checkpoint() }
    }

    /// How long a series has been stale when its open chunk is closed. ms
    private static let staleMin: Int64 = 5 * 60_000

    /// Series that have ended give up the memory of their open chunk long before they leave.
    private func closeStaleChunks() throws {
        var first = 0
        var stale = 0
        while true {
            let (count, staleCount) = try committer.perform { [head] in
                guard let newest = head.newestTime else { return (0, 0) }
                let slots = first..<first + TSDB.slotsPerTruncation
                let before = newest.subtractingClamped(TSDB.staleMin)
                let found = head.gate.exclusive { head.closeStale(slots, before: before) }
                if found.closed > 0 { try head.flushClosed() }
                head.reclaim()
                return (head.slotCount, found.stale)
            }
            first += TSDB.slotsPerTruncation
            stale += staleCount
            if first >= count { break }
        }
        metrics.staleSeries.set(Double(stale))
    }

    /// A catalog whose file was locked, had no room or was damaged is a list in memory: its file is tried again.
    private func reattachCatalog() {
        guard let refusal = catalog.refusal else {
            health.clear(.catalog)
            return
        }
        let (visible, start) = head.gate.shared { (blocks.all, head.start) }
        do throws(StorageError) {
            let damaged = try catalog.reattach(visible.map(\.record), headStart: start == .min ? nil : start)
            options.logger.warning(
                "the catalog's file could not be used for a while",
                metadata: ["error": "\(refusal)", "damaged": "\(damaged ?? "no")"])
            health.clear(.catalog)
        } catch {
            options.logger.warning("the catalog's file cannot be used still", metadata: ["error": "\(error)"])
        }
    }

    /// Takes in and lets go what changed on disk.
    func reloadBlocks() throws {
        let known = head.gate.shared { blocks.all }
        let found: BlockSet
        do throws(StorageError) {
            found = try BlockSet(options, catalog, metrics, known: known, keeping: interruptedMerge.withLock { $0 })
        } catch {
            metrics.reloadFailures.increment()
            throw error
        }
        for damage in found.damages { self.damage.note(damage) }
        let before = Set(known.map(\.identifier))
        let after = Set(found.blocks.map(\.identifier))
        guard before != after else { return }
        try replaceBlocks(
            adding: found.blocks.filter { !before.contains($0.identifier) }, removing: before.subtracting(after))
        try found.removeLeftovers()
        metrics.reloads.increment()
    }
}
