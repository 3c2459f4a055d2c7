import SeriesModel

/// Rows that are sent in one request: samples of series by their slots in the table, and exemplars. Columns, whose memory
/// is used again.
struct SampleRows: Sendable {
    /// An exemplar with its series' labels as the table would hold them: exemplars are few.
    struct ExemplarRow: Sendable {
        var series: [UInt8]
        var exemplar: Exemplar
    }

    struct Counts: Sendable, Equatable {
        var samples = 0
        var histograms = 0
        var exemplars = 0

        var total: Int { samples + histograms + exemplars }

        static func - (a: Counts, b: Counts) -> Counts {
            Counts(
                samples: max(0, a.samples - b.samples), histograms: max(0, a.histograms - b.histograms),
                exemplars: max(0, a.exemplars - b.exemplars))
        }
    }

    /// The record of the first row. Rows come in order of records.
    private(set) var firstRecord: UInt64 = 0
    private(set) var slots: [UInt32] = []
    private(set) var timestamps: [Timestamp] = []
    private(set) var values: [Double] = []
    /// The rows that have a histogram, ascending.
    private(set) var histogramRows: [Int] = []
    private(set) var histograms: [NativeHistogram] = []
    private(set) var exemplars: [ExemplarRow] = []
    /// Of each row, how far its record is behind the first one.
    private var recordOffsets: [UInt32] = []
    /// When the first row came, in ticks of the deadline.
    var openedAt: UInt64 = 0

    init() {}

    /// As requests are limited.
    var count: Int { slots.count + exemplars.count }
    var isEmpty: Bool { slots.isEmpty && exemplars.isEmpty }

    @inline(__always)
    mutating func append(slot: UInt32, _ timestamp: Timestamp, _ value: Double, record: UInt64) {
        if isEmpty { firstRecord = record }
        slots.append(slot)
        timestamps.append(timestamp)
        values.append(value)
        recordOffsets.append(UInt32(truncatingIfNeeded: record &- firstRecord))
    }

    mutating func append(slot: UInt32, _ timestamp: Timestamp, _ histogram: NativeHistogram, record: UInt64) {
        append(slot: slot, timestamp, 0, record: record)
        histogramRows.append(slots.count - 1)
        histograms.append(histogram)
    }

    mutating func append(_ exemplar: ExemplarRow, record: UInt64) {
        if isEmpty { firstRecord = record }
        exemplars.append(exemplar)
    }

    /// Forgets the content and keeps the memory.
    mutating func removeAll() {
        slots.removeAll(keepingCapacity: true)
        timestamps.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        recordOffsets.removeAll(keepingCapacity: true)
        histogramRows.removeAll(keepingCapacity: true)
        histograms.removeAll(keepingCapacity: true)
        exemplars.removeAll(keepingCapacity: true)
    }

    var counts: Counts {
        Counts(
            samples: slots.count - histogramRows.count, histograms: histogramRows.count, exemplars: exemplars.count)
    }

    /// The oldest of all times; nil where there is no row.
    var oldest: Timestamp? {
        [timestamps.min(), exemplars.lazy.map(\.exemplar.timestamp).min()].compactMap { $0 }.min()
    }

    /// The newest of all times; nil where there is no row.
    var newest: Timestamp? {
        [timestamps.max(), exemplars.lazy.map(\.exemplar.timestamp).max()].compactMap { $0 }.max()
    }

    /// Leaves out what is older than a time.
    /// - Returns: how much that is.
    mutating func drop(before limit: Timestamp) -> Counts {
        let before = counts
        var kept = chosen { timestamps[$0] >= limit }
        for exemplar in exemplars where exemplar.exemplar.timestamp >= limit {
            kept.append(exemplar, record: firstRecord)
        }
        kept.firstRecord = firstRecord
        self = kept
        return before - kept.counts
    }

    /// The rows of each record by themselves, in order; then the exemplars.
    var byRecord: [SampleRows] {
        var parts: [SampleRows] = []
        var start = 0
        while start < slots.count {
            let end = recordOffsets[start...].firstIndex { $0 != recordOffsets[start] } ?? slots.count
            parts.append(chosen(from: start..<end) { _ in true })
            start = end
        }
        guard !exemplars.isEmpty else { return parts }
        var last = SampleRows()
        for exemplar in exemplars { last.append(exemplar, record: firstRecord) }
        return parts + [last]
    }

    /// Rows, without exemplars.
    private func chosen(from range: Range<Int>? = nil, where isChosen: (Int) -> Bool) -> SampleRows {
        var chosen = SampleRows()
        let range = range ?? slots.startIndex..<slots.endIndex
        var next = histogramRows.firstIndex { $0 >= range.lowerBound } ?? histogramRows.count
        for row in range {
            let isHistogram = next < histogramRows.count && histogramRows[next] == row
            defer { if isHistogram { next += 1 } }
            guard isChosen(row) else { continue }
            let record = firstRecord &+ UInt64(recordOffsets[row])
            if isHistogram {
                chosen.append(slot: slots[row], timestamps[row], histograms[next], record: record)
            } else {
                chosen.append(slot: slots[row], timestamps[row], values[row], record: record)
            }
        }
        return chosen
    }
}
