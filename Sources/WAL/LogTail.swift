package import SeriesModel
package import StorageAPI
import StorageFiles
import Synchronization

/// One consumer's way through the log: see `CommitTail`. Opened by `LogWriter.openTail`.
package final class LogTail: CommitTail {
    /// Of one who reads.
    fileprivate struct Reading {
        var reader: TailReader
        var batch = LogBatch()
        /// Who has a number before the first record; nil when that was told.
        var start: TailStart?
        /// Records were lost, and with them who has which number.
        var hasGap = false
        /// Behind a gap: what the next record tells besides its own.
        var retold: [LogBatch.NewSeries] = []
        /// Behind a gap: the numbers whose owner is known. Nil before.
        var known: KnownNumbers?
    }

    /// Of what was read.
    private struct Progress {
        /// The newest record that was handed out.
        var handed: LSN
        /// The newest that was read: those behind the one handed out have nothing in them, or are lost.
        var passed: LSN
        var released: LSN
    }

    private let log: LogWriter
    private let consumer: String
    private let reading: Mutex<Reading>
    private let progress: Mutex<Progress>
    private let isClosed = Atomic(false)
    private let segment: Atomic<UInt64>
    private let lostCount: Atomic<UInt64>

    init(_ log: LogWriter, consumer: String, behind position: LSN) throws(StorageError) {
        self.log = log
        self.consumer = consumer
        let (start, reader) = try TailStart.find(log, position)
        progress = Mutex(Progress(handed: reader.last, passed: reader.last, released: position))
        segment = Atomic(reader.segment ?? log.inventory.withLock { $0.segments.last?.number ?? 0 })
        lostCount = Atomic(reader.lostCount)
        // Then it begins anew with the first record, which leaves out what nobody knows the owner of.
        reading = Mutex(Reading(reader: reader, start: start, hasGap: start.isPartial))
    }

    deinit { close() }

    package var newest: UInt64 { log.newest.number }
    package var currentSegment: UInt64 { segment.load(ordering: .relaxed) }
    package var lostRecordCount: UInt64 { lostCount.load(ordering: .relaxed) }

    package func forEachSeries(_ body: (_ number: UInt32, _ labels: LabelSet) -> Void) throws(StorageError) {
        guard let start = reading.withLock({ $0.start.take() }) else { return }
        try start.forEachSeries(body)
    }

    package func next(into record: inout CommittedRecord, timeout: Duration) throws(StorageError) -> Bool {
        let deadline = ContinuousClock.now.advanced(by: min(timeout, LogTail.longestWait))
        return try reading.withLock { reading in
            Result { () throws(StorageError) in try next(&reading, into: &record, until: deadline) }
        }.get()
    }

    private static let longestWait = Duration.seconds(86_400)

    private func next(
        _ reading: inout Reading, into record: inout CommittedRecord, until deadline: ContinuousClock.Instant
    ) throws(StorageError) -> Bool {
        while !isClosed.load(ordering: .acquiring) {
            if log.newest.isEnded { throw .closed }
            let newest = log.newest.number
            guard reading.reader.last < newest else {
                if !wait(beyond: newest, until: deadline) { return false }
                continue
            }
            if reading.hasGap, !reading.reader.isInDamage {
                try beginAnew(&reading)
                continue
            }
            if reading.tellMany() {
                hand(&reading, to: &record)
                return true
            }
            let isRead = try reading.reader.read(into: &reading.batch, newest: newest)
            if let number = reading.reader.segment { segment.store(number, ordering: .relaxed) }
            lostCount.store(reading.reader.lostCount, ordering: .relaxed)
            if isRead { reading.completeBatch() } else { reading.hasGap = true }
            if isRead, reading.batch.hasWhatIsPassedOn {
                hand(&reading, to: &record)
                return true
            }
            pass(reading.reader.last)
        }
        return false
    }

    private func hand(_ reading: inout Reading, to record: inout CommittedRecord) {
        let last = reading.reader.last
        progress.withLock { progress in
            progress.handed = last
            progress.passed = last
        }
        record.take(&reading.batch, number: last)
    }

    /// Behind a gap: finds out who has which number there.
    private func beginAnew(_ reading: inout Reading) throws(StorageError) {
        let (start, reader) = try TailStart.find(log, reading.reader.last)
        var retold: [LogBatch.NewSeries] = []
        try start.forEachSeries { retold.append(.init(slot: $0, generation: 0, labels: $1)) }
        let lost = reading.reader.lostCount
        reading.reader = reader
        reading.reader.add(lost: lost)
        lostCount.store(reading.reader.lostCount, ordering: .relaxed)
        reading.retold = retold
        reading.known = KnownNumbers()
        // Who did not ask for it has it told as well.
        reading.start = nil
        reading.hasGap = false
        pass(reader.last)
    }

    /// - Returns: false where the time is over.
    private func wait(beyond number: LSN, until deadline: ContinuousClock.Instant) -> Bool {
        let rest = ContinuousClock.now.duration(to: deadline).components
        guard rest.seconds >= 0, rest.attoseconds > 0 || rest.seconds > 0 else { return false }
        // Rounded up: a little too early would be early again and again.
        let milliseconds = rest.seconds * 1000 + rest.attoseconds / 1_000_000_000_000_000 + 1
        log.newest.wait(beyond: number, milliseconds: milliseconds) { isClosed.load(ordering: .acquiring) }
        return true
    }

    /// A record with nothing in it, or lost ones: released when those before are.
    private func pass(_ lsn: LSN) {
        let released = progress.withLock { progress -> LSN? in
            progress.passed = lsn
            guard progress.released >= progress.handed else { return nil }
            progress.released = lsn
            return lsn
        }
        if let released { log.inventory.withLock { $0.release(consumer, through: released) } }
    }

    package func release(through number: UInt64) {
        let released = progress.withLock { progress -> LSN? in
            let reached = number >= progress.handed ? progress.passed : number
            guard reached > progress.released else { return nil }
            progress.released = reached
            return reached
        }
        if let released { log.inventory.withLock { $0.release(consumer, through: released) } }
    }

    package func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        log.newest.wake()
        log.inventory.withLock { $0.close(consumer) }
    }
}

