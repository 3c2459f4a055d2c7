import FileIO
import SeriesModel
package import StorageAPI
import StorageFiles

extension BlockReader {
    /// Reads everything: each checksum, each page, and whether series, lists, layouts and footer agree.
    /// - Throws: `StorageError.corruption` at the first disagreement.
    package func verify() throws(StorageError) {
        try index.verify()
        let labelCount = try verifySeries()
        try verifyLists(labelCount)
        try verifyExtents()
    }

    private func damaged(_ reason: String) -> StorageError { .corruption(file: path, offset: 0, reason: reason) }

    /// - Returns: how many labels the series have together.
    private func verifySeries() throws(StorageError) -> Int {
        var (chunkCount, sampleCount, labelCount) = (0, 0, 0)
        var previous: LabelSet?
        var samples = SampleBuffer()
        for series in allPostings() {
            let labels = try labels(of: series)
            guard previous.map({ $0 < labels }) ?? true else { throw damaged("series \(series) is out of order") }
            previous = labels
            labelCount += labels.count
            let range = try timeRange(of: series)
            samples.removeAll()
            try readStored(series, .all, into: &samples)
            guard samples.oldest() == range.min, samples.newest() == range.max, range.min >= footer.range.min,
                range.max < footer.range.max
            else { throw damaged("the samples of series \(series) are not where the index says") }
            chunkCount += try self.chunkCount(of: series)
            sampleCount += samples.count + samples.histograms.count
        }
        guard chunkCount == footer.chunkCount, sampleCount == footer.sampleCount else {
            throw damaged("\(chunkCount) pages and \(sampleCount) samples are not what the footer says")
        }
        return labelCount
    }

    /// Every entry of a list is right, and there are as many as labels: so none is missing.
    private func verifyLists(_ labelCount: Int) throws(StorageError) {
        var missing = labelCount
        for name in try labelNames() {
            for value in try labelValues(of: name) {
                for series in try postings(name: name, value: value) {
                    guard try labels(of: series)[name]?.hasSameBytes(as: value) == true else {
                        throw damaged("series \(series) is in the list of \(name)=\(value)")
                    }
                    missing -= 1
                }
            }
        }
        guard missing == 0 else { throw damaged("\(missing) labels are in no list") }
    }

    /// Each byte of the data file belongs to one series, or to a column of timestamps.
    private func verifyExtents() throws(StorageError) {
        var extents: [Range<Int>] = []
        var columns: [Int: Int] = [:]
        for layout in 0..<footer.tables.layouts.items {
            let (block, place) = try index.layoutBlock(layout)
            for page in block[place] where !page.isRegular {
                columns[page.columnOffset] = page.columnLength
                _ = try column(page)
            }
        }
        for (offset, length) in columns { extents.append(offset..<offset + length + BlockFormat.checksumBytes) }
        for series in allPostings() { extents.append(try extent(of: series)) }
        extents.sort { $0.lowerBound < $1.lowerBound }
        var position = BlockFormat.fileHeaderBytes
        for extent in extents {
            guard extent.lowerBound == position else {
                throw damaged(position, "bytes that belong to no series, or to two")
            }
            position = extent.upperBound
        }
        guard position == data.size else { throw damaged(position, "bytes that belong to no series") }
    }
}
