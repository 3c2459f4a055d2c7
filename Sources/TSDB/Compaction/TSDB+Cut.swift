import Blocks
import ChunkEncoding
import FileIO
import HeadMemory
import Logging
import SelfMetrics
import SeriesModel
import StorageAPI
import StorageFiles
import Synchronization
import WAL

extension TSDB {
    /// Slots that are truncated under one hold of the gate: a millisecond or so.
    static let slotsPerTruncation = 8192
    /// So often in a row a cut may fail before chunks that the disk does not give are left out of the block.
    private static let failedCutsMax = 10

    /// Moves the head's oldest block range into a block, and what came out of order before that range into blocks of
    /// their ranges. Readers see each sample in exactly one place: head and list of blocks change in one step, under
    /// the gate. Whoever dies in between leaves blocks that are complete or none, and a log that still has everything.
    /// - Parameter range: `[min, max)`
    func cutBlock(_ range: TimeRange) throws {
        let started = ContinuousClock.now
        let (cut, ranges, lsn) = try committer.perform { [head, log] in
            head.gate.exclusive { head.raiseStartForAppends(to: range.max) }
            try head.sealOutOfOrder()
            var ranges = head.outOfOrderWindows.filter { $0.max <= range.min }
            ranges.append(range)
            return (HeadCut(head, TimeRange(min: .min, max: range.max - 1)), ranges, log.nextLSN - 1)
        }
        var added: [Block] = []
        do {
            let directory = BlockDirectory.path(in: options.directory)
            for range in ranges {
                if let block = try writeBlock(cut, range, lsn, into: directory) { added.append(block) }
            }
            try catalog.replace(adding: added.map(\.record), removing: [], headStart: range.max)
        } catch {
            failedCutCount.add(1, ordering: .relaxed)
            // Nobody refers to them: the next attempt writes them anew.
            for block in added { try? BlockDirectory.remove(fileSystem: options.fileSystem, path: block.reader.path) }
            throw error
        }
        failedCutCount.store(0, ordering: .relaxed)
        let removed = try showCut(added, range.max)
        metrics.seriesRemoved.increment(by: Double(removed.series))
        metrics.chunksRemoved.increment(by: Double(removed.chunks))
        metrics.truncations.increment()
        metrics.compactions.increment()
        metrics.compactionDuration.observe(started.duration(to: .now) / .seconds(1))
        for block in added {
            options.logger.info(
                "block cut from the head",
                metadata: [
                    "block": "\(block.identifier)", "mint": "\(block.record.range.min)",
                    "maxt": "\(block.record.range.max)", "series": "\(block.record.seriesCount)",
                    "samples": "\(block.record.sampleCount)", "bytes": "\(block.record.bytes)",
                ])
        }
    }

    /// Shows the blocks and lets the head forget what is in them.
    private func showCut(_ added: [Block], _ end: Timestamp) throws -> Head.Truncation {
        let started = ContinuousClock.now
        try committer.perform { [head, blocks] in
            head.gate.exclusive {
                blocks.replace(adding: added, removing: [])
                head.raiseStart(to: end)
                head.beginTruncation()
            }
        }
        var total = Head.Truncation()
        var first = 0
        // Readers do not look at what lies before the start any more: it may go in parts, with batches in between.
        while true {
            let (part, count) = try committer.perform { [head] in
                let slots = first..<first + TSDB.slotsPerTruncation
                let part = head.gate.exclusive { head.truncate(slots, outOfOrderEnd: end) }
                head.reclaim()
                return (part, head.slotCount)
            }
            total.add(part)
            first += TSDB.slotsPerTruncation
            if first >= count { break }
        }
        try committer.perform { [head, total] in
            head.gate.exclusive { head.endTruncation(total) }
            let oldest = head.range?.min ?? end
            try head.removeChunkFiles(before: min(oldest, end))
        }
        metrics.headGarbageDuration.observe(started.duration(to: .now) / .seconds(1))
        return total
    }

    /// Writes what the head held in a range.
    /// - Parameters:
    ///   - range: `[min, max)`, within one aligned range of a block.
    ///   - directory: that is to hold the block.
    /// - Returns: nil where no series has a sample in the range.
    func writeBlock(_ cut: HeadCut, _ range: TimeRange, _ lsn: LSN, into directory: String) throws -> Block? {
        let identifier = BlockIdentifier(timestamp: options.clock.now())
        var writer = try BlockWriter(
            fileSystem: options.fileSystem, directory: directory, identifier: identifier, range: range, level: 1,
            parents: [], lsn: lsn)
        let closed = TimeRange(min: range.min, max: range.max - 1)
        var seriesCount = 0
        do throws(StorageError) {
            try cut.forEach(in: closed, damaged: { (error) throws(StorageError) in try noteDamagedChunk(error, range) })
            {
                (labels, samples) throws(StorageError) in
                seriesCount += 1
                try writer.addSeries(labels, samples)
            }
        } catch {
            // The first error is the one to tell; what is left is removed at the next look at the directory.
            try? writer.abandon()
            throw error
        }
        if seriesCount == 0 {
            try writer.abandon()
            return nil
        }
        _ = try writer.finish()
        let path = FilePath.join(directory, identifier.description)
        do throws(StorageError) {
            return Block(try BlockReader(fileSystem: options.fileSystem, path: path))
        } catch {
            // It would be taken in later, without the deletions that the head has got meanwhile.
            try? BlockDirectory.remove(fileSystem: options.fileSystem, path: path)
            throw error
        }
    }

    /// - Throws: the error, where the disk may have had a bad moment: the cut is tried again some times.
    private func noteDamagedChunk(_ error: StorageError, _ range: TimeRange) throws(StorageError) {
        if case .corruption = error {
        } else if failedCutCount.load(ordering: .relaxed) < TSDB.failedCutsMax {
            throw error
        }
        metrics.headChunkCorruptions.increment()
        damage.note(StorageDamage(error, range))
        options.logger.error("a damaged head chunk is left out of the block", metadata: ["error": "\(error)"])
    }
}

extension Head {
    /// The head spans one and a half blocks: the older one can be cut off while late samples still find their place.
    var isCutDue: Bool {
        guard let oldestTime, let newestTime else { return false }
        return newestTime.subtractingClamped(oldestTime) > blockRange / 2 * 3
    }

    /// The aligned range that a cut takes: that of the oldest sample. `[min, max)`
    var nextBlockRange: TimeRange? {
        guard let oldestTime else { return nil }
        let start = Timestamp.window(of: oldestTime, blockRange) * blockRange
        return TimeRange(min: start, max: start + blockRange)
    }
}

extension StorageDamage {
    /// - Parameter range: `[min, max)`, in which samples may be missing.
    fileprivate init(_ error: StorageError, _ range: TimeRange) {
        let file: String
        switch error {
        case .corruption(let path, _, _), .system(_, let path, _): file = path
        default: file = "head"
        }
        self.init(file: file, reason: "\(error)", after: range.min, before: range.max)
    }
}
