import SeriesModel
package import StorageAPI
import StorageFiles

extension BlockReader {
    /// Reads everything: each checksum, each chunk, and whether series, lists and footer agree.
    /// - Throws: `StorageError.corruption` at the first disagreement.
    package func verify() throws(StorageError) {
        func damaged(_ reason: String) -> StorageError { .corruption(file: path, offset: 0, reason: reason) }
        var (chunkCount, sampleCount, labelCount) = (0, 0, 0)
        var previous: LabelSet?
        var samples = SampleBuffer()
        for series in allPostings() {
            let labels = try labels(of: series)
            guard previous.map({ $0 < labels }) ?? true else { throw damaged("series \(series) is out of order") }
            previous = labels
            labelCount += labels.count
            var end = footer.range.min
            for chunk in try chunks(of: series) {
                samples.removeAll()
                try read(chunk, into: &samples)
                let count = samples.count + samples.histograms.count
                guard count == chunk.sampleCount, samples.oldest() == chunk.range.min,
                    samples.newest() == chunk.range.max, chunk.range.min >= end,
                    chunk.range.max < footer.range.max
                else { throw damaged("a chunk of series \(series) is not what the index says") }
                end = chunk.range.max.addingClamped(1)
                chunkCount += 1
                sampleCount += count
            }
        }
        guard chunkCount == footer.chunkCount, sampleCount == footer.sampleCount else {
            throw damaged("\(chunkCount) chunks and \(sampleCount) samples are not what the footer says")
        }
        // Every entry of a list is right, and there are as many as labels: so none is missing.
        for name in try labelNames() {
            for value in try labelValues(of: name) {
                for series in try postings(name: name, value: value) {
                    guard try labels(of: series)[name]?.hasSameBytes(as: value) == true else {
                        throw damaged("series \(series) is in the list of \(name)=\(value)")
                    }
                    labelCount -= 1
                }
            }
        }
        guard labelCount == 0 else { throw damaged("\(labelCount) labels are in no list") }
    }
}
