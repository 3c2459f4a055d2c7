package import ChunkEncoding
package import SeriesModel

/// The samples of one series, compressed as they come: out of a log, or out of a text that is read from its beginning to
/// its end.
package struct LogSeries: Sendable {
    package let labels: LabelSet
    /// Of floats, in order of time.
    private var chunks: [PrometheusChunk] = []
    private var open = XORAppender()
    private var words: [UInt64] = []
    private var openStart: Timestamp = 0
    /// Of the log's samples, of both kinds.
    private var newest: Timestamp?
    /// Floats of the log of late samples.
    private var late: [(timestamp: Timestamp, value: Double)] = []
    private var histograms: [(timestamp: Timestamp, histogram: NativeHistogram)] = []
    private var deleted: [TimeRange] = []
    /// Of all samples. ms; empty while there is none.
    package private(set) var range = TimeRange(min: .max, max: .min)

    package init(labels: LabelSet) { self.labels = labels }

    package var isEmpty: Bool { range.max < range.min }

    /// Adds a float of the log. One that is not newer than what came before is left out: Prometheus has logged it, and
    /// then refused it, or has it in the log of late samples as well.
    mutating func append(_ timestamp: Timestamp, _ value: Double) {
        guard isNewest(timestamp) else { return }
        if open.count >= SampleChunks.samplesMax { closeChunk() }
        if open.count == 0 { openStart = timestamp }
        open.append(timestamp, value, to: &words)
    }

    /// As above, for histograms.
    mutating func append(_ timestamp: Timestamp, _ histogram: NativeHistogram) {
        if isNewest(timestamp) { histograms.append((timestamp, histogram)) }
    }

    mutating func appendLate(_ timestamp: Timestamp, _ value: Double) {
        note(timestamp)
        late.append((timestamp, value))
    }

    mutating func appendLate(_ timestamp: Timestamp, _ histogram: NativeHistogram) {
        note(timestamp)
        histograms.append((timestamp, histogram))
    }

    private mutating func isNewest(_ timestamp: Timestamp) -> Bool {
        if let newest, timestamp <= newest { return false }
        newest = timestamp
        note(timestamp)
        return true
    }

    /// Adds a float that may be of any time. Of two for one time the first counts.
    package mutating func insert(_ timestamp: Timestamp, _ value: Double) {
        if let newest, timestamp <= newest { appendLate(timestamp, value) } else { append(timestamp, value) }
    }

    /// Whether something was deleted of it that the log holds.
    package var hasDeletions: Bool { !deleted.isEmpty }

    mutating func delete(_ range: TimeRange) { deleted.append(range) }

    private mutating func note(_ timestamp: Timestamp) {
        range.min = min(range.min, timestamp)
        range.max = max(range.max, timestamp)
    }

    private mutating func closeChunk() {
        chunks.append(
            PrometheusChunk(
                encoding: .plain(.xor), range: TimeRange(min: openStart, max: open.lastTimestamp),
                bytes: open.chunk(words: words)))
        open = XORAppender()
        words.removeAll(keepingCapacity: true)
    }

    /// Appends the samples within a range to the buffer, in order of time, without what was deleted. Of two samples for
    /// one time the one that was logged first counts.
    package func read(range wanted: TimeRange = .all, into buffer: inout SampleBuffer) throws(ChunkError) {
        guard !isEmpty, range.overlaps(wanted) else { return }
        var floats = SampleBuffer()
        for chunk in chunks where chunk.range.overlaps(wanted) { try chunk.decode(into: &floats, range: wanted) }
        if open.count > 0 { try ChunkEncoding.xor.decode(open.chunk(words: words), into: &floats, range: wanted) }
        if late.isEmpty, histograms.isEmpty, deleted.isEmpty {
            buffer.timestamps.append(contentsOf: floats.timestamps)
            buffer.values.append(contentsOf: floats.values)
            return
        }
        var rows: [(timestamp: Timestamp, value: Double, histogram: NativeHistogram?)] = []
        for (timestamp, value) in zip(floats.timestamps, floats.values) { rows.append((timestamp, value, nil)) }
        for (timestamp, value) in late where wanted.contains(timestamp) { rows.append((timestamp, value, nil)) }
        for (timestamp, histogram) in histograms where wanted.contains(timestamp) {
            rows.append((timestamp, 0, histogram))
        }
        // Of equal times the one that came first stays first.
        let order = rows.indices.sorted { (rows[$0].timestamp, $0) < (rows[$1].timestamp, $1) }
        var last: Timestamp?
        for index in order where rows[index].timestamp != last {
            let row = rows[index]
            last = row.timestamp
            if deleted.contains(where: { $0.contains(row.timestamp) }) { continue }
            if let histogram = row.histogram {
                buffer.append(row.timestamp, histogram)
            } else {
                buffer.append(row.timestamp, row.value)
            }
        }
    }
}
