import ByteCoding
import FileIO
import SeriesModel
import StorageAPI
import StorageFiles
import Synchronization

/// Who has which number where a consumer begins: the series of a checkpoint, and what the segments behind it say up to
/// that place. The checkpoint's labels are not collected: they are read again when they are told.
///
/// The log gives a number to another series only in a record that stands before that one's first sample, whatever the
/// head frees and when. So who begins at a checkpoint and reads all records behind it in their order always knows the
/// owner, however many numbers have changed hands in files that were kept for him. Who has lost records begins anew, as a
/// number may have changed hands there.
struct TailStart: Sendable {
    /// Mapped: it may be removed meanwhile.
    private let checkpoint: LogReader?
    private var later: [UInt32: LabelSet]
    /// Who has some number is not known: what told it is damaged, or had gone before there were consumers.
    private(set) var isPartial = false

    private init(_ checkpoint: LogReader?) {
        self.checkpoint = checkpoint
        later = [:]
    }

    /// Finds the base that a consumer begins at, and reads from there to its position, or as far as that has gone.
    static func find(_ log: LogWriter, _ position: LSN) throws(StorageError) -> (TailStart, TailReader) {
        let bases = log.inventory.withLock { $0.bases(for: position) }
        var (isBehindDamage, hasSkipped) = (false, false)
        for base in bases where !isBehindDamage || base.released > position {
            var checkpoint: LogReader?
            if let lsn = base.checkpoint {
                checkpoint = try open(log, lsn)
                if checkpoint == nil {
                    hasSkipped = true
                    continue
                }
            }
            var (found, reader) = try read(log, TailStart(checkpoint), base.released, position)
            // In what is lost a number may have got another owner than the base knows.
            let isFollowed = base.isFollowed && !hasSkipped
            isBehindDamage = found.isPartial && !isFollowed && bases.contains { $0.released > position }
            if isBehindDamage { continue }
            if base.checkpoint == nil, base.released > 0 { found.isPartial = true }
            return (found, reader)
        }
        // No checkpoint can be read: labels are known of those alone that come from here on.
        var (start, reader) = try read(log, TailStart(nil), position, position)
        start.isPartial = true
        return (start, reader)
    }

    /// - Returns: nil where it is damaged, or has gone.
    private static func open(_ log: LogWriter, _ lsn: LSN) throws(StorageError) -> LogReader? {
        let path = FilePath.join(log.directory, LogFormat.checkpointName(lsn))
        do throws(StorageError) {
            let reader = try LogReader(fileSystem: log.fileSystem, path: path, kind: .checkpoint)
            try Checkpoint.verify(fileSystem: log.fileSystem, path: path, lsn: lsn)
            return reader
        } catch {
            if case .corruption = error { return nil }
            if !log.fileSystem.exists(path) { return nil }
            throw error
        }
    }

    private static func read(
        _ log: LogWriter, _ start: TailStart, _ released: LSN, _ position: LSN
    ) throws(StorageError) -> (TailStart, TailReader) {
        var start = start
        var reader = TailReader(log, behind: released)
        var batch = LogBatch()
        while reader.last < position {
            guard try reader.read(into: &batch, newest: log.newest.number) else { continue }
            for series in batch.newSeries { start.later[series.slot] = series.labels }
        }
        start.isPartial = reader.lostCount > 0
        reader.forgetLost(upTo: position)
        return (start, reader)
    }

    /// Calls the body for each number once.
    consuming func forEachSeries(_ body: (_ number: UInt32, _ labels: LabelSet) -> Void) throws(StorageError) {
        if var reader = checkpoint {
            var decoder = BatchDecoder()
            var batch = LogBatch()
            while let frame = try reader.next(), frame.type != .checkpointEnd {
                // Samples stand in checkpoints of old versions alone; deletions and exemplars have no series.
                guard frame.type.isBatch, frame.type != .deletions, frame.type != .exemplars else { continue }
                do throws(ByteError) {
                    try decoder.decode(frame.payload, frame.type, into: &batch)
                } catch {
                    throw .corruption(error, file: reader.path, base: frame.offset)
                }
                for series in batch.newSeries where later[series.slot] == nil { body(series.slot, series.labels) }
            }
        }
        // Each label set goes when it was told: the consumer has its own form of it.
        while let (slot, labels) = later.popFirst() { body(slot, labels) }
    }
}
