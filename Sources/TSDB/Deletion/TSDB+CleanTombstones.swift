import Blocks
import FileIO
import HeadMemory
import SelfMetrics
import SeriesModel
import StorageAPI

extension TSDB {
    /// Rewrites the blocks that have deleted samples without them, and no others. Whoever dies in between leaves the old
    /// block with its tombstones or the new one. What was deleted of the head goes when that is cut. Blocks; waits for
    /// a cut or a merge that runs.
    /// - Returns: how many blocks were rewritten or, where nothing was left of them, removed.
    @discardableResult
    package func cleanTombstones() throws -> Int {
        let started = ContinuousClock.now
        defer { metrics.tombstoneCleanupDuration.observe(started.duration(to: .now) / .seconds(1)) }
        return try exclusively {
            let marked = head.gate.shared { blocks.all }.filter { !$0.reader.tombstones.isEmpty }
            try checkpoint(behind: marked)
            for block in marked {
                let rewritten = try rewrite(block)
                try catalog.replace(adding: rewritten.map { [$0.record] } ?? [], removing: [block.identifier])
                try replaceBlocks(adding: rewritten.map { [$0] } ?? [], removing: [block.identifier])
                try BlockDirectory.remove(fileSystem: options.fileSystem, path: block.reader.path)
            }
            return marked.count
        }
    }

    /// - Returns: the block without what was deleted; nil where nothing is left.
    private func rewrite(_ block: Block) throws -> Block? {
        let identifier = BlockIdentifier(timestamp: options.clock.now())
        let directory = BlockDirectory.path(in: options.directory)
        let footer = try BlockMerge([block.reader]).run(
            fileSystem: options.fileSystem, directory: directory, identifier: identifier, level: block.reader.level)
        if footer == nil { return nil }
        return Block(
            try BlockReader(
                fileSystem: options.fileSystem, path: FilePath.join(directory, identifier.description)))
    }
}
