import ChunkEncoding
import SeriesModel

/// A chunk of histograms on its way into a block.
struct HistogramChunk {
    var encoding: ChunkEncoding
    /// Of its first and last sample. ms
    var range: TimeRange
    var sampleCount: Int
    var bytes: [UInt8]
}

extension PageCuts {
    /// Histograms as chunks: a new one where a page of floats would begin, and where the old one cannot go on.
    /// - Parameter samples: in order of time.
    func chunks(_ samples: SampleBuffer) -> [HistogramChunk] {
        var chunks: [HistogramChunk] = []
        var counts: [Int] = []
        samples.histogramTimestamps.withUnsafeBufferPointer { cut($0, into: &counts) }
        var index = 0
        var header = CounterResetHeader.unknown
        for count in counts {
            let end = index + count
            while index < end {
                let first = index
                let histogram = samples.histograms[first]
                var open = HistogramAppender(
                    HistogramAppender.encoding(for: histogram), header, samples.histogramTimestamps[first], histogram)
                index += 1
                header = .unknown
                var isBroken = false
                while index < end, !isBroken {
                    if let next = open.append(samples.histogramTimestamps[index], samples.histograms[index]) {
                        header = next
                        isBroken = true
                    } else {
                        index += 1
                    }
                }
                if !isBroken, index < samples.histograms.count { header = open.headerOfNext(samples.histograms[index]) }
                chunks.append(
                    HistogramChunk(
                        encoding: open.encoding,
                        range: TimeRange(min: samples.histogramTimestamps[first], max: open.lastTimestamp),
                        sampleCount: open.count, bytes: open.bytes))
            }
        }
        return chunks
    }
}
