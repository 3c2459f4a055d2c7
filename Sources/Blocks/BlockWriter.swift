import ByteCoding
import ChunkEncoding
package import FileIO
package import SeriesModel
package import StorageAPI
package import StorageFiles

/// Writes a block, series by series, into a directory beside its place, and moves it there when it is whole: a block
/// that has its name is complete and durable.
package struct BlockWriter: ~Copyable {
    private let fileSystem: any FileSystem
    private let directory: String
    private let path: String
    private let data: any AppendableFile
    private var footer: BlockFooter
    private var index = IndexBuilder()
    private var previousLabels: LabelSet?
    private var output = ByteBuilder()
    /// Of the data file, what waits in `output` included.
    private var dataBytes = 0

    /// - Parameters:
    ///   - directory: the one that holds the blocks; made where it is missing.
    ///   - range: every sample must lie in it; the end is excluded. ms
    ///   - lsn: the newest log record whose samples are in the block.
    package init(
        fileSystem: any FileSystem, directory: String, identifier: BlockIdentifier, range: TimeRange,
        level: Int = 1, parents: [BlockIdentifier] = [], lsn: LSN
    ) throws(StorageError) {
        self.fileSystem = fileSystem
        self.directory = directory
        footer = BlockFooter(
            identifier: identifier, range: range, level: level, parents: parents, lsn: lsn)
        let path = FilePath.join(directory, identifier.description)
        self.path = path
        data = try StorageError.wrapping { () throws(FileError) in
            let aside = path + BlockFormat.temporarySuffix
            if fileSystem.exists(aside) { try fileSystem.remove(aside) }
            try fileSystem.createDirectory(aside)
            return try fileSystem.create(FilePath.join(aside, BlockFormat.dataName))
        }
        output.append(contentsOf: BlockFormat.dataMagic)
        output.appendLittleEndian(BlockFormat.version)
        output.appendLittleEndian(UInt32(0))
        dataBytes = output.count
    }

    /// Series must come in ascending order of their labels, each once; their chunks in order of time, without overlap.
    /// A series without chunks is left out.
    /// - Throws: `StorageError.invalid` where that does not hold.
    package mutating func addSeries(_ labels: LabelSet, chunks: [BlockChunk]) throws(StorageError) {
        if chunks.isEmpty { return }
        if let previousLabels, !(previousLabels < labels) {
            throw .invalid(reason: "series \(labels) does not follow \(previousLabels)")
        }
        guard index.seriesCount < Int(UInt32.max) - 1 else { throw .invalid(reason: "too many series for one block") }
        var references: [BlockChunkReference] = []
        references.reserveCapacity(chunks.count)
        var end = footer.range.min
        for chunk in chunks {
            guard chunk.range.min >= end, chunk.range.max >= chunk.range.min, chunk.range.max < footer.range.max,
                chunk.sampleCount > 0, chunk.bytes.count <= BlockFormat.chunkBytesMax - 16
            else { throw .invalid(reason: "chunk \(chunk.range) of \(labels) is out of order or out of the block") }
            end = chunk.range.max + 1
            references.append(append(chunk))
            footer.chunkCount += 1
            footer.sampleCount += chunk.sampleCount
        }
        index.add(labels, chunks: references)
        previousLabels = labels
        if output.count >= 256 << 10 { try flush() }
    }

    /// The record of a chunk: length, encoding, bytes, checksum of all that.
    private mutating func append(_ chunk: BlockChunk) -> BlockChunkReference {
        let start = output.count
        output.appendVarint(chunk.bytes.count)
        output.append(chunk.encoding.rawValue)
        output.append(contentsOf: chunk.bytes)
        output.appendLittleEndian(CRC32C.checksum(output.bytes[start...]))
        let length = output.count - start
        defer { dataBytes += length }
        return BlockChunkReference(
            range: chunk.range, sampleCount: chunk.sampleCount, offset: dataBytes, length: length)
    }

    private mutating func flush() throws(StorageError) {
        let (file, bytes) = (data, output.bytes)
        try StorageError.wrapping { () throws(FileError) in try file.append(bytes) }
        output.removeAll()
    }

    /// Writes index and footer, syncs all, and gives the block its name.
    package consuming func finish() throws(StorageError) -> BlockFooter {
        try flush()
        let aside = path + BlockFormat.temporarySuffix
        let indexFile = try StorageError.wrapping { () throws(FileError) in
            try fileSystem.create(FilePath.join(aside, BlockFormat.indexName))
        }
        footer.seriesCount = index.seriesCount
        var pages = PageWriter(indexFile)
        footer.tables = try index.write(to: &pages)
        try pages.finish()
        footer.dataBytes = dataBytes
        footer.indexBytes = indexFile.size
        try StorageError.wrapping { () throws(FileError) in
            let footerFile = try fileSystem.create(FilePath.join(aside, BlockFormat.footerName))
            try footerFile.append(footer.encoded)
            for file in [data, indexFile, footerFile] { try file.sync() }
            try fileSystem.syncDirectory(aside)
            try fileSystem.rename(aside, to: path)
            try fileSystem.syncDirectory(directory)
        }
        return footer
    }

    /// Removes what was written.
    package consuming func abandon() throws(StorageError) {
        let (fileSystem, aside) = (fileSystem, path + BlockFormat.temporarySuffix)
        try StorageError.wrapping { () throws(FileError) in try fileSystem.remove(aside) }
    }
}
