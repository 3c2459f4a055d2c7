import ChunkEncoding
package import FileIO
package import SeriesModel
package import StorageAPI
import StorageFiles
import Synchronization

/// A block of Prometheus', open for reading; its files are never changed. Opening reads the description, the headers and
/// the index' table of contents; everything else is read, and its checksum compared, when it is first asked for.
///
/// Series are numbered from 0 in the order of their labels, as in our own blocks. Any thread may read. The files may be
/// unlinked while the block is open.
package final class PrometheusBlock: Sendable {
    package let path: String
    package let meta: PrometheusMeta
    /// Of all files. Bytes.
    package let bytes: Int
    private let index: Mutex<PrometheusIndex>
    private let segments: ChunkSegments
    private let tombstones: Tombstones

    /// - Parameter path: the block's directory.
    /// - Throws: `StorageError.corruption` where a file is not what Prometheus writes.
    package init(fileSystem: any FileSystem, path: String) throws(StorageError) {
        self.path = path
        meta = try PrometheusBlock.meta(fileSystem: fileSystem, path: path)
        let file = try StorageError.wrapping { () throws(FileError) in
            try fileSystem.map(FilePath.join(path, PrometheusFormat.indexName))
        }
        index = Mutex(try PrometheusIndex(file))
        segments = try ChunkSegments(fileSystem: fileSystem, directory: path)
        tombstones = try Tombstones(fileSystem: fileSystem, directory: path)
        bytes = file.size + segments.size
    }

    /// Only what a block says of itself.
    package static func meta(fileSystem: any FileSystem, path: String) throws(StorageError) -> PrometheusMeta {
        let file = FilePath.join(path, PrometheusFormat.metaName)
        let bytes = try StorageError.wrapping { () throws(FileError) in
            try fileSystem.read(file, limit: PrometheusFormat.metaBytesMax)
        }
        return try PrometheusMeta(bytes, file: file)
    }

    /// Closed: the last ms that may be in the block is `max`.
    package var range: TimeRange { meta.range }

    // MARK: - Index

    package func seriesCount() throws(StorageError) -> Int {
        try withIndex { (index) throws(StorageError) in try index.references().count }
    }

    /// Sorted by bytes.
    package func labelNames() throws(StorageError) -> [String] {
        try withIndex { (index) throws(StorageError) in
            try index.labelNames().map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// The values of a label, sorted by bytes; empty where no series has it.
    package func labelValues(of name: String) throws(StorageError) -> [String] {
        try withIndex { (index) throws(StorageError) in
            try index.labelValues(of: Array(name.utf8)).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// The numbers of the series that have the label, ascending.
    package func postings(name: String, value: String) throws(StorageError) -> [UInt32] {
        try withIndex { (index) throws(StorageError) in
            try index.postings(name: Array(name.utf8), value: Array(value.utf8))
        }
    }

    package func allPostings() throws(StorageError) -> [UInt32] {
        Array(0..<UInt32(clamping: try seriesCount()))
    }

    /// - Throws: `StorageError.invalid` for a number that no series has.
    package func labels(of series: UInt32) throws(StorageError) -> LabelSet {
        try withIndex { (index) throws(StorageError) in try index.labels(of: series) }
    }

    /// In order of time, without overlap.
    package func chunks(of series: UInt32) throws(StorageError) -> [PrometheusChunkReference] {
        try withIndex { (index) throws(StorageError) in try index.chunks(of: series) }
    }

    /// Whether something was deleted of any series.
    package var hasTombstones: Bool { !tombstones.isEmpty }

    /// What was deleted of a series: in order, without overlap. Empty for most.
    package func tombstones(of series: UInt32) throws(StorageError) -> [TimeRange] {
        if tombstones.isEmpty { return [] }
        return try withIndex { (index) throws(StorageError) in
            let references = try index.references()
            return Int(series) < references.count ? tombstones[references[Int(series)]] : []
        }
    }

    private func withIndex<R: Sendable>(
        _ body: (inout PrometheusIndex) throws(StorageError) -> R
    ) throws(StorageError) -> R {
        let result = index.withLock { index -> Result<R, StorageError> in
            do throws(StorageError) {
                return .success(try body(&index))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    // MARK: - Samples

    /// The chunk as it is in the file: what was deleted of it is still there.
    /// - Throws: `StorageError.corruption` where its checksum is wrong, or its encoding unknown.
    package func chunk(_ reference: PrometheusChunkReference) throws(StorageError) -> PrometheusChunk {
        try segments.chunk(reference)
    }

    /// Appends the series' samples within the range to the buffer, without those that were deleted. Start timestamps are
    /// left out, as the other sources of a query's samples have none.
    /// - Throws: `StorageError.corruption`.
    package func read(
        series: UInt32, range: TimeRange = .all, into buffer: inout SampleBuffer
    ) throws(StorageError) {
        let deleted = try tombstones(of: series)
        for reference in try chunks(of: series) where reference.range.overlaps(range) {
            if deleted.isEmpty {
                try read(reference, range: range, into: &buffer)
                continue
            }
            for kept in range.without(deleted) where reference.range.overlaps(kept) {
                try read(reference, range: kept, into: &buffer)
            }
        }
    }

    /// Appends the chunk's samples within the range to the buffer, deleted ones too.
    /// - Throws: `StorageError.corruption`; nothing of the chunk has been appended then.
    package func read(
        _ reference: PrometheusChunkReference, range: TimeRange = .all, into buffer: inout SampleBuffer
    ) throws(StorageError) {
        let chunk = try segments.chunk(reference)
        let before = BufferMark(buffer)
        let startCounts = (floats: buffer.startTimestamps.count, histograms: buffer.histogramStartTimestamps.count)
        do throws(ChunkError) {
            try chunk.decode(into: &buffer, range: range)
        } catch {
            throw segments.damaged(reference, error.description)
        }
        buffer.startTimestamps.removeLast(buffer.startTimestamps.count - startCounts.floats)
        buffer.histogramStartTimestamps.removeLast(buffer.histogramStartTimestamps.count - startCounts.histograms)
        guard let oldest = buffer.oldest(since: before), let newest = buffer.newest(since: before) else { return }
        if oldest < reference.range.min || newest > reference.range.max {
            buffer.removeAll(since: before)
            throw segments.damaged(reference, "samples outside of the chunk's range")
        }
    }
}

extension PrometheusBlock {
    /// Reads all that a query could ask for: postings, labels, and the samples of every chunk.
    /// - Throws: `StorageError.corruption` at the first damage.
    package func verify() throws(StorageError) {
        for name in try labelNames() {
            for value in try labelValues(of: name) { _ = try postings(name: name, value: value) }
        }
        var samples = SampleBuffer()
        for series in try allPostings() {
            _ = try labels(of: series)
            for chunk in try chunks(of: series) {
                samples.removeAll()
                try read(chunk, into: &samples)
            }
        }
    }
}

extension TimeRange {
    /// What is left of it beside some ranges.
    /// - Parameter deleted: in order, without overlap.
    func without(_ deleted: [TimeRange]) -> [TimeRange] {
        var kept: [TimeRange] = []
        var start = min
        for range in deleted where range.overlaps(self) {
            if start < range.min { kept.append(TimeRange(min: start, max: range.min - 1)) }
            if range.max >= max { return kept }
            start = Swift.max(start, range.max + 1)
        }
        if start <= max { kept.append(TimeRange(min: start, max: max)) }
        return kept
    }
}
