import ChunkEncoding
import SeriesModel
import StorageAPI
import WAL

/// What becomes of each sample of a batch (inventory 7.2.1), worked out before anything is logged or changed.
/// On the committer's thread.
struct BatchDecision {
    private(set) var result = AppendResult()
    private(set) var log = LogBatch()
    /// For each logged sample its series.
    private var owners: [HeadSeries] = []
    /// For each of the batch's `newSeries` its series; nil where the labels are refused.
    private var resolved: [HeadSeries?] = []
    /// Series that the batch creates, as long as they are not given back.
    private var created: [HeadSeries] = []
    private let head: Head
    private let bounds: TimeRange

    /// Samples further ahead of the clock than this are refused: one would drag the head's bounds with it. ms
    static let futureMax: Int64 = 10 * 60_000
    /// Samples before this are refused in any case: times near the end of the scale have no aligned window. ms
    static let timestampMin: Timestamp = -(1 << 60)
    /// Label sets that take more are refused. Bytes.
    static let labelBytesMax = 1 << 20

    init(_ batch: SampleBatch, head: Head, now: Timestamp) {
        self.head = head
        bounds = TimeRange(
            min: max(head.lowerBound, BatchDecision.timestampMin), max: now.addingClamped(BatchDecision.futureMax))
        resolve(batch.newSeries)
        owners.reserveCapacity(batch.count)
        var isUsed = [Bool](repeating: false, count: resolved.count)
        var nextHistogram = 0
        for sample in 0..<batch.count {
            var histogram: NativeHistogram?
            if nextHistogram < batch.histogramRows.count, batch.histogramRows[nextHistogram] == sample {
                histogram = batch.histograms[nextHistogram]
                nextHistogram += 1
            }
            guard let series = series(of: batch.series[sample]) else {
                if batch.isAllOrNothing {
                    refuse(.init(sample: sample, reason: .unknownSeries))
                    return
                }
                result.rejected.append((sample, .unknownSeries))
                continue
            }
            let (timestamp, value) = (batch.timestamps[sample], batch.values[sample])
            let newest = series.decided ?? series.last
            if let reason = reason(against: timestamp, value, histogram, series, isStored: false) {
                if batch.isAllOrNothing,
                    let stored = self.reason(against: timestamp, value, histogram, series, isStored: true)
                {
                    refuse(.init(sample: sample, reason: stored, existing: series.last?.value))
                    return
                }
                result.rejected.append((sample, reason))
                continue
            }
            result.accepted += 1
            if case .new(let index) = batch.series[sample] { isUsed[index] = true }
            // The newest sample once more, bit for bit.
            if newest?.timestamp == timestamp { continue }
            owners.append(series)
            if let histogram {
                series.decided = NewestSample(histogramAt: timestamp)
                series.decidedHistogram = histogram
                log.append(slot: series.slot, timestamp: timestamp, histogram: histogram)
            } else {
                series.decided = NewestSample(timestamp, value)
                log.append(slot: series.slot, timestamp: timestamp, value: value)
            }
        }
        settle(isUsed)
    }

    private mutating func resolve(_ newSeries: [LabelSet]) {
        // The same labels twice in one batch are one series.
        var fresh: [LabelSet: HeadSeries] = [:]
        resolved.reserveCapacity(newSeries.count)
        for labels in newSeries {
            if let known = head.series(labels: labels) ?? fresh[labels] {
                resolved.append(known)
            } else if labels.isEmpty || labels.packed.count > BatchDecision.labelBytesMax {
                resolved.append(nil)
            } else if let series = head.reserve(labels) {
                fresh[labels] = series
                created.append(series)
                resolved.append(series)
            } else {
                resolved.append(nil)
            }
        }
    }

    private func series(of name: SampleBatch.Series) -> HeadSeries? {
        switch name {
        case .known(let ref): head.series(ref)
        case .new(let index): resolved.indices.contains(index) ? resolved[index] : nil
        }
    }

    /// - Parameter isStored: whether only what is stored counts, or also what this batch brought before the sample.
    private func reason(
        against timestamp: Timestamp, _ value: Double, _ histogram: NativeHistogram?, _ series: HeadSeries,
        isStored: Bool
    ) -> AppendResult.Rejection? {
        if !bounds.contains(timestamp) { return .outOfBounds }
        let decided = isStored ? nil : series.decided
        if let newest = decided ?? series.last, timestamp <= newest.timestamp {
            if timestamp < newest.timestamp { return .outOfOrder }
            if let histogram {
                let known = decided == nil ? series.lastHistogram : series.decidedHistogram
                return newest.isHistogram && known?.holdsSame(as: histogram) ?? false ? nil : .duplicateTimestamp
            }
            return !newest.isHistogram && newest.bits == value.bitPattern ? nil : .duplicateTimestamp
        }
        guard let histogram else { return nil }
        return histogram.isStorable && (try? histogram.validate()) != nil ? nil : .invalidHistogram
    }

    /// New series without an accepted sample are not created.
    private mutating func settle(_ isUsed: [Bool]) {
        var kept: Set<UInt32> = []
        for (index, series) in resolved.enumerated() where isUsed[index] {
            if let series { kept.insert(series.slot) }
        }
        for series in created where !kept.contains(series.slot) { head.giveBack(series) }
        let givenBack = Set(created.lazy.map(\.slot).filter { !kept.contains($0) })
        created.removeAll { givenBack.contains($0.slot) }
        log.newSeries = created.map { .init(slot: $0.slot, generation: $0.generation, labels: $0.labels) }
        result.seriesCreated = created.count
        result.refs = resolved.map { series in
            guard let series, !givenBack.contains(series.slot) else { return nil }
            return SeriesRef(slot: series.slot, generation: series.generation)
        }
    }

    /// Nothing of the batch is taken, and no series created.
    private mutating func refuse(_ refusal: AppendResult.Refusal) {
        abandon()
        log = LogBatch()
        owners = []
        created = []
        result = AppendResult()
        result.refs = [SeriesRef?](repeating: nil, count: resolved.count)
        result.refusal = refusal
        result.rejected = [(refusal.sample, refusal.reason)]
    }

    /// Enters the series and applies the samples. Under the gate, exclusively, after the batch is in the log.
    func apply() {
        for series in created { head.enter(series) }
        log.forEach(
            float: { row, value in head.append(owners[row], log.timestamps[row], value) },
            histogram: { row, histogram in head.append(owners[row], log.timestamps[row], histogram) })
        forget()
    }

    /// The batch is not taken after all.
    func abandon() {
        for series in created { head.giveBack(series) }
        forget()
    }

    private func forget() {
        for series in owners { series.decided = nil }
        for row in log.histogramRows { owners[row].decidedHistogram = nil }
    }
}
