import Blocks
import FileIO
import Logging
import OwnThreads
import SelfMetrics
import StorageAPI
import StorageFiles
import Synchronization

extension TSDB {
    /// What an earlier process left of a merge. Orphaned directories of other kinds are none.
    /// - Parameter served: one that merges anything else is removed.
    static func interruptedMerge(
        _ options: TSDBOptions, _ found: InterruptedMerge?, served: [Block]
    ) throws(StorageError) -> InterruptedMerge? {
        guard let found else { return nil }
        let identifiers = Set(served.map(\.identifier))
        if found.sources.allSatisfy(identifiers.contains) { return found }
        options.logger.info("an interrupted merge is removed, its blocks are gone", metadata: ["path": "\(found.path)"])
        try BlockDirectory.remove(fileSystem: options.fileSystem, path: found.path)
        return nil
    }

    /// Gives up the merge that an earlier process began, if there is one.
    func removeInterruptedMerge(_ reason: String) throws {
        guard let merge = interruptedMerge.withLock({ $0 }) else { return }
        options.logger.info("an interrupted merge is removed, \(reason)", metadata: ["path": "\(merge.path)"])
        // Were it to fail, the next look at the directory removes it: it is nobody's any more.
        interruptedMerge.withLock { $0 = nil }
        try BlockDirectory.remove(fileSystem: options.fileSystem, path: merge.path)
    }

    /// The merge to go on with for a plan; one of other blocks is removed.
    func interruptedMerge(for merge: CompactionPlan.Merge) throws -> InterruptedMerge? {
        guard let interrupted = interruptedMerge.withLock({ $0 }) else { return nil }
        if Set(interrupted.sources) == Set(merge.blocks.map(\.identifier)) { return interrupted }
        try removeInterruptedMerge("other blocks are to be merged")
        return nil
    }

    /// The room that it takes is needed for what is more urgent.
    func makeRoomInBlocks() throws {
        if diskGuard.isShort { try removeInterruptedMerge("the disk is short of room") }
    }

    /// Whether a merge that may not go on is worth a mark: the store is closing, and nothing says that its disk fails.
    var leavesMarks: Bool {
        maintenance.withState { $0.isClosing } && !diskGuard.isShort && !health.has(.logSync)
    }

    func note(_ resumption: BlockMerge.Resumption) {
        switch resumption {
        case .resumed(let series, let bytes):
            metrics.compactionsResumed.increment()
            options.logger.info(
                "merge goes on where it was interrupted", metadata: ["series": "\(series)", "bytes": "\(bytes)"])
        case .begunAnew(let reason):
            options.logger.warning("an interrupted merge cannot go on, it is begun anew: \(reason)")
        }
    }
}
