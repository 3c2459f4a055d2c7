import ByteCoding
package import FileIO
import OwnThreads
import SeriesModel
import StorageAPI
package import StorageFiles

/// Brings back what was logged: the newest good checkpoint, then the records after it.
///
/// Damage never stops a replay. In the newest segment it is what a crash leaves behind: the segment is cut there. In an
/// older one the rest of that segment is left out. What is cut off is kept beside the file, and all of it is reported.
package enum LogReplay {
    /// - Parameters:
    ///   - directory: of the log; need not exist.
    ///   - repair: whether damaged files are cut and set aside; otherwise nothing on disk is changed.
    ///   - restore: gets the records of the checkpoint that are no batches, in their place between those that are.
    ///   - apply: gets each batch with its number, in order; those of the checkpoint all have the checkpoint's number.
    ///     The batch is only lent: it is reused for the next one.
    /// - Throws: `StorageError` where the directory cannot be read or repaired; what `restore` and `apply` throw.
    package static func replay(
        fileSystem: any FileSystem, directory: String, repair: Bool = true,
        restore: (LogFormat.RecordType, [UInt8]) throws -> Void = { _, _ in },
        _ apply: (LSN, LogBatch) throws -> Void
    ) throws -> ReplayReport {
        guard fileSystem.exists(directory) else { return ReplayReport() }
        let queue = ReplayQueue()
        do throws(SystemThread.Failure) {
            try SystemThread.start("log-reader") {
                var run = ReplayRun(fileSystem: fileSystem, directory: directory, isRepairing: repair, queue: queue)
                queue.finish(Result { try run.run() })
            }
        } catch {
            throw StorageError.unavailable(reason: "\(error)")
        }
        return try queue.drain(restore: restore, apply: apply)
    }
}

/// The state of one replay on the side that reads.
private struct ReplayRun {
    let fileSystem: any FileSystem
    let directory: String
    let isRepairing: Bool
    let queue: ReplayQueue
    private var report = ReplayReport()
    private var batch = LogBatch()
    private var newestTimestamp: Timestamp?
    /// What was read and has not been handed on.
    private var items: [ReplayQueue.Item] = []
    /// Samples of them, or words.
    private var weight = 0
    /// Used batches, for their arrays.
    private var spare: [LogBatch] = []

    init(fileSystem: any FileSystem, directory: String, isRepairing: Bool, queue: ReplayQueue) {
        self.fileSystem = fileSystem
        self.directory = directory
        self.isRepairing = isRepairing
        self.queue = queue
    }

    mutating func run() throws -> ReplayReport {
        let names = try StorageError.wrapping { () throws(FileError) in try fileSystem.list(directory) }
        let firstSegment = try readCheckpoint(names.compactMap(LogFormat.checkpointLSN).sorted(by: >))
        let segments = names.compactMap(LogFormat.segmentNumber).sorted().filter { $0 >= firstSegment }
        for segment in segments { try readSegment(segment, isNewest: segment == segments.last) }
        try handOn()
        return report
    }

    // MARK: - Handing on

    private static let itemsMax = 256
    private static let weightMax = 1 << 16

    private mutating func emit(_ item: ReplayQueue.Item, weight: Int) throws(StorageError) {
        items.append(item)
        self.weight += weight
        if items.count >= ReplayRun.itemsMax || self.weight >= ReplayRun.weightMax { try handOn() }
    }

    private mutating func handOn() throws(StorageError) {
        weight = 0
        guard var used = queue.push(items) else { throw .unavailable(reason: "the replay was given up") }
        items.removeAll()
        while let item = used.popLast() {
            if case .batch(_, let batch) = item { spare.append(batch) }
        }
    }

    private mutating func emitBatch(_ lsn: LSN) throws(StorageError) {
        if let oldest = batch.timestamps.min(), let newest = batch.timestamps.max() {
            for index in report.damages.indices where report.damages[index].before == nil {
                report.damages[index].before = oldest
            }
            newestTimestamp = max(newestTimestamp ?? newest, newest)
        }
        report.records += 1
        report.samples += batch.count
        report.series += batch.newSeries.count
        try emit(.batch(lsn, batch), weight: batch.count + batch.newSeries.count * 32)
        batch = spare.popLast() ?? LogBatch()
    }

    // MARK: - Checkpoint

