import ByteCoding
import ChunkEncoding
import ColdPages
package import FileIO
package import SeriesModel
package import StorageAPI
package import StorageFiles

/// Writes a block, series by series, into a directory beside its place, and moves it there when it is whole: a block
/// that has its name is complete and durable.
///
/// Memory: the series at hand, the index, and bounded tables of what following series may share.
package struct BlockWriter: ~Copyable {
    let fileSystem: any FileSystem
    private let directory: String
    let path: String
    var footer: BlockFooter
    var output: DataOutput
    private(set) var index: IndexBuilder
    private let cuts: PageCuts
    var layouts: TimeLayoutTable
    private var buckets = BucketWindow()
    private var scratch = ValuePageScratch()
    /// Of the last series.
    var previousLabels: LabelSet?
    /// nil where no marks are made.
    var progress: MergeProgress?

    /// - Parameters:
    ///   - directory: the one that holds the blocks; made where it is missing.
    ///   - range: every sample must lie in it; the end is excluded. ms
    ///   - lsn: the newest log record whose samples are in the block.
    package init(
        fileSystem: any FileSystem, directory: String, identifier: BlockIdentifier, range: TimeRange,
        level: Int = 1, parents: [BlockIdentifier] = [], lsn: LSN
    ) throws(StorageError) {
        guard range.min < range.max else { throw .invalid(reason: "a block from \(range.min) to \(range.max)") }
        let path = FilePath.join(directory, identifier.description)
        let file = try StorageError.wrapping { () throws(FileError) in
            let aside = path + BlockFormat.temporarySuffix
            if fileSystem.exists(aside) { try fileSystem.remove(aside) }
            try fileSystem.createDirectory(aside)
            return try fileSystem.create(FilePath.join(aside, BlockFormat.dataName))
        }
        self.init(
            fileSystem: fileSystem, directory: directory,
            footer: BlockFooter(identifier: identifier, range: range, level: level, parents: parents, lsn: lsn),
            output: DataOutput(file, header: BlockFormat.fileHeader(BlockFormat.dataMagic, identifier)),
            index: IndexBuilder(start: range.min), layouts: TimeLayoutTable(range))
    }

    init(
        fileSystem: any FileSystem, directory: String, footer: BlockFooter, output: DataOutput, index: IndexBuilder,
        layouts: TimeLayoutTable
    ) {
        self.fileSystem = fileSystem
        self.directory = directory
        path = FilePath.join(directory, footer.identifier.description)
        self.footer = footer
        self.output = output
        self.index = index
        self.layouts = layouts
        cuts = PageCuts(footer.range, samplesMax: ValuePage.samplesMax)
    }

    /// Series so far.
    var seriesCount: Int { index.seriesCount }

    /// Series must come in ascending order of their labels, each once. A series without samples is left out.
    /// - Parameter samples: floats and histograms, each in ascending order of time and within the block's range.
    /// - Throws: `StorageError.invalid` where that does not hold.
    package mutating func addSeries(_ labels: LabelSet, _ samples: SampleBuffer) throws(StorageError) {
        if samples.isEmpty { return }
        if let previousLabels, !(previousLabels < labels) {
            throw .invalid(reason: "series \(labels) does not follow \(previousLabels)")
        }
        guard index.seriesCount < Int(UInt32.max) - 1 else { throw .invalid(reason: "too many series for one block") }
        guard isInOrder(samples.timestamps), isInOrder(samples.histogramTimestamps),
            samples.timestamps.count == samples.values.count,
            samples.histogramTimestamps.count == samples.histograms.count
        else { throw .invalid(reason: "samples of \(labels) are out of order or out of the block") }
        var placement = SeriesPlacement(offset: output.position)
        if !samples.timestamps.isEmpty { addFloats(labels, samples, &placement) }
        if !samples.histograms.isEmpty { try addHistograms(labels, samples, &placement) }
        index.add(labels, placement)
        progress?.note(labels, row: index.lastRow, offset: placement.offset, layout: placement.layout)
        footer.chunkCount += placement.pages.count + placement.chunks.count
        footer.sampleCount += samples.count + samples.histograms.count
        previousLabels = labels
        try output.flushIfDue()
    }

    private func isInOrder(_ timestamps: [Timestamp]) -> Bool {
        guard let first = timestamps.first, let last = timestamps.last else { return true }
        guard first >= footer.range.min, last < footer.range.max else { return false }
        return timestamps.withUnsafeBufferPointer { timestamps in
            var isAscending = true
            for index in 1..<max(1, timestamps.count) {
                isAscending = isAscending && timestamps[index - 1] < timestamps[index]
            }
            return isAscending
        }
    }

    // MARK: - Floats

    private mutating func addFloats(
        _ labels: LabelSet, _ samples: SampleBuffer, _ placement: inout SeriesPlacement
    ) {
        let layout = samples.timestamps.withUnsafeBufferPointer { timestamps in
            layouts.layout(of: timestamps, &scratch, &output)
        }
        // A column of timestamps may have been written just now.
        placement.offset = output.position
        placement.layout = layout.number
        let place = BucketWindow.place(of: labels)
        let base = place.flatMap { bestBase(for: samples.values, $0, layout) }
        var isBased = false
        var groups = PageGroups(output)
        var first = 0
        for count in layout.counts {
            let start = output.bytes.count
            let page = first..<first + count
            BlockWriter.withPages(samples.values, base?.values, page) { values, base in
                ValuePage.encode(values: values, base: base, scratch: &scratch, into: &output.bytes)
            }
            if base != nil { isBased = isBased || output.bytes[start...].withUnsafeBytes { ValuePage.needsBase($0) } }
            groups.close(pageFrom: start, &output)
            first += count
        }
        groups.finish(&output)
        placement.pages = groups.lengths
        if isBased, let base { placement.base = UInt32(index.seriesCount) - base.series }
        if let place {
            buckets.add(
                BucketWindow.Member(
                    series: UInt32(index.seriesCount), bound: place.bound,
                    depth: isBased ? (base?.depth ?? 0) + 1 : 0, layout: layout.number, values: samples.values),
                at: place)
        }
        if samples.startTimestamps.contains(where: { $0 != 0 }) {
            placement.pageStarts = addStarts(samples.startTimestamps, layout.counts)
        }
    }

    /// Of the neighbouring buckets the one with which a page of the series becomes smallest.
    private mutating func bestBase(
        for values: [Double], _ place: BucketWindow.Place, _ layout: TimeLayoutTable.Layout
    ) -> BucketWindow.Member? {
        let (below, above) = buckets.neighbours(of: place, layout: layout.number)
        guard let below, let above else { return below ?? above }
        // The page in the middle stands for all.
        let middle = layout.counts.count / 2
        let first = layout.counts[..<middle].reduce(0, +)
        func size(_ base: BucketWindow.Member) -> Int {
            var bytes: [UInt8] = []
            BlockWriter.withPages(values, base.values, first..<first + layout.counts[middle]) { values, base in
                ValuePage.encode(values: values, base: base, scratch: &scratch, into: &bytes)
            }
            return bytes.count
        }
        return size(below) <= size(above) ? below : above
    }

    private static func withPages(
        _ values: [Double], _ base: [Double]?, _ page: Range<Int>,
        _ body: (UnsafeBufferPointer<Double>, UnsafeBufferPointer<Double>?) -> Void
    ) {
        values.withUnsafeBufferPointer { values in
            let values = UnsafeBufferPointer(rebasing: values[page])
            guard let base else { return body(values, nil) }
            base.withUnsafeBufferPointer { body(values, UnsafeBufferPointer(rebasing: $0[page])) }
        }
    }

    /// Pages of start timestamps; one of zeros alone has no bytes.
    /// - Parameter column: may be shorter than the samples are many.
    /// - Returns: their lengths.
    private mutating func addStarts(_ column: [Timestamp], _ counts: [Int]) -> [Int] {
        var groups = PageGroups(output)
        var first = 0
        for count in counts {
            let start = output.bytes.count
            var page = Array(column[min(first, column.count)..<min(first + count, column.count)])
            if page.contains(where: { $0 != 0 }) {
                page.append(contentsOf: repeatElement(0, count: count - page.count))
                page.withUnsafeBufferPointer {
                    TimestampColumn.encode($0, scratch: &scratch, into: &output.bytes)
                }
            }
            groups.close(pageFrom: start, &output)
            first += count
        }
        groups.finish(&output)
        return groups.lengths
    }

    // MARK: - Histograms

    private mutating func addHistograms(
        _ labels: LabelSet, _ samples: SampleBuffer, _ placement: inout SeriesPlacement
    ) throws(StorageError) {
        placement.chunks = cuts.chunks(samples)
        var groups = PageGroups(output)
        for chunk in placement.chunks {
            guard chunk.bytes.count <= BlockFormat.pageBytesMax else {
                throw .invalid(reason: "a histogram of \(labels) takes \(chunk.bytes.count) bytes")
            }
            let start = output.bytes.count
            output.bytes.append(contentsOf: chunk.bytes)
            groups.close(pageFrom: start, &output)
        }
        groups.finish(&output)
        if samples.histogramStartTimestamps.contains(where: { $0 != 0 }) {
            placement.chunkStarts = addStarts(samples.histogramStartTimestamps, placement.chunks.map(\.sampleCount))
        }
    }

    // MARK: - End

    /// Writes index and footer, syncs all, and gives the block its name.
    package consuming func finish() throws(StorageError) -> BlockFooter {
        try output.flush()
        let aside = path + BlockFormat.temporarySuffix
        let indexFile = try StorageError.wrapping { () throws(FileError) in
            try fileSystem.create(FilePath.join(aside, BlockFormat.indexName))
        }
        footer.seriesCount = index.seriesCount
        var blocks = IndexOutput(indexFile, header: BlockFormat.fileHeader(BlockFormat.indexMagic, footer.identifier))
        footer.tables = try index.write(layouts.finished(), scratch: &scratch, to: &blocks)
        footer.dataBytes = output.position
        footer.indexBytes = indexFile.size
        try StorageError.wrapping { () throws(FileError) in
            let footerFile = try fileSystem.create(FilePath.join(aside, BlockFormat.footerName))
            try footerFile.append(footer.encoded)
            try output.sync()
            for file in [indexFile, footerFile] { try file.sync() }
            try removeMarks()
            try fileSystem.syncDirectory(aside)
            try fileSystem.rename(aside, to: path)
            do throws(FileError) {
                try fileSystem.syncDirectory(directory)
            } catch {
                // Nobody is going to know of it: left here it would be taken in later, without what was deleted meanwhile.
                try? BlockDirectory.remove(fileSystem: fileSystem, path: path)
                throw error
            }
        }
        return footer
    }

    /// Removes what was written.
    package consuming func abandon() throws(StorageError) {
        let (fileSystem, aside) = (fileSystem, path + BlockFormat.temporarySuffix)
        try StorageError.wrapping { () throws(FileError) in try fileSystem.remove(aside) }
    }
}
