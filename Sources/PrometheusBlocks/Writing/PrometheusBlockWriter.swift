import ChunkEncoding
package import FileIO
package import SeriesModel
package import StorageAPI
import StorageFiles

/// Writes a block as Prometheus 2.42 and later open it, series by series in label order, into a directory beside its
/// place, and moves it there when it is whole and durable.
///
/// Chunks go to their files at once, series entries into a file aside, since they name symbols by numbers that are only
/// known at the end. What stays in memory are the symbols and the lists of series: four bytes for each label of each
/// series.
package struct PrometheusBlockWriter: ~Copyable {
    private let fileSystem: any FileSystem
    private let directory: String
    private let path: String
    private let aside: String
    private var meta: PrometheusMeta
    private var statistics = PrometheusMeta.Statistics()
    private var chunks: ChunkSegmentWriter
    private var index: PrometheusIndexWriter
    private var previous: LabelSet?

    /// - Parameters:
    ///   - directory: the one that holds the blocks; made where it is missing.
    ///   - identifier: a ULID; the block's name.
    ///   - range: every sample must lie in it; the end is **excluded**. ms
    ///   - segmentBytesMax: of a file of chunks.
    package init(
        fileSystem: any FileSystem, directory: String, identifier: String, range: TimeRange,
        segmentBytesMax: Int = 512 << 20
    ) throws(StorageError) {
        guard PrometheusDirectory.isBlockName(identifier), range.min < range.max else {
            throw .invalid(reason: "block \(identifier) of \(range.min) to \(range.max)")
        }
        let path = FilePath.join(directory, identifier)
        let aside = path + PrometheusFormat.creationSuffix
        let folder = FilePath.join(aside, PrometheusFormat.chunksName)
        try StorageError.wrapping { () throws(FileError) in
            if fileSystem.exists(aside) { try fileSystem.remove(aside) }
            try fileSystem.createDirectory(folder)
        }
        let chunks = try ChunkSegmentWriter(
            fileSystem: fileSystem, folder: folder, segmentBytesMax: segmentBytesMax)
        let index = try PrometheusIndexWriter(fileSystem: fileSystem, directory: aside)
        self.fileSystem = fileSystem
        self.directory = directory
        self.path = path
        self.aside = aside
        self.chunks = chunks
        self.index = index
        meta = PrometheusMeta(ulid: identifier, minTime: range.min, maxTime: range.max)
    }

    /// Series in the block so far.
    package var seriesCount: Int { index.seriesCount }

    /// Adds a series. One without chunks is left out.
    /// - Parameters:
    ///   - labels: not empty, behind those of the series before.
    ///   - series: in order of time, without overlap, in encodings that Prometheus 2.42 has, within the block's range.
    /// - Throws: `StorageError.invalid` where they are not so; nothing has been written then.
    package mutating func addSeries(
        _ labels: LabelSet, chunks series: [PrometheusChunk]
    ) throws(StorageError) {
        if series.isEmpty { return }
        guard !labels.isEmpty, previous.map({ $0 < labels }) ?? true else {
            throw .invalid(reason: "series \(labels) is not behind the one before")
        }
        var last: Timestamp?
        for chunk in series {
            guard case .plain = chunk.encoding, chunk.sampleCount > 0,
                chunk.bytes.count <= PrometheusFormat.chunkBytesMax
            else { throw .invalid(reason: "series \(labels): a chunk that cannot be written") }
            guard chunk.range.min <= chunk.range.max, meta.range.contains(chunk.range.min),
                meta.range.contains(chunk.range.max), last.map({ $0 < chunk.range.min }) ?? true
            else { throw .invalid(reason: "series \(labels): a chunk outside of its place in time") }
            last = chunk.range.max
        }
        var references: [PrometheusChunkReference] = []
        references.reserveCapacity(series.count)
        for chunk in series {
            references.append(try chunks.add(chunk))
            let count = UInt64(chunk.sampleCount)
            statistics.numSamples = (statistics.numSamples ?? 0) + count
            if chunk.encoding == .plain(.xor) {
                statistics.numFloatSamples = (statistics.numFloatSamples ?? 0) + count
            } else {
                statistics.numHistogramSamples = (statistics.numHistogramSamples ?? 0) + count
            }
        }
        try index.add(labels, references)
        statistics.numChunks = (statistics.numChunks ?? 0) + UInt64(series.count)
        previous = labels
    }

    /// Writes the index, an empty file of tombstones and the description, syncs all, and gives the block its name.
    package consuming func finish() throws(StorageError) -> PrometheusMeta {
        try chunks.finish()
        statistics.numSeries = UInt64(index.seriesCount)
        meta.stats = statistics
        try index.finish()
        let metaPath = FilePath.join(aside, PrometheusFormat.metaName)
        let files = [
            (FilePath.join(aside, PrometheusFormat.tombstonesName), Tombstones.encode([])),
            (metaPath, try meta.encoded(file: metaPath)),
        ]
        try StorageError.wrapping { () throws(FileError) in
            for (name, bytes) in files {
                let file = try fileSystem.create(name)
                try file.append(bytes)
                try file.sync()
            }
            try fileSystem.syncDirectory(FilePath.join(aside, PrometheusFormat.chunksName))
            try fileSystem.syncDirectory(aside)
            try fileSystem.rename(aside, to: path)
            try fileSystem.syncDirectory(directory)
        }
        return meta
    }

    /// Removes what was written.
    package consuming func abandon() throws(StorageError) {
        let (fileSystem, aside) = (fileSystem, aside)
        try StorageError.wrapping { () throws(FileError) in try fileSystem.remove(aside) }
    }
}
