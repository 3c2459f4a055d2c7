import ChunkEncoding
package import SeriesModel

/// Cuts the samples of a series into chunks, in the encodings that every version since 2.40 reads.
package enum SampleChunks {
    /// As many as upstream puts into a chunk.
    package static let samplesMax = 120

    /// The chunks of a buffer, in order of time: floats and histograms are never in one chunk. Start timestamps are
    /// left out: these encodings have no place for them.
    package static func cut(_ buffer: SampleBuffer, samplesMax: Int = samplesMax) -> [PrometheusChunk] {
        var chunks: [PrometheusChunk] = []
        var float = 0
        var histogram = 0
        var before: HistogramAppender?
        while float < buffer.count || histogram < buffer.histograms.count {
            if histogram == buffer.histograms.count
                || float < buffer.count && buffer.timestamps[float] < buffer.histogramTimestamps[histogram]
            {
                let limit = histogram < buffer.histograms.count ? buffer.histogramTimestamps[histogram] : .max
                var end = float
                while end < buffer.count, end - float < samplesMax, buffer.timestamps[end] < limit || limit == .max {
                    end += 1
                }
                chunks.append(floats(buffer, float..<end))
                float = end
            } else {
                let limit = float < buffer.count ? buffer.timestamps[float] : .max
                histogram = append(buffer, from: histogram, before: limit, samplesMax, &before, to: &chunks)
            }
        }
        return chunks
    }

    private static func floats(_ buffer: SampleBuffer, _ rows: Range<Int>) -> PrometheusChunk {
        PrometheusChunk(
            encoding: .plain(.xor),
            range: TimeRange(min: buffer.timestamps[rows.lowerBound], max: buffer.timestamps[rows.upperBound - 1]),
            bytes: XORAppender.encode(timestamps: buffer.timestamps[rows], values: buffer.values[rows]))
    }

    /// Appends one chunk of histograms that lie before a time.
    /// - Returns: the first histogram behind it.
    private static func append(
        _ buffer: SampleBuffer, from start: Int, before limit: Timestamp, _ samplesMax: Int,
        _ before: inout HistogramAppender?, to chunks: inout [PrometheusChunk]
    ) -> Int {
        let first = buffer.histograms[start]
        let header = before?.headerOfNext(first) ?? .unknown
        var appender = HistogramAppender(
            HistogramAppender.encoding(for: first), header, buffer.histogramTimestamps[start], first)
        var end = start + 1
        while end < buffer.histograms.count, end - start < samplesMax,
            buffer.histogramTimestamps[end] < limit || limit == .max,
            appender.append(buffer.histogramTimestamps[end], buffer.histograms[end]) == nil
        {
            end += 1
        }
        chunks.append(
            PrometheusChunk(
                encoding: .plain(appender.encoding),
                range: TimeRange(min: buffer.histogramTimestamps[start], max: appender.lastTimestamp),
                bytes: appender.bytes))
        before = appender
        return end
    }
}
