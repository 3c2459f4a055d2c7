import Blocks
import ChunkEncoding
import FileIO
import Logging
import SelfMetrics
import SeriesModel
import StorageAPI
import StorageFiles
import WAL

extension TSDB {
    /// Moves the head's oldest block range into a block. Readers see each sample in exactly one of the two: head and
    /// list of blocks change in one step, under the gate. Whoever dies in between leaves a block that is complete or
    /// none, and a log that still has everything.
    /// - Parameter range: `[min, max)`
    func cutBlock(_ range: TimeRange) throws {
        let started = ContinuousClock.now
        let (series, lsn) = try committer.perform { [head, log] in
            head.gate.exclusive { head.raiseStartForAppends(to: range.max) }
            return (HeadSelection(all: head).entries, log.nextLSN - 1)
        }
        let block = try writeBlock(series, range, lsn, into: BlockDirectory.path(in: options.directory))
        try catalog.replace(adding: block.map { [$0.record] } ?? [], removing: [], headStart: range.max)
        let removed = try committer.perform { [head, blocks] in
            head.gate.exclusive {
                if let block { blocks.replace(adding: [block], removing: []) }
                head.raiseStart(to: range.max)
                return head.truncate(before: range.max)
            }
        }
        metrics.seriesRemoved.increment(by: Double(removed.series))
        metrics.chunksRemoved.increment(by: Double(removed.chunks))
        metrics.truncations.increment()
        metrics.compactions.increment()
        metrics.compactionDuration.observe(started.duration(to: .now) / .seconds(1))
        options.logger.info(
            "block cut from the head",
            metadata: [
                "block": "\(block?.identifier.description ?? "none, the range is empty")", "mint": "\(range.min)",
                "maxt": "\(range.max)", "series": "\(block?.record.seriesCount ?? 0)",
                "samples": "\(block?.record.sampleCount ?? 0)", "bytes": "\(block?.record.bytes ?? 0)",
            ])
    }

    /// Writes what series of the head hold in a range, without what was deleted.
    /// - Parameters:
    ///   - range: `[min, max)`, within one aligned range of a block.
    ///   - directory: that is to hold the block.
    /// - Returns: nil where no series has a sample in the range.
    func writeBlock(
        _ series: [HeadSelection.Entry], _ range: TimeRange, _ lsn: LSN, into directory: String
    ) throws -> Block? {
        let closed = TimeRange(min: range.min, max: range.max - 1)
        let holding = series.filter { $0.snapshot.overlaps(closed) && !($0.deleted?.covers(closed) ?? false) }
            .sorted { $0.labels < $1.labels }
        if holding.isEmpty { return nil }
        let identifier = BlockIdentifier(timestamp: options.clock.now())
        var writer = try BlockWriter(
            fileSystem: options.fileSystem, directory: directory, identifier: identifier, range: range, level: 1,
            parents: [], lsn: lsn)
        var isEmpty = true
        do throws(StorageError) {
            for entry in holding {
                let chunks = try entry.chunks(in: closed, blockRange: options.blockRange)
                for chunk in chunks { metrics.observe(chunk) }
                isEmpty = isEmpty && chunks.isEmpty
                try writer.addSeries(
                    entry.labels,
                    chunks: chunks.map {
                        BlockChunk(
                            encoding: $0.encoding, range: $0.range, sampleCount: $0.sampleCount, bytes: $0.bytes)
                    })
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
}

extension HeadSelection.Entry {
    /// The chunks that overlap a range, put together anew where some of their samples were deleted.
    fileprivate func chunks(in range: TimeRange, blockRange: Int64) throws(StorageError) -> [HeadChunk] {
        guard let deleted, deleted.overlaps(range) else { return snapshot.chunks(in: range) }
        var samples = SampleBuffer()
        do throws(ChunkError) {
            try snapshot.read(range, into: &samples)
        } catch {
            throw .corruption(file: "head", offset: 0, reason: error.description)
        }
        samples.removeAll(in: deleted)
        var rows = LogBatch()
        rows.append(slot: 0, samples)
        let kept = HeadSeries(labels: labels, slot: 0, generation: 0)
        rows.forEach(
            float: { _ = kept.append(rows.timestamps[$0], $1, blockRange: blockRange) },
            histogram: { _ = kept.append(rows.timestamps[$0], $1, blockRange: blockRange) })
        return kept.snapshot().chunks(in: range)
    }
}

extension Head {
    /// The head spans one and a half blocks: the older one can be cut off while late samples still find their place.
    var isCutDue: Bool {
        guard let range else { return false }
        return range.max.subtractingClamped(range.min) > blockRange / 2 * 3
    }

    /// The aligned range that a cut takes: that of the oldest sample. `[min, max)`
    var nextBlockRange: TimeRange? {
        guard let range else { return nil }
        let start = Timestamp.window(of: range.min, blockRange) * blockRange
        return TimeRange(min: start, max: start + blockRange)
    }
}
