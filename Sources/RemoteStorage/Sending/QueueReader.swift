import Logging
import OwnThreads
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization

/// Reads one queue's tail of the log on a thread of its own, and hands rows to the shards. Where they are full it waits,
/// and the log holds what comes meanwhile.
final class QueueReader: Sendable {
    private struct Control {
        var tail: (any CommitTail)?
        var isStopped = false
        /// What is in the log is still read, then the thread ends.
        var isFinishing = false
    }

    private static let nice: Int32 = 10
    /// The wait for a record, after which it is looked whether to end.
    private static let wait = Duration.milliseconds(250)
    private let context: QueueContext
    private let log: any CommitLog
    private let board: ShardBoard
    private let control = Monitor(Control())
    private let ended = OneShot()

    init(_ context: QueueContext, log: any CommitLog, board: ShardBoard) {
        self.context = context
        self.log = log
        self.board = board
    }

    func start() {
        do throws(SystemThread.Failure) {
            try SystemThread.start("remote write", nice: QueueReader.nice) { [self] in
                run()
                control.change { $0.tail }?.close()
                ended.signal()
            }
        } catch {
            context.logger.error("Remote write does not run", metadata: ["err": "\(error)"])
            ended.signal()
        }
    }

    /// Reads what is in the log by now, then ends.
    func finish() { control.change { $0.isFinishing = true } }

    /// Ends as soon as it can.
    func stop() {
        let tail = control.change { control in
            control.isStopped = true
            return control.tail
        }
        tail?.close()
    }

    func waitUntilEnded() async { await ended.wait() }

    var tail: (any CommitTail)? { control.withState { $0.tail } }

    private var isStopped: Bool { control.withState { $0.isStopped } }

    private func run() {
        // The last record whose rows the shards have; where the log had to be opened again it is read once more.
        var last: UInt64 = 0
        while !isStopped {
            do throws(StorageError) {
                guard let tail = try open(last) else { return }
                try read(tail, &last)
                return
            } catch {
                if isStopped || error == .closed { return }
                control.withState { $0.tail }?.close()
                control.change { $0.tail = nil }
                context.logger.error(
                    "Error reading the log for remote write, trying again", metadata: ["err": "\(error)"])
                let isEnding: (inout Control) -> Void? = { $0.isStopped || $0.isFinishing ? () : nil }
                if control.wait(milliseconds: context.options.logRetryPause, isEnding) != nil { return }
            }
        }
    }

    /// - Returns: nil where it was stopped meanwhile.
    private func open(_ last: UInt64) throws(StorageError) -> (any CommitTail)? {
        let tail = try log.openTail(consumer: context.consumer)
        do throws(StorageError) {
            try context.table.fill(from: tail, before: last + 1, context.preparation)
        } catch {
            tail.close()
            throw error
        }
        board.use(tail)
        let isStopped = control.change { control in
            control.tail = tail
            return control.isStopped
        }
        if isStopped { return nil }
        return tail
    }

    private func read(_ tail: any CommitTail, _ last: inout UInt64) throws(StorageError) {
        var record = CommittedRecord()
        var rows = RecordRows()
        // What was there before is a backlog.
        let backlogEnd = tail.newest
        if last == 0 { context.doubt.end = backlogEnd }
        while true {
            let (isStopped, isFinishing) = control.withState { ($0.isStopped, $0.isFinishing) }
            if isStopped { return }
            guard try tail.next(into: &record, timeout: isFinishing ? .zero : QueueReader.wait) else {
                if isFinishing { return }
                continue
            }
            guard record.number > last else {
                takeSeries(record, before: last + 1)
                continue
            }
            take(record, into: &rows, isBacklog: record.number <= backlogEnd)
            guard
                board.distribute(
                    rows, record: record.number, onWait: { context.metrics.enqueueRetries.increment() })
            else { return }
            last = record.number
        }
    }

    // MARK: One record

    /// Looks the record's rows up in the table, and leaves out what is not to be sent.
    private func take(_ record: CommittedRecord, into rows: inout RecordRows, isBacklog: Bool) {
        rows.removeAll()
        var left = LeftOut()
        let limit = context.ageLimit ?? .min
        takeSeries(record, before: record.number)
        var newest: Timestamp = 0
        context.table.withLock { state in
            newest = QueueReader.look(up: record, state.table, limit, context.section, &rows, &left)
        }
        takeExemplars(record, limit, &rows, &left)
        note(record, rows, left, newest, isBacklog)
    }

