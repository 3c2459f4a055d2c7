import SeriesModel

/// One record's rows that are to be sent, with the hashes that choose their shards. Columns, whose memory is used again.
struct RecordRows: Sendable {
    /// How far a record's rows have been handed on.
    struct Position {
        var row = 0
        var histogram = 0
        var exemplar = 0
    }

    var slots: [UInt32] = []
    var hashes: [UInt32] = []
    var timestamps: [Timestamp] = []
    var values: [Double] = []
    /// The rows that have a histogram, ascending.
    var histogramRows: [Int] = []
    var histograms: [NativeHistogram] = []
    var exemplars: [SampleRows.ExemplarRow] = []
    var exemplarHashes: [UInt32] = []

    mutating func removeAll() {
        slots.removeAll(keepingCapacity: true)
        hashes.removeAll(keepingCapacity: true)
        timestamps.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        histogramRows.removeAll(keepingCapacity: true)
        histograms.removeAll(keepingCapacity: true)
        exemplars.removeAll(keepingCapacity: true)
        exemplarHashes.removeAll(keepingCapacity: true)
    }

    var isEmpty: Bool { slots.isEmpty && exemplars.isEmpty }
}
