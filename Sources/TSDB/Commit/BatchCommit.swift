import HeadMemory
import SelfMetrics
import SeriesModel
import StorageAPI
import WAL

/// What the committer does with a batch: decide, log, apply, answer. On its thread, or on that
/// of whoever brings the batch; never twice at once.
struct BatchCommit {
    let head: Head
    let log: LogWriter
    let metrics: TSDBMetrics
    let diskGuard: DiskGuard
    let clockWatch: ClockWatch
    let health: HealthRegister

    /// Series that are said again behind one batch: more would hold up those that wait.
    private static let repeatedSeriesMax = 2000
    /// Of their labels; the last one may go beyond.
    private static let repeatedBytesMax = 4 << 20

    func run(_ batch: SampleBatch) -> Result<AppendResult, StorageError> {
        do throws(StorageError) {
            try diskGuard.admit()
        } catch {
            return .failure(error)
        }
        var decision = BatchDecision(batch, head: head, now: clockWatch.now())
        if !decision.log.isEmpty {
            do throws(StorageError) {
                try write(decision.log)
            } catch {
                decision.abandon()
                return .failure(error)
            }
            let chunksBefore = head.chunkCount
            head.gate.exclusive { decision.apply() }
            metrics.chunksCreated.increment(by: Double(max(0, head.chunkCount - chunksBefore)))
            head.reclaim()
            flushChunks()
            repeatSeries()
        }
        if !decision.exemplarLog.isEmpty {
            do throws(StorageError) {
                try write(decision.exemplarLog)
                decision.applyExemplars()
            } catch {
                // The samples are stored: exemplars are not worth having them sent again.
                decision.abandonExemplars()
            }
        }
        metrics.count(decision.result, of: batch, stored: decision.log)
        return .success(decision.result)
    }

    private func write(_ batch: LogBatch) throws(StorageError) {
        do throws(StorageError) {
            _ = try log.append(batch)
        } catch {
            metrics.walWriteFailures.increment()
            if case .diskFull = error {
                diskGuard.noteFull()
                diskGuard.countRefusal()
            }
            health.raise(.logWrite, "Samples are refused, as the log cannot be written", error)
            throw error
        }
        health.clear(.logWrite)
        diskGuard.noteWritten()
    }

    private func flushChunks() {
        if !head.hasUnflushedChunks { return }
        do throws(StorageError) {
            try head.flushClosed()
            health.clear(.headChunks)
        } catch {
            // They stay in memory, the log has them; the next batch tries again.
            metrics.chunkWriteFailures.increment()
            if case .diskFull = error { diskGuard.noteFull() }
            health.raise(.headChunks, "Closed chunks of the head stay in memory, as they cannot be written", error)
        }
    }

    private func repeatSeries() {
        let waiting = log.seriesToRepeat(atMost: BatchCommit.repeatedSeriesMax)
        if waiting.isEmpty { return }
        var series: [LogBatch.NewSeries] = []
        var (count, bytes) = (0, 0)
        for ref in waiting.reversed() where bytes < BatchCommit.repeatedBytesMax {
            count += 1
            guard let introduction = head.introduction(of: ref) else { continue }
            bytes += introduction.labels.packed.count
            series.append(introduction)
        }
        // Nothing depends on it but what a damage would cost: it is tried again behind the next batch.
        try? log.repeatSeries(series, of: count)
    }
}
