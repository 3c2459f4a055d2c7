import Blocks
import ChunkEncoding
import SeriesModel

extension BlockChunk {
    /// - Parameter samples: in order of time.
    static func chunks(of samples: SampleBuffer) -> [BlockChunk] {
        var rows = samples.timestamps.indices.map {
            (samples.timestamps[$0], samples.values[$0], NativeHistogram?.none)
        }
        rows += samples.histograms.indices.map { (samples.histogramTimestamps[$0], 0, samples.histograms[$0]) }
        rows.sort { $0.0 < $1.0 }
        var chunks: [BlockChunk] = []
        var open: (appender: HistogramAppender, start: Timestamp)?
        var floats: [(Timestamp, Double)] = []
        func end() {
            if let full = open {
                chunks.append(
                    BlockChunk(
                        encoding: full.appender.encoding,
                        range: TimeRange(min: full.start, max: full.appender.lastTimestamp),
                        sampleCount: full.appender.count, bytes: full.appender.bytes))
                open = nil
            }
            if let first = floats.first, let last = floats.last {
                chunks.append(
                    BlockChunk(
                        encoding: .xor, range: TimeRange(min: first.0, max: last.0), sampleCount: floats.count,
                        bytes: XORAppender.encode(timestamps: floats.map(\.0)[...], values: floats.map(\.1)[...])))
                floats = []
            }
        }
        for (time, value, histogram) in rows {
            if let histogram {
                if !floats.isEmpty { end() }
                if open?.appender.count ?? 0 < 120, open != nil, open?.appender.append(time, histogram) == nil {
                    continue
                }
                end()
                open = (HistogramAppender(HistogramAppender.encoding(for: histogram), .unknown, time, histogram), time)
            } else {
                if open != nil || floats.count == 120 { end() }
                floats.append((time, value))
            }
        }
        end()
        return chunks
    }
}