    /// Reads the newest checkpoint that is whole; where none is, what can be read of the newest.
    /// - Returns: the first segment to read after it.
    private mutating func readCheckpoint(_ candidates: [LSN]) throws -> UInt64 {
        var damaged: [(lsn: LSN, offset: Int, reason: String)] = []
        for lsn in candidates {
            let path = FilePath.join(directory, LogFormat.checkpointName(lsn))
            do throws(StorageError) {
                // Looked through before any of it is handed on: half a checkpoint would be worse than an older one.
                try Checkpoint.verify(fileSystem: fileSystem, path: path, lsn: lsn)
            } catch {
                guard case .corruption(_, let offset, let reason) = error else { throw error }
                damaged.append((lsn, offset, reason))
                continue
            }
            try setAside(damaged)
            var reader = try LogReader(fileSystem: fileSystem, path: path, kind: .checkpoint)
            try readRecords(&reader, lsn, isDamaged: false)
            return reader.header.origin
        }
        guard let newest = damaged.first, let origin = try salvage(newest.lsn) else {
            try setAside(damaged)
            return 0
        }
        // It is all there is until a new checkpoint is made: a copy of it is kept.
        try copyAside(
            FilePath.join(directory, LogFormat.checkpointName(newest.lsn)), offset: newest.offset,
            reason: newest.reason)
        try setAside(Array(damaged.dropFirst()))
        return origin
    }

    private mutating func setAside(_ damaged: [(lsn: LSN, offset: Int, reason: String)]) throws(StorageError) {
        for (lsn, offset, reason) in damaged {
            let path = FilePath.join(directory, LogFormat.checkpointName(lsn))
            try setAsideWhole(path, offset: offset, reason: reason, isTail: false)
        }
    }

    /// Reads what is good of a damaged checkpoint: its log is gone, there is nothing better.
    /// - Returns: the first segment to read after it; nil where not even the head of the file is good.
    private mutating func salvage(_ lsn: LSN) throws -> UInt64? {
        let path = FilePath.join(directory, LogFormat.checkpointName(lsn))
        var reader: LogReader
        do throws(StorageError) {
            reader = try LogReader(fileSystem: fileSystem, path: path, kind: .checkpoint)
        } catch {
            guard case .corruption = error else { throw error }
            return nil
        }
        guard reader.header.number == lsn else { return nil }
        try readRecords(&reader, lsn, isDamaged: true)
        report.isCheckpointDamaged = true
        return reader.header.origin
    }

    private mutating func readRecords(
        _ reader: inout LogReader, _ lsn: LSN, isDamaged: Bool
    ) throws(StorageError) {
        var decoder = BatchDecoder()
        while true {
            let start = reader.offset
            do throws(StorageError) {
                guard let frame = try reader.next(), frame.type != .checkpointEnd else { break }
                if frame.type.isBatch {
                    do throws(ByteError) {
                        try decoder.decode(frame.payload, frame.type, into: &batch)
                    } catch {
                        throw .corruption(error, file: reader.path, base: frame.offset)
                    }
                    // Values are XOR-ed with earlier ones, which may have been lost.
                    if isDamaged { batch.removeSamples() }
                    try emitBatch(lsn)
                } else {
                    report.records += 1
                    try emit(
                        .record(frame.type, frame.payload, isDamaged: isDamaged), weight: frame.payload.count / 8)
                }
            } catch {
                guard isDamaged, case .corruption = error else { throw error }
                // The frame's length may be good where its content is not.
                guard reader.offset > start || reader.skipDamaged() else { break }
            }
        }
        report.checkpointLSN = lsn
        report.lastLSN = lsn
    }

    // MARK: - Segments

    private mutating func readSegment(_ segment: UInt64, isNewest: Bool) throws(StorageError) {
        report.segments += 1
        let path = FilePath.join(directory, LogFormat.segmentName(segment))
        let goodBytes: Int
        let reason: String
        do {
            // The reader, and with it the mapping, has gone before the file is cut.
            guard let damage = try readFrames(path, segment) else { return }
            (goodBytes, reason) = damage
        }
        if goodBytes < LogFormat.fileHeaderBytes {
            try setAsideWhole(path, offset: 0, reason: reason, isTail: isNewest)
        } else {
            try cut(path, at: goodBytes, reason: reason, isTail: isNewest)
        }
    }

