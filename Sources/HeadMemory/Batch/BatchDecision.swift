import ChunkEncoding
package import SeriesModel
package import StorageAPI
package import WAL

/// What becomes of each sample of a batch (inventory 7.2.1), worked out before anything is logged or changed.
/// One at a time, on the committer's thread or on that of whoever brings the batch.
package struct BatchDecision {
    package private(set) var result = AppendResult()
    package private(set) var log = LogBatch()
    /// The exemplars that are taken: a record behind that of the samples.
    package private(set) var exemplarLog = LogBatch()
    /// For each of the batch's `newSeries` its series; nil where the labels are refused.
    private var resolved: [SeriesRef?] = []
    /// Series that the batch creates, as long as they are not given back.
    private var created: [Created] = []
    private let head: Head
    private let number: UInt32
    private let bounds: TimeRange
    private let outOfOrderMin: Timestamp?

    private struct Created {
        let ref: SeriesRef
        let labels: LabelSet
        let hash: UInt64
        var isUsed = false
    }

    /// Samples further ahead of the clock than this are refused: one would drag the head's bounds with it. ms
    package static let futureMax: Int64 = 10 * 60_000
    /// Samples before this are refused in any case: times near the end of the scale have no aligned window. ms
    static let timestampMin: Timestamp = -(1 << 60)
    /// What a sample of the log may have.
    static let times = timestampMin...(1 << 60)
    /// Label sets that take more are refused. Bytes.
    package static let labelBytesMax = 1 << 20
    /// Label sets of more labels are refused.
    static let labelsMax = Int(UInt16.max)

    /// What a sample comes to.
    private enum Verdict {
        case take
        case takeOutOfOrder
        /// The newest sample once more, bit for bit.
        case known
        case refuse(AppendResult.Rejection)
    }

    package init(_ batch: SampleBatch, head: Head, now: Timestamp) {
        self.head = head
        number = head.nextBatchNumber()
        bounds = TimeRange(
            min: max(head.lowerBound, BatchDecision.timestampMin), max: now.addingClamped(BatchDecision.futureMax))
        outOfOrderMin = head.outOfOrderBound.map { max($0, BatchDecision.timestampMin) }
        resolve(batch.newSeries)
        log.reserveCapacity(batch.count)
        var nextHistogram = 0
        var nextStart = 0
        for sample in 0..<batch.count {
            var histogram: NativeHistogram?
            if nextHistogram < batch.histogramRows.count, batch.histogramRows[nextHistogram] == sample {
                histogram = batch.histograms[nextHistogram]
                nextHistogram += 1
            }
            if nextStart < batch.starts.count, batch.starts[nextStart].row == sample {
                decideStart(batch.starts[nextStart].time, batch, sample, histogram)
                nextStart += 1
            }
            let verdict = decide(batch, sample, histogram)
            if case .refuse = verdict, batch.isAllOrNothing, refusesAll(batch, sample, histogram) { return }
        }
        settle()
        if !batch.exemplars.isEmpty { decideExemplars(of: batch) }
    }

    @inline(__always)
    private mutating func decide(_ batch: SampleBatch, _ sample: Int, _ histogram: NativeHistogram?) -> Verdict {
        guard let ref = ref(of: batch.series[sample]) else {
            result.rejected.append((sample, .unknownSeries))
            return .refuse(.unknownSeries)
        }
        let (timestamp, value) = (batch.timestamps[sample], batch.values[sample])
        var verdict = verdict(ref, timestamp, value, histogram, isStored: false)
        if case .takeOutOfOrder = verdict, batch.rowsInOrder.contains(sample) { verdict = .refuse(.outOfOrder) }
        if case .refuse(let reason) = verdict {
            result.rejected.append((sample, reason))
            return verdict
        }
        result.accepted += 1
        if case .new(let index) = batch.series[sample] { noteUse(of: index) }
        if case .known = verdict { return verdict }
        if case .takeOutOfOrder = verdict {
            log.noteOutOfOrder()
        } else {
            head.noteDecided(ref.slot, batch: number, row: log.count)
        }
        if let histogram {
            log.append(slot: ref.slot, timestamp: timestamp, histogram: histogram)
        } else {
            log.append(slot: ref.slot, timestamp: timestamp, value: value)
        }
        return verdict
    }

    /// A zero where the counter of a sample began, if that is news: the series has no sample since. Only beside a sample
    /// that is taken in order; it is never out of order itself, and no error.
    private mutating func decideStart(
        _ start: Timestamp, _ batch: SampleBatch, _ sample: Int, _ histogram: NativeHistogram?
    ) {
        let (timestamp, value) = (batch.timestamps[sample], batch.values[sample])
        // Long before the sample it would make blocks of times that nobody has asked about.
        let earliest = max(bounds.min, timestamp.subtractingClamped(head.blockRange / 2))
        guard start < timestamp, start >= earliest, let ref = ref(of: batch.series[sample]),
            !StaleMarker.isStale(value),
            case .take = verdict(ref, timestamp, value, histogram, isStored: false)
        else { return }
        let zero = histogram.map { $0.zeroAtStart }
        guard case .take = verdict(ref, start, 0, zero, isStored: false) else { return }
        head.noteDecided(ref.slot, batch: number, row: log.count)
        if let zero {
            log.append(slot: ref.slot, timestamp: start, histogram: zero)
        } else {
            log.append(slot: ref.slot, timestamp: start, value: 0)
        }
    }

    // MARK: - Series

    private mutating func resolve(_ newSeries: [LabelSet]) {
        if newSeries.isEmpty { return }
        // The same labels twice in one batch are one series.
        var fresh: [LabelSet: SeriesRef] = [:]
        resolved.reserveCapacity(newSeries.count)
        for labels in newSeries {
            let hash = labels.stableHash
            if let slot = head.slot(of: labels, hash: hash) {
                resolved.append(SeriesRef(slot: slot, generation: head.records[slot].pointee.generation))
            } else if let known = fresh[labels] {
                resolved.append(known)
            } else if labels.isEmpty || labels.packed.count > BatchDecision.labelBytesMax
                || labels.count > BatchDecision.labelsMax
            {
                resolved.append(nil)
            } else if let ref = head.reserve() {
                fresh[labels] = ref
                head.noteCreated(ref.slot, batch: number, index: created.count)
                created.append(Created(ref: ref, labels: labels, hash: hash))
                resolved.append(ref)
            } else {
                resolved.append(nil)
            }
        }
    }

    @inline(__always)
    private func ref(of name: SampleBatch.Series) -> SeriesRef? {
        switch name {
        case .known(let ref): head.record(ref) != nil ? ref : nil
        case .new(let index): resolved.indices.contains(index) ? resolved[index] : nil
        }
    }

    private mutating func noteUse(of index: Int) {
        guard let ref = resolved[index] else { return }
        if let index = head.createdIndex(ref.slot, batch: number) { created[index].isUsed = true }
    }

    // MARK: - Samples

    /// - Parameter isStored: whether only what is stored counts, or also what this batch brought before the sample.
    @inline(__always)
    private func verdict(
        _ ref: SeriesRef, _ timestamp: Timestamp, _ value: Double, _ histogram: NativeHistogram?, isStored: Bool
    ) -> Verdict {
        if timestamp > bounds.max || outOfOrderMin == nil && timestamp < bounds.min { return .refuse(.outOfBounds) }
        let row = isStored ? nil : head.decidedRow(ref.slot, batch: number)
        let newest = row.map { log.newest(at: $0) } ?? head.records[ref.slot].pointee.newest
        if let newest, timestamp <= newest.timestamp {
            if timestamp < newest.timestamp { return late(timestamp, histogram) }
            if let histogram {
                let known = row.map { log.histogram(at: $0) } ?? head.newestHistogram(ref.slot)
                return newest.isHistogram && known?.holdsSame(as: histogram) ?? false
                    ? .known : .refuse(.duplicateTimestamp)
            }
            return !newest.isHistogram && newest.bits == value.bitPattern ? .known : .refuse(.duplicateTimestamp)
        }
        if timestamp < bounds.min { return late(timestamp, histogram) }
        guard let histogram else { return .take }
        return BatchDecision.isValid(histogram) ? .take : .refuse(.invalidHistogram)
    }

    /// A sample that is too old to be in order.
    private func late(_ timestamp: Timestamp, _ histogram: NativeHistogram?) -> Verdict {
        guard let outOfOrderMin else { return .refuse(.outOfOrder) }
        if timestamp < outOfOrderMin { return .refuse(.tooOld) }
        if let histogram, !BatchDecision.isValid(histogram) { return .refuse(.invalidHistogram) }
        return .takeOutOfOrder
    }

    private static func isValid(_ histogram: NativeHistogram) -> Bool {
        histogram.isStorable && (try? histogram.validate()) != nil
    }

    /// Whether a batch that is all or nothing falls by a sample: only what is stored counts for that.
    private mutating func refusesAll(_ batch: SampleBatch, _ sample: Int, _ histogram: NativeHistogram?) -> Bool {
        guard let ref = ref(of: batch.series[sample]) else {
            refuse(.init(sample: sample, reason: .unknownSeries))
            return true
        }
        let stored = verdict(ref, batch.timestamps[sample], batch.values[sample], histogram, isStored: true)
        guard case .refuse(let reason) = stored else { return false }
        refuse(
            .init(sample: sample, reason: reason, existing: head.records[ref.slot].pointee.newest?.value))
        return true
    }

    // MARK: - Exemplars

    /// Those of series that are there, or come with the batch.
    private mutating func decideExemplars(of batch: SampleBatch) {
        let rows = batch.exemplars.compactMap { series, exemplar -> SeriesExemplar? in
            switch series {
            case .known(let ref):
                guard let record = head.record(ref), let labels = record.pointee.labels else { return nil }
                return SeriesExemplar(
                    series: head.labels(labels, Int(record.pointee.labelCount)), exemplar: exemplar)
            case .new(let index):
                guard result.refs.indices.contains(index), result.refs[index] != nil else { return nil }
                return SeriesExemplar(series: batch.newSeries[index], exemplar: exemplar)
            }
        }
        (exemplarLog.exemplars, result.exemplarsOutOfOrder) = head.exemplars.decide(rows)
        result.exemplarsAccepted = exemplarLog.exemplars.count
    }

    /// After they are in the log. The gate is not needed.
    package func applyExemplars() { head.exemplars.add(exemplarLog.exemplars) }

    /// They could not be logged.
    package mutating func abandonExemplars() {
        exemplarLog.removeAll()
        result.exemplarsAccepted = 0
    }

    // MARK: - The end

    /// New series without an accepted sample are not created.
    private mutating func settle() {
        if resolved.isEmpty { return }
        for series in created where !series.isUsed { head.giveBack(series.ref) }
        let givenBack = Set(created.lazy.filter { !$0.isUsed }.map(\.ref))
        created.removeAll { !$0.isUsed }
        log.newSeries = created.map { .init(slot: $0.ref.slot, generation: $0.ref.generation, labels: $0.labels) }
        result.seriesCreated = created.count
        result.refs = resolved.map { ref in ref.flatMap { givenBack.contains($0) ? nil : $0 } }
    }

    /// Nothing of the batch is taken, and no series created.
    private mutating func refuse(_ refusal: AppendResult.Refusal) {
        abandon()
        log = LogBatch()
        created = []
        result = AppendResult()
        result.refs = [SeriesRef?](repeating: nil, count: resolved.count)
        result.refusal = refusal
        result.rejected = [(refusal.sample, refusal.reason)]
    }

    /// Enters the series and applies the samples. Under the gate, exclusively, after the batch is in the log.
    package func apply() {
        for series in created { head.enter(series.labels, series.ref, hash: series.hash) }
        head.apply(log)
    }

    /// The batch is not taken after all.
    package func abandon() {
        for series in created.reversed() { head.giveBack(series.ref) }
    }
}

extension NativeHistogram {
    /// One without observations, of the same layout, so that the chunk goes on; it begins a count anew by definition.
    fileprivate var zeroAtStart: NativeHistogram {
        NativeHistogram(
            counterResetHint: .reset, schema: schema, zeroThreshold: zeroThreshold, customBounds: customBounds)
    }
}

extension LogBatch {
    fileprivate func newest(at row: Int) -> NewestSample {
        NewestSample(timestamps[row], bits: values[row].bitPattern, isHistogram: histogram(at: row) != nil)
    }

    fileprivate func histogram(at row: Int) -> NativeHistogram? {
        if histogramRows.isEmpty { return nil }
        var (low, high) = (0, histogramRows.count)
        while low < high {
            let middle = (low + high) / 2
            if histogramRows[middle] < row { low = middle + 1 } else { high = middle }
        }
        return low < histogramRows.count && histogramRows[low] == row ? histograms[low] : nil
    }
}
