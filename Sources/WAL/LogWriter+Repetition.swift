package import StorageAPI
import Synchronization

/// Saying again who has which slot: samples name slots, and only the frame that gave a slot away says whose it is. So it
/// is said in two segments, until a checkpoint says it.
extension LogWriter {
    /// Series that are to be said again in the newest segment: without it, the loss of the segment that gave them their
    /// slots would cost their samples in all segments behind it. Empty most of the time.
    package func seriesToRepeat(atMost limit: Int) -> [SeriesRef] {
        state.withLock { state in
            guard let oldest = state.introduced.keys.min(), oldest < state.repeatedEnd else { return [] }
            return Array((state.introduced[oldest] ?? []).suffix(limit))
        }
    }

    /// Says them again, once: two segments have them then.
    /// - Parameters:
    ///   - series: those that have not left.
    ///   - count: how many they were, from the end of what `seriesToRepeat` gave.
    package func repeatSeries(_ series: [LogBatch.NewSeries], of count: Int) throws(StorageError) {
        var batch = LogBatch()
        batch.newSeries = series
        if !batch.isEmpty { _ = try append(batch, isRepetition: true) }
        state.withLock { state in
            guard let oldest = state.introduced.keys.min(), let known = state.introduced[oldest]?.count else { return }
            state.introduced[oldest]?.removeLast(min(count, known))
            if count >= known { state.introduced[oldest] = nil }
        }
    }
}
