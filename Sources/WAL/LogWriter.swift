import ByteCoding
package import FileIO
package import StorageAPI
package import StorageFiles
import Synchronization

/// The write-ahead log: batches become frames of the newest segment.
///
/// `append` makes one write and returns: what it acknowledged survives the death of the process. `sync`, called by a
/// thread of its own, makes it survive the loss of power. Appending, cutting and removing belong to the committer, which is
/// one thread at a time, its own or that of whoever brings a batch; `sync` waits for the disk beside them without holding
/// them up.
///
/// A writer always begins a segment of its own, so it never has to trust the end of one that it did not write.
package final class LogWriter: Sendable {
    struct State {
        var file: any AppendableFile
        var segment: UInt64
        var nextLSN: LSN
        var encoder = BatchEncoder()
        var payload = ByteBuilder()
        var frame = ByteBuilder()
        var scratch: [UInt8] = []
        /// Segments that were left before everything in them was synced.
        var unsynced: [any AppendableFile] = []
        /// A checkpoint has what the segments before this one have: who keeps them is not the replay.
        var coveredEnd: UInt64
        /// The newest segment whose sync failed: whatever is in it and before it may be lost with the power, however
        /// often a sync works from now on.
        var doubtfulSegment: UInt64?
        /// Sizes of the segments before the newest. Bytes.
        var olderSizes: [UInt64: Int]
        /// Samples in the newest segment, and in those before it that were written by this process.
        var sampleCount = 0
        var olderSampleCounts: [UInt64: Int] = [:]
        /// The newest segment cannot be trusted, or its end could not be cut: the next append begins a new one.
        var isSegmentSpoiled = false
        /// See `LogOptions.samplesPerSeriesMax`; more for a while where no new segment could be begun.
        var samplesPerSeriesMax: Int
        /// Series that were given a slot in a segment, and that no later segment says again.
        var introduced: [UInt64: [SeriesRef]] = [:]
        /// Those of the segments before this one are to be said again.
        var repeatedEnd: UInt64 = 0
    }

    let fileSystem: any FileSystem
    /// Holds segments and checkpoints.
    package let directory: String
    let options: LogOptions
    let state: Mutex<State>
    /// What files there are, and who needs them besides a replay; never locked for long.
    let inventory: Mutex<LogInventory>
    let newest: NewestRecord
    /// Held while files are synced: who comes second has nothing durable before that is over.
    private let syncing = Mutex(())

    /// Begins a new segment behind those that are there.
    /// - Parameters:
    ///   - directory: of the log; made where it is missing.
    ///   - nextLSN: one more than the replay's last.
    ///   - checkpoint: the one that the replay began with, if it was whole; 0 for none.
    package init(
        fileSystem: any FileSystem, directory: String, nextLSN: LSN, checkpoint: LSN = 0,
        options: LogOptions = LogOptions()
    ) throws(StorageError) {
        self.fileSystem = fileSystem
        self.directory = directory
        self.options = options
        let now = options.monotonicTime()
        let (sizes, older, file, segment, inventory) = try StorageError.wrapping { () throws(FileError) in
            try fileSystem.createDirectory(directory)
            let names = try fileSystem.list(directory)
            var inventory = LogInventory()
            var sizes: [UInt64: Int] = [:]
            for name in names {
                let path = FilePath.join(directory, name)
                if let number = LogFormat.segmentNumber(name) {
                    let bytes = try fileSystem.size(path)
                    sizes[number] = bytes
                    // One without a header has nothing that anybody could read.
                    if let header = LogWriter.header(fileSystem, path), header.kind == .segment {
                        inventory.add(.init(number: number, origin: header.origin, bytes: bytes, leftAt: now))
                    }
                } else if name.hasSuffix(LogFormat.temporarySuffix) {
                    try fileSystem.remove(path)
                }
            }
            try LogWriter.addCheckpoints(
                names, upTo: checkpoint, nextLSN, to: &inventory, fileSystem, directory, now)
            // A process that was killed has not synced them.
            var older: [any AppendableFile] = []
            for number in sizes.keys.sorted() where number >= inventory.coveredEnd {
                let path = FilePath.join(directory, LogFormat.segmentName(number))
                older.append(try fileSystem.openForAppending(path))
            }
            let segment = LogWriter.unusedSegment(names, fileSystem, directory)
            let file = try LogWriter.create(segment, firstLSN: nextLSN, fileSystem, directory)
            inventory.add(.init(number: segment, origin: nextLSN))
            return (sizes, older, file, segment, inventory)
        }
        state = Mutex(
            State(
                file: file, segment: segment, nextLSN: nextLSN, unsynced: older, coveredEnd: inventory.coveredEnd,
                olderSizes: sizes, samplesPerSeriesMax: options.samplesPerSeriesMax))
        self.inventory = Mutex(inventory)
        newest = NewestRecord(max(nextLSN, 1) - 1)
    }

    /// Those that a consumer can begin at: with the segments that go on from them.
    private static func addCheckpoints(
        _ names: [String], upTo newest: LSN, _ nextLSN: LSN, to inventory: inout LogInventory,
        _ fileSystem: any FileSystem, _ directory: String, _ now: Int64
    ) throws(FileError) {
        for lsn in names.compactMap(LogFormat.checkpointLSN) where lsn <= newest {
            let path = FilePath.join(directory, LogFormat.checkpointName(lsn))
            guard let header = header(fileSystem, path), header.kind == .checkpoint, header.number == lsn else {
                continue
            }
            let goesOn = inventory.segments.contains { $0.number == header.origin && $0.origin == lsn + 1 }
            guard lsn == newest || goesOn else { continue }
            let bytes = try fileSystem.size(path)
            // Behind it there may have been others, which could not be read or were removed.
            let isFollowed = lsn == newest && nextLSN == lsn + 1
            inventory.add(.init(lsn: lsn, origin: header.origin, bytes: bytes, madeAt: now, isFollowed: isFollowed))
        }
        inventory.isBeginningFollowed = newest == 0 && nextLSN == 1
    }

    private static func header(_ fileSystem: any FileSystem, _ path: String) -> LogFileHeader? {
        (try? LogFileHeader.bytes(fileSystem, path)).flatMap { try? LogFileHeader($0, file: path) }
    }

    /// A number above those of all segments, of those that were set aside, and of those that a checkpoint has made
    /// superfluous: a replay leaves out what is before the checkpoint's first segment.
    private static func unusedSegment(
        _ names: [String], _ fileSystem: any FileSystem, _ directory: String
    ) -> UInt64 {
        var unused: UInt64 = 0
        for name in names {
            let stem = name.prefix { $0 != "." }
            if let number = LogFormat.segmentNumber(String(stem)) {
                unused = max(unused, number + 1)
            } else if LogFormat.checkpointLSN(name) != nil {
                // One that cannot be read is not used by a replay either.
                let reader = try? LogReader(
                    fileSystem: fileSystem, path: FilePath.join(directory, name), kind: .checkpoint)
                unused = max(unused, reader?.header.origin ?? 0)
            }
        }
        return unused
    }

    /// Up to this record the newest checkpoint has taken the log's place; 0 without one.
    package var checkpointLSN: LSN { inventory.withLock { $0.checkpoints.last?.lsn ?? 0 } }

    /// The number of the segment that is being written.
    package var currentSegment: UInt64 { state.withLock { $0.segment } }

    /// The number that the next record will get.
    package var nextLSN: LSN { state.withLock { $0.nextLSN } }

    /// An exemplar, with its labels, counts as so many samples where the length of the log matters.
    private static let samplesPerExemplar = 8

    /// Samples that a replay would have to read, exemplars counted as several: those in all segments that were written
    /// since the start, and those that were there before.
    package var tailSampleCount: Int {
        state.withLock { $0.olderSampleCounts.values.reduce($0.sampleCount, +) }
    }

    /// Tells of what the replay met in older segments.
    /// - Parameter introduced: who was given a slot there.
    package func noteReplayed(_ samples: Int, introduced: [SeriesRef] = []) {
        state.withLock { state in
            // Whichever segment: they go together when the next checkpoint is made.
            guard let oldest = state.olderSizes.keys.filter({ $0 >= state.coveredEnd }).min() else { return }
            state.olderSampleCounts[oldest, default: 0] += samples
            if !introduced.isEmpty { state.introduced[oldest, default: []] += introduced }
        }
    }

    /// Of all segments, and of the checkpoints before the newest. Bytes.
    package var size: Int {
        let checkpoints = inventory.withLock { $0.olderCheckpointBytes }
        return state.withLock { $0.olderSizes.values.reduce($0.file.size + checkpoints, +) }
    }

    /// Of the segments that a replay reads. Bytes.
    package var neededBytes: Int {
        state.withLock { state in
            state.olderSizes.reduce(state.file.size) { $1.key >= state.coveredEnd ? $0 + $1.value : $0 }
        }
    }

    /// Logs one batch. Nothing of it is in the log after an error.
    package func append(_ batch: LogBatch) throws(StorageError) -> LSN { try append(batch, isRepetition: false) }

    /// - Parameter isRepetition: its series are not to be said again.
    func append(_ batch: LogBatch, isRepetition: Bool) throws(StorageError) -> LSN {
        try withState { (state) throws(StorageError) in
            try leaveSegmentIfDue(&state)
            state.payload.removeAll()
            state.encoder.encode(batch, into: &state.payload)
            guard state.payload.count <= LogFormat.payloadBytesMax else {
                state.encoder.undo()
                throw .invalid(reason: "a batch of \(state.payload.count) bytes is beyond the log's limit")
            }
            state.frame.removeAll()
            let lsn = state.nextLSN
            LogFrame.append(
                LogFormat.RecordType(of: batch), lsn: lsn, payload: state.payload.bytes, scratch: &state.scratch,
                to: &state.frame)
            let goodBytes = state.file.size
            do throws(FileError) {
                try state.file.append(state.frame.bytes)
            } catch {
                state.encoder.undo()
                do throws(FileError) {
                    try state.file.truncate(to: goodBytes)
                } catch {
                    state.isSegmentSpoiled = true
                }
                throw StorageError(error)
            }
            state.nextLSN = lsn + 1
            newest.publish(lsn)
            state.sampleCount += batch.count + batch.exemplars.count * LogWriter.samplesPerExemplar
            if !batch.newSeries.isEmpty, !isRepetition {
                state.introduced[state.segment, default: []] += batch.newSeries.map {
                    SeriesRef(slot: $0.slot, generation: $0.generation)
                }
            }
            return lsn
        }
    }

    /// Begins a new segment where the newest is damaged, full, or so long that losing it would cost too much.
    private func leaveSegmentIfDue(_ state: inout State) throws(StorageError) {
        if state.isSegmentSpoiled {
            try cut(&state)
        } else if state.file.size >= options.segmentBytesMax {
            try leaveSynced(&state)
        } else if state.encoder.samplesPerSeries >= state.samplesPerSeriesMax,
            state.file.size >= options.segmentBytesMin
        {
            do throws(StorageError) {
                try leaveSynced(&state)
            } catch {
                // The old one serves as well, for some more samples.
                state.samplesPerSeriesMax += max(1, options.samplesPerSeriesMax / 8)
                return
            }
        } else {
            return
        }
        state.repeatedEnd = state.segment
    }

    /// What a loss of power takes is the end of the log then, and not a piece out of its middle: the end of the old
    /// segment, with the new one there. Waits for the disk, for what came since the last sync.
    private func leaveSynced(_ state: inout State) throws(StorageError) {
        do throws(FileError) {
            try state.file.sync()
        } catch {
            state.isSegmentSpoiled = true
            state.doubtfulSegment = state.segment
        }
        try cut(&state)
    }

    /// Makes everything appended before the call durable.
    ///
    /// After an error it is unknown what of the segments reached the disk, and asking again proves nothing: the kernel
    /// reports a lost page once. The log goes on in a new segment; the caller makes a checkpoint at once. Until the
    /// doubtful segments are removed every sync fails.
    package func sync() throws(StorageError) {
        try syncing.withLock { _ in Result { () throws(StorageError) in try syncAlone() } }.get()
    }

    private func syncAlone() throws(StorageError) {
        let (file, segment, older, doubtful) = state.withLock { state in
            let older = state.unsynced
            if state.doubtfulSegment == nil { state.unsynced = [] }
            return (state.file, state.segment, older, state.doubtfulSegment)
        }
        if let doubtful {
            throw .unavailable(reason: "segment \(doubtful) of the log could not be synced, a checkpoint is due")
        }
        do throws(FileError) {
            for file in older { try file.sync() }
            try file.sync()
        } catch {
            state.withLock { state in
                if state.file === file { state.isSegmentSpoiled = true }
                state.doubtfulSegment = segment
            }
            throw StorageError(error)
        }
    }

    /// The segments from before may not be on the disk, whatever a sync of them says: the process that wrote them may have
    /// met a failure that the kernel reports once. Until a checkpoint takes their place every sync fails.
    package func doubtOlderSegments() {
        state.withLock { state in
            state.doubtfulSegment = state.olderSizes.keys.max().flatMap { $0 >= state.coveredEnd ? $0 : nil }
        }
    }

    /// Whether syncs fail until a checkpoint is made.
    package var isDoubtful: Bool { state.withLock { $0.doubtfulSegment != nil } }

    /// Begins a new segment, for example because a checkpoint is going to cover everything before it.
    /// - Returns: its number. The records from `nextLSN` on are in it.
    package func cutSegment() throws(StorageError) -> UInt64 {
        try withState { (state) throws(StorageError) in
            try cut(&state)
            return state.segment
        }
    }

    /// A checkpoint has what the segments with smaller numbers have: removes those that no consumer needs, as of the
    /// last `trim`. The newest stays in any case.
    package func removeSegments(before segment: UInt64) throws(StorageError) {
        let end = inventory.withLock { $0.drop(before: segment) }
        try withState { (state) throws(StorageError) in
            state.coveredEnd = max(state.coveredEnd, segment)
            // A checkpoint has them, whether a consumer keeps the files or not.
            state.olderSampleCounts = state.olderSampleCounts.filter { $0.key >= segment }
            state.introduced = state.introduced.filter { $0.key >= segment }
            if let doubtful = state.doubtfulSegment, doubtful < segment { state.doubtfulSegment = nil }
            let paths = Set(
                state.olderSizes.keys.filter { $0 >= segment }.map {
                    FilePath.join(directory, LogFormat.segmentName($0))
                })
            state.unsynced.removeAll { !paths.contains($0.path) }
            for number in state.olderSizes.keys.sorted() where number < end {
                try StorageError.wrapping { () throws(FileError) in
                    try fileSystem.remove(FilePath.join(directory, LogFormat.segmentName(number)))
                }
                state.olderSizes[number] = nil
            }
        }
    }

    private func cut(_ state: inout State) throws(StorageError) {
        let next = state.segment + 1
        let firstLSN = state.nextLSN
        let file = try StorageError.wrapping { () throws(FileError) in
            try LogWriter.create(next, firstLSN: firstLSN, fileSystem, directory)
        }
        let bytes = state.file.size
        inventory.withLock {
            $0.begin(next, origin: firstLSN, leaving: bytes, now: options.monotonicTime())
        }
        state.unsynced.append(state.file)
        state.olderSizes[state.segment] = bytes
        state.olderSampleCounts[state.segment] = state.sampleCount
        state.sampleCount = 0
        state.file = file
        state.segment = next
        state.encoder.reset()
        state.isSegmentSpoiled = false
        state.samplesPerSeriesMax = options.samplesPerSeriesMax
    }

    /// The file's name is durable when this returns: without it a `sync` of the content would prove nothing.
    private static func create(
        _ segment: UInt64, firstLSN: LSN, _ fileSystem: any FileSystem, _ directory: String
    ) throws(FileError) -> any AppendableFile {
        let path = FilePath.join(directory, LogFormat.segmentName(segment))
        let file = try fileSystem.create(path)
        do throws(FileError) {
            try file.append(LogFileHeader(kind: .segment, number: segment, origin: firstLSN).bytes)
            try fileSystem.syncDirectory(directory)
        } catch {
            // The next attempt takes the same number.
            try? fileSystem.remove(path)
            throw error
        }
        return file
    }

    /// `Mutex.withLock` with the error's type kept.
    private func withState<R: Sendable>(
        _ body: (inout State) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        let result = state.withLock { state -> Result<R, StorageError> in
            do throws(StorageError) {
                return .success(try body(&state))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
