package import SeriesModel

/// The writing side of a store. A batch is what belongs together: one scrape, one remote-write request, one rule
/// evaluation. It becomes visible to queries as a whole.
package protocol Appendable: Sendable {
    /// Logs, applies and acknowledges one batch. When this returns, the accepted samples survive the death of the
    /// process. Samples that break a rule are left out and reported; the others are taken.
    /// - Throws: `StorageError` when nothing of the batch was taken.
    func append(_ batch: SampleBatch) async throws -> AppendResult
}

/// Names a series inside the store: a dense slot and the generation that tells its successive owners apart. Only good
/// for the process that gave it out; what is behind it may leave, then the generation no longer matches.
package struct SeriesRef: Hashable, Sendable {
    package var slot: UInt32
    package var generation: UInt32

    package init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }
}

/// Samples in columns, each for a series that is either known by reference or given by its labels.
///
/// Native histograms stand in a column of their own beside the floats, with the numbers of their rows: a batch of floats
/// pays nothing for them.
package struct SampleBatch: Sendable {
    /// How a sample names its series.
    package enum Series: Hashable, Sendable {
        case known(SeriesRef)
        /// An index into `newSeries`.
        case new(Int)
    }

    /// The label sets of series whose reference the sender does not have.
    package private(set) var newSeries: [LabelSet] = []
    package private(set) var series: [Series] = []
    /// Milliseconds.
    package private(set) var timestamps: [Timestamp] = []
    /// Of a row that has a histogram the value is 0 and means nothing.
    package private(set) var values: [Double] = []
    /// The rows that have a histogram, ascending.
    package private(set) var histogramRows: [Int] = []
    /// As long as `histogramRows`; none is a stale marker.
    package private(set) var histograms: [NativeHistogram] = []
    /// One sample that breaks a rule against what is stored has the whole batch refused. What breaks a rule only
    /// against the batch's own samples is left out, as ever.
    package var isAllOrNothing = false
    /// Rows that are taken in order or not at all, whatever the out-of-order window takes: stale markers that come after
    /// their series has gone on elsewhere, and what rules write.
    package var rowsInOrder: Range<Int> = 0..<0
    /// Exemplars of series of the batch or others. They are taken after the samples, in this order; of a new series only
    /// where the store knows it, or takes a sample of it.
    package private(set) var exemplars: [(series: Series, exemplar: Exemplar)] = []
    /// Rows, ascending, whose counter is known to have begun at a time (ms) with nothing: where the series has no sample
    /// since then, a zero of that time goes before the row.
    package private(set) var starts: [(row: Int, time: Timestamp)] = []

    package init() {}

    /// Samples of both kinds.
    package var count: Int { series.count }
    package var isEmpty: Bool { series.isEmpty && exemplars.isEmpty }

    package mutating func reserveCapacity(_ count: Int) {
        series.reserveCapacity(count)
        timestamps.reserveCapacity(count)
        values.reserveCapacity(count)
    }

    package mutating func append(_ ref: SeriesRef, _ timestamp: Timestamp, _ value: Double) {
        series.append(.known(ref))
        timestamps.append(timestamp)
        values.append(value)
    }

    /// Announces a series; its samples are then added by `append(new:)`.
    package mutating func addSeries(_ labels: LabelSet) -> Int {
        newSeries.append(labels)
        return newSeries.count - 1
    }

    package mutating func append(new index: Int, _ timestamp: Timestamp, _ value: Double) {
        series.append(.new(index))
        timestamps.append(timestamp)
        values.append(value)
    }

    package mutating func append(_ labels: LabelSet, _ timestamp: Timestamp, _ value: Double) {
        append(new: addSeries(labels), timestamp, value)
    }

    package mutating func append(_ ref: SeriesRef, _ timestamp: Timestamp, _ histogram: NativeHistogram) {
        append(ref, timestamp, value(of: histogram))
    }

    package mutating func append(new index: Int, _ timestamp: Timestamp, _ histogram: NativeHistogram) {
        append(new: index, timestamp, value(of: histogram))
    }

    package mutating func append(_ labels: LabelSet, _ timestamp: Timestamp, _ histogram: NativeHistogram) {
        append(new: addSeries(labels), timestamp, value(of: histogram))
    }

    package mutating func append(_ exemplar: Exemplar, of series: Series) { exemplars.append((series, exemplar)) }

    /// Says when the counter of the row appended last began. ms
    package mutating func append(startOfLast time: Timestamp) { starts.append((count - 1, time)) }

    /// Enters the histogram for the row that is about to be appended. A stale one is a stale marker like any other.
    /// - Returns: the row's value.
    private mutating func value(of histogram: NativeHistogram) -> Double {
        if histogram.isStale { return StaleMarker.value }
        histogramRows.append(count)
        histograms.append(histogram)
        return 0
    }

    package mutating func removeAll() {
        newSeries.removeAll(keepingCapacity: true)
        series.removeAll(keepingCapacity: true)
        timestamps.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        if !histogramRows.isEmpty {
            histogramRows.removeAll(keepingCapacity: true)
            histograms.removeAll(keepingCapacity: true)
        }
        if !exemplars.isEmpty { exemplars.removeAll(keepingCapacity: true) }
        if !starts.isEmpty { starts.removeAll(keepingCapacity: true) }
        rowsInOrder = 0..<0
    }
}

/// What became of a batch.
package struct AppendResult: Sendable {
    /// Why a sample was left out (inventory 7.2.1).
    package enum Rejection: String, Sendable, CaseIterable {
        /// Another value for the series' newest timestamp.
        case duplicateTimestamp
        /// Older than the series' newest sample.
        case outOfOrder
        /// Older than what the out-of-order window takes.
        case tooOld
        /// Below the head's lower bound, or more than ten minutes ahead of the clock.
        case outOfBounds
        /// The reference is of a series that has left: send the labels instead.
        case unknownSeries
        /// A histogram whose parts do not fit each other (`NativeHistogram.validate`), or are too many.
        case invalidHistogram
    }

    /// For each entry of the batch's `newSeries` the reference to use from now on; nil where none of its samples was
    /// accepted and the series did not exist.
    package var refs: [SeriesRef?] = []
    /// How many of `newSeries` the store had not known.
    package var seriesCreated = 0
    /// Samples taken, those included that repeat the newest sample bit for bit.
    package var accepted = 0
    /// Indexes of samples left out, ascending.
    package var rejected: [(sample: Int, reason: Rejection)] = []
    /// Of a batch that is all or nothing, and was refused: the first sample that broke a rule, the only one in
    /// `rejected`. Nothing was taken.
    package var refusal: Refusal?
    /// Exemplars taken. A series' newest once more is not taken and not counted.
    package var exemplarsAccepted = 0
    /// Exemplars left out as older than their series' newest.
    package var exemplarsOutOfOrder = 0

    package struct Refusal: Sendable, Hashable {
        package var sample: Int
        package var reason: Rejection
        /// The series' newest value; nil where there is none, or it is a histogram.
        package var existing: Double?

        package init(sample: Int, reason: Rejection, existing: Double? = nil) {
            self.sample = sample
            self.reason = reason
            self.existing = existing
        }
    }

    package init() {}
}