    /// Hands on the frames up to the first that is not good. - Returns: where that is and what is wrong with it.
    private mutating func readFrames(
        _ path: String, _ segment: UInt64
    ) throws(StorageError) -> (offset: Int, reason: String)? {
        var reader: LogReader
        do throws(StorageError) {
            reader = try LogReader(fileSystem: fileSystem, path: path, kind: .segment)
        } catch {
            guard case .corruption(_, _, let reason) = error else { throw error }
            return (0, reason)
        }
        guard reader.header.number == segment else { return (0, "header of segment \(reader.header.number)") }
        noteGap(upTo: reader.header.origin, path)
        var decoder = BatchDecoder()
        var segmentLSN = reader.header.origin
        while true {
            let start = reader.offset
            do throws(StorageError) {
                guard let frame = try reader.next() else { return nil }
                guard frame.type.isBatch else { return (start, "record type \(frame.type) in a segment") }
                guard frame.lsn == segmentLSN else { return (start, "record \(frame.lsn) in place of \(segmentLSN)") }
                do throws(ByteError) {
                    // Frames that the checkpoint holds are decoded too: later values are XOR-ed with theirs.
                    try decoder.decode(frame.payload, frame.type, into: &batch)
                } catch {
                    return (start, "payload: \(error)")
                }
            } catch {
                guard case .corruption(_, _, let reason) = error else { throw error }
                return (start, reason)
            }
            if segmentLSN > report.lastLSN {
                report.introduced += batch.newSeries.map { SeriesRef(slot: $0.slot, generation: $0.generation) }
                try emitBatch(segmentLSN)
                report.lastLSN = segmentLSN
            }
            segmentLSN += 1
        }
    }

    /// Records that neither a checkpoint nor a segment holds: files are missing, or an earlier repair left a gap.
    private mutating func noteGap(upTo origin: LSN, _ path: String) {
        guard origin > report.lastLSN &+ 1 else { return }
        // A damage just met in the segment before explains its own gap.
        if let last = report.damages.last, last.before == nil, last.bytesSetAside > 0, report.records > 0 { return }
        report.damages.append(
            LogDamage(
                file: path, offset: 0, reason: "records \(report.lastLSN + 1) to \(origin - 1) are missing before it",
                bytesSetAside: 0, isTail: false, after: newestTimestamp))
    }

    // MARK: - Repair

    /// Notes a damage, and tries to repair it. A file that cannot be repaired (the disk is full, say) does not keep the
    /// store from starting: it is read the same way again.
    private mutating func note(
        _ path: String, _ offset: Int, _ reason: String, _ bytes: Int, _ isTail: Bool,
        repair: () throws(FileError) -> Void
    ) {
        var damage = LogDamage(
            file: path, offset: offset, reason: reason, bytesSetAside: bytes, isTail: isTail, after: newestTimestamp)
        if isRepairing {
            do throws(FileError) {
                try repair()
            } catch {
                damage.repairFailure = error.description
            }
        }
        report.damages.append(damage)
    }

    /// Keeps what stands behind the good part under a name of its own and shortens the file.
    private mutating func cut(_ path: String, at offset: Int, reason: String, isTail: Bool) throws(StorageError) {
        let size = try StorageError.wrapping { () throws(FileError) in try fileSystem.size(path) }
        note(path, offset, reason, size - offset, isTail) {
            [fileSystem, torn = unusedName(path)] () throws(FileError) in
            // The mapping has to go before the file is shortened.
            let rest = try fileSystem.map(path).bytes(at: offset, count: size - offset)
            try fileSystem.replace(torn, with: rest)
            let file = try fileSystem.openForAppending(path)
            try file.truncate(to: offset)
            try file.sync()
        }
    }

    private mutating func setAsideWhole(
        _ path: String, offset: Int, reason: String, isTail: Bool
    ) throws(StorageError) {
        let size = try StorageError.wrapping { () throws(FileError) in try fileSystem.size(path) }
        note(path, offset, reason, size, isTail) {
            [fileSystem, directory, torn = unusedName(path)] () throws(FileError) in
            try fileSystem.rename(path, to: torn)
            try fileSystem.syncDirectory(directory)
        }
    }

    private mutating func copyAside(_ path: String, offset: Int, reason: String) throws(StorageError) {
        let size = try StorageError.wrapping { () throws(FileError) in try fileSystem.size(path) }
        note(path, offset, reason, size, false) {
            [fileSystem, torn = unusedName(path)] () throws(FileError) in
            try fileSystem.replace(torn, with: try fileSystem.map(path).bytes(at: 0, count: size))
        }
    }

    private func unusedName(_ path: String) -> String {
        var name = path + LogFormat.tornSuffix
        var attempt = 1
        while fileSystem.exists(name) {
            attempt += 1
            name = path + LogFormat.tornSuffix + "." + String(attempt)
        }
        return name
    }
}
