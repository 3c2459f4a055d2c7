import Blocks
import FileIO
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
    private func rewrite(_ block: Block) throws(StorageError) -> Block? {
        let (old, identifier) = (block.reader, BlockIdentifier(timestamp: options.clock.now()))
        let directory = BlockDirectory.path(in: options.directory)
        var writer = try BlockWriter(
            fileSystem: options.fileSystem, directory: directory, identifier: identifier, range: old.footer.range,
            level: old.footer.level, parents: [old.footer.identifier], lsn: old.footer.lsn)
        var isEmpty = true
        do throws(StorageError) {
            for series in old.allPostings() {
                let chunks = try remainingChunks(of: series, in: old)
                if chunks.isEmpty { continue }
                isEmpty = false
                try writer.addSeries(try old.labels(of: series), chunks: chunks)
            }
        } catch {
            // The first error is the one to tell; what is left is removed at the next look at the directory.
            try? writer.abandon()
            throw error
        }
        if isEmpty {
            try writer.abandon()
            return nil
        }
        _ = try writer.finish()
        return Block(
            try BlockReader(
                fileSystem: options.fileSystem, path: FilePath.join(directory, identifier.description)))
    }

    /// The chunks as they are, or put together anew where samples of them were deleted.
    private func remainingChunks(
        of series: UInt32, in block: BlockReader
    ) throws(StorageError) -> [BlockChunk] {
        guard block.tombstones.ranges(of: series) != nil else {
            var chunks: [BlockChunk] = []
            for reference in try block.chunks(of: series) { chunks.append(try block.chunk(reference)) }
            return chunks
        }
        var samples = SampleBuffer()
        try block.read(series: series, into: &samples)
        return BlockChunk.chunks(of: samples)
    }
}
