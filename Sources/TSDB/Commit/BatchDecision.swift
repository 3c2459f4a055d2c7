import SeriesModel
import StorageAPI

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
        for sample in 0..<batch.count {
            guard let series = series(of: batch.series[sample]) else {
                result.rejected.append((sample, .unknownSeries))
                continue
            }
            let (timestamp, value) = (batch.timestamps[sample], batch.values[sample])
            let newest = series.decided ?? series.last
            if let reason = reason(against: timestamp, value, newest) {
                result.rejected.append((sample, reason))
                continue
            }
            result.accepted += 1
            if case .new(let index) = batch.series[sample] { isUsed[index] = true }
            // The newest sample once more, bit for bit.
            if newest?.timestamp == timestamp { continue }
            series.decided = (timestamp, value.bitPattern)
            owners.append(series)
            log.append(slot: series.slot, timestamp: timestamp, value: value)
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

    private func reason(
        against timestamp: Timestamp, _ value: Double, _ newest: (timestamp: Timestamp, bits: UInt64)?
    ) -> AppendResult.Rejection? {
        if !bounds.contains(timestamp) { return .outOfBounds }
        guard let newest, timestamp <= newest.timestamp else { return nil }
        if timestamp < newest.timestamp { return .outOfOrder }
        return newest.bits == value.bitPattern ? nil : .duplicateTimestamp
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

    /// Enters the series and applies the samples. Under the gate, exclusively, after the batch is in the log.
    func apply() {
        for series in created { head.enter(series) }
        for index in owners.indices { head.append(owners[index], log.timestamps[index], log.values[index]) }
        forget()
    }

    /// The batch is not taken after all.
    func abandon() {
        for series in created { head.giveBack(series) }
        forget()
    }

    private func forget() {
        for series in owners { series.decided = nil }
    }
}