    /// - Parameter number: the next record whose rows are taken.
    private func takeSeries(_ record: CommittedRecord, before number: UInt64) {
        if record.newSeries.isEmpty { return }
        let released = board.released
        context.table.withLock { state in
            state.table.reclaim(before: released &+ 1)
            for (series, labels) in record.newSeries {
                state.table.set(series, labels, from: number, context.preparation)
            }
        }
    }

    /// Rows that are not sent, by reason.
    private struct LeftOut {
        var dropped = SampleRows.Counts()
        var unknown = SampleRows.Counts()
        var old = SampleRows.Counts()
        var customBuckets = SampleRows.Counts()

        var total: Int { dropped.total + unknown.total + old.total + customBuckets.total }
    }

    /// The hot path: nothing here allocates or counts references for a float.
    /// - Returns: the newest time.
    private static func look(
        up record: CommittedRecord, _ table: SeriesTable, _ limit: Timestamp, _ section: RemoteWriteSection,
        _ rows: inout RecordRows, _ left: inout LeftOut
    ) -> Timestamp {
        var newest: Timestamp = 0
        var histogram = 0
        let count = min(record.series.count, record.timestamps.count, record.values.count)
        for row in 0..<count {
            let timestamp = record.timestamps[row]
            newest = max(newest, timestamp)
            let slot = table.slot(of: record.series[row])
            let isHistogram = histogram < record.histogramRows.count && record.histogramRows[histogram] == row
            if isHistogram {
                histogram += 1
                guard section.carriesNativeHistograms else { continue }
            }
            let one = SampleRows.Counts(samples: isHistogram ? 0 : 1, histograms: isHistogram ? 1 : 0)
            if slot >= SeriesTable.dropped {
                if slot == SeriesTable.dropped { left.dropped.add(one) } else { left.unknown.add(one) }
                continue
            }
            guard timestamp >= limit else {
                left.old.add(one)
                continue
            }
            if isHistogram {
                guard record.histograms.indices.contains(histogram - 1) else { continue }
                let value = record.histograms[histogram - 1]
                guard section.message == .version2 || !value.usesCustomBounds else {
                    left.customBuckets.add(one)
                    continue
                }
                rows.histogramRows.append(rows.slots.count)
                rows.histograms.append(value)
            }
            rows.slots.append(slot)
            rows.hashes.append(table.hash(of: slot))
            rows.timestamps.append(timestamp)
            rows.values.append(record.values[row])
        }
        return newest
    }

    private func takeExemplars(
        _ record: CommittedRecord, _ limit: Timestamp, _ rows: inout RecordRows, _ left: inout LeftOut
    ) {
        guard context.section.sendsExemplars else { return }
        let one = SampleRows.Counts(exemplars: 1)
        for entry in record.exemplars {
            guard let labels = context.preparation.labels(of: entry.series) else {
                left.dropped.add(one)
                continue
            }
            guard entry.exemplar.timestamp >= limit else {
                left.old.add(one)
                continue
            }
            rows.exemplars.append(
                SampleRows.ExemplarRow(series: context.preparation.bytes(of: labels), exemplar: entry.exemplar))
            rows.exemplarHashes.append(UInt32(truncatingIfNeeded: labels.stableHash >> 32))
        }
    }

    private func note(
        _ record: CommittedRecord, _ rows: RecordRows, _ left: LeftOut, _ newest: Timestamp, _ isBacklog: Bool
    ) {
        let metrics = context.metrics
        metrics.recordsRead.increment()
        if isBacklog { metrics.backlogSamples.increment(by: Double(rows.slots.count)) }
        metrics.dropped(left.dropped, .droppedSeries)
        metrics.dropped(left.unknown, .unknownSeries)
        metrics.dropped(left.old, .tooOld)
        metrics.dropped(left.customBuckets, .customBuckets)
        if left.unknown.total > 0 {
            context.gate.warn(
                "Samples of series that the log does not name are not sent", ["count": "\(left.unknown.total)"])
        }
        context.progress.read(
            rows: rows.slots.count + rows.exemplars.count, dropped: left.total, newest: newest)
        metrics.highestRead.set((Double(context.progress.highestRead) / 1000).rounded(.down))
        context.intake.count(
            record: record.number, samples: record.series.count - record.histogramRows.count,
            histograms: record.histogramRows.count, exemplars: record.exemplars.count)
        context.intake.setHighest(newest)
    }
}

extension SampleRows.Counts {
    @inline(__always)
    fileprivate mutating func add(_ other: SampleRows.Counts) {
        samples += other.samples
        histograms += other.histograms
        exemplars += other.exemplars
    }
}