/// Behind a gap: the numbers whose owner was told since.
fileprivate struct KnownNumbers {
    private var isKnown: [Bool] = []

    mutating func insert(_ number: UInt32) {
        let index = Int(number)
        if index >= isKnown.count {
            isKnown.append(contentsOf: repeatElement(false, count: index + 1 - isKnown.count))
        }
        isKnown[index] = true
    }

    func contains(_ number: UInt32) -> Bool { Int(number) < isKnown.count && isKnown[Int(number)] }
}

extension LogTail.Reading {
    /// So many are told in one record behind a gap.
    private static var toldAtOnce: Int { 10_000 }

    /// Behind a gap: makes a batch of a part of what the next record would have to tell.
    /// - Returns: false where that record can tell it.
    fileprivate mutating func tellMany() -> Bool {
        guard retold.count > Self.toldAtOnce else { return false }
        batch.removeAll()
        batch.newSeries = Array(retold.suffix(Self.toldAtOnce))
        retold.removeLast(Self.toldAtOnce)
        for series in batch.newSeries { known?.insert(series.slot) }
        return true
    }

    /// Behind a gap: a batch tells what was not told yet, and leaves out rows of which nobody knows whose they are.
    fileprivate mutating func completeBatch() {
        guard known != nil else { return }
        if !retold.isEmpty {
            batch.newSeries.insert(contentsOf: retold, at: 0)
            retold = []
        }
        for series in batch.newSeries { known?.insert(series.slot) }
        guard let known, !batch.slots.allSatisfy(known.contains) else { return }
        batch.keepRows(known.contains)
    }
}

extension LogBatch {
    /// Keeps the rows of some slots.
    fileprivate mutating func keepRows(_ isKept: (UInt32) -> Bool) {
        var kept = LogBatch()
        kept.newSeries = newSeries
        forEach(
            float: { row, value in
                if isKept(slots[row]) { kept.append(slot: slots[row], timestamp: timestamps[row], value: value) }
            },
            histogram: { row, histogram in
                if isKept(slots[row]) {
                    kept.append(slot: slots[row], timestamp: timestamps[row], histogram: histogram)
                }
            })
        self = kept
    }

    /// Deletions concern the store alone.
    fileprivate var hasWhatIsPassedOn: Bool { !slots.isEmpty || !newSeries.isEmpty || !exemplars.isEmpty }
}

extension CommittedRecord {
    /// Takes what a batch has; the batch gets the memory of the record before.
    fileprivate mutating func take(_ batch: inout LogBatch, number: LSN) {
        self.number = number
        newSeries.removeAll(keepingCapacity: true)
        for series in batch.newSeries { newSeries.append((series.slot, series.labels)) }
        swap(&series, &batch.slots)
        swap(&timestamps, &batch.timestamps)
        swap(&values, &batch.values)
        swap(&histogramRows, &batch.histogramRows)
        swap(&histograms, &batch.histograms)
        swap(&exemplars, &batch.exemplars)
        batch.removeAll()
    }
}
