package import SeriesModel

/// One committed batch in the form in which the log stores it: the series it introduces, and its accepted samples as
/// columns of equal length.
package struct LogBatch: Sendable, Equatable {
    /// Gives a slot to a series, until another one gets it.
    package struct NewSeries: Sendable, Hashable {
        package var slot: UInt32
        package var generation: UInt32
        package var labels: LabelSet

        package init(slot: UInt32, generation: UInt32, labels: LabelSet) {
            self.slot = slot
            self.generation = generation
            self.labels = labels
        }
    }

    /// Hides the samples that a series holds in a span of time.
    package struct Deletion: Sendable, Hashable {
        package var slot: UInt32
        /// Of the slot's owner.
        package var generation: UInt32
        package var range: TimeRange

        package init(slot: UInt32, generation: UInt32, range: TimeRange) {
            self.slot = slot
            self.generation = generation
            self.range = range
        }
    }

    package var newSeries: [NewSeries] = []
    /// The sample's series. Its slot was given to it by this record, an earlier one or the checkpoint.
    package var slots: [UInt32] = []
    package var timestamps: [Timestamp] = []
    /// Of a row that has a histogram the value is 0 and means nothing.
    package var values: [Double] = []
    /// The rows that have a histogram, ascending.
    package var histogramRows: [Int] = []
    /// As long as `histogramRows`; valid and storable, and none a stale marker.
    package var histograms: [NativeHistogram] = []
    /// A batch that has any has nothing else: they are a record of their own.
    package var deletions: [Deletion] = []
    /// A batch that has any has nothing else: they are a record of their own. They name series by labels, as they stay
    /// when the series has left.
    package var exemplars: [SeriesExemplar] = []

    /// The rows that came after newer samples of their series, ascending.
    package var outOfOrderRows: [Int] = []

    package init() {}

    /// Samples of both kinds.
    package var count: Int { slots.count }
    package var isEmpty: Bool { slots.isEmpty && newSeries.isEmpty && deletions.isEmpty && exemplars.isEmpty }

    package mutating func reserveCapacity(_ count: Int) {
        slots.reserveCapacity(count)
        timestamps.reserveCapacity(count)
        values.reserveCapacity(count)
    }

    /// The row that is about to be appended is out of order.
    package mutating func noteOutOfOrder() { outOfOrderRows.append(count) }

    package mutating func append(slot: UInt32, timestamp: Timestamp, value: Double) {
        slots.append(slot)
        timestamps.append(timestamp)
        values.append(value)
    }

    package mutating func append(slot: UInt32, timestamp: Timestamp, histogram: NativeHistogram) {
        histogramRows.append(count)
        histograms.append(histogram)
        append(slot: slot, timestamp: timestamp, value: 0)
    }

    /// Calls one of the bodies for each sample, in order.
    @inline(__always)
    package func forEach(
        float: (_ row: Int, _ value: Double) -> Void, histogram: (_ row: Int, _ histogram: NativeHistogram) -> Void
    ) {
        var next = 0
        for row in 0..<count {
            if next < histogramRows.count, histogramRows[next] == row {
                histogram(row, histograms[next])
                next += 1
            } else {
                float(row, values[row])
            }
        }
    }

    package mutating func removeAll() {
        newSeries.removeAll(keepingCapacity: true)
        if !exemplars.isEmpty { exemplars.removeAll(keepingCapacity: true) }
        removeSamples()
    }

    /// Keeps the series that it introduces, and exemplars: they need no other record.
    mutating func removeSamples() {
        slots.removeAll(keepingCapacity: true)
        timestamps.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        if !outOfOrderRows.isEmpty { outOfOrderRows.removeAll(keepingCapacity: true) }
        if !histogramRows.isEmpty {
            histogramRows.removeAll(keepingCapacity: true)
            histograms.removeAll(keepingCapacity: true)
        }
        if !deletions.isEmpty { deletions.removeAll(keepingCapacity: true) }
    }

    /// Values are compared by their bits: a NaN equals itself.
    package static func == (a: LogBatch, b: LogBatch) -> Bool {
        a.newSeries == b.newSeries && a.slots == b.slots && a.timestamps == b.timestamps
            && a.values.elementsEqual(b.values) { $0.bitPattern == $1.bitPattern }
            && a.outOfOrderRows == b.outOfOrderRows && a.histogramRows == b.histogramRows
            && a.histograms == b.histograms && a.deletions == b.deletions && a.exemplars == b.exemplars
            && a.histograms.elementsEqual(b.histograms) { $0.counterResetHint == $1.counterResetHint }
    }
}
