package import Blocks
import ChunkEncoding
package import FileIO
package import PrometheusBlocks
package import SeriesModel
import StorageAPI

/// Takes series in label order and makes blocks of our own of them.
package struct BlockSink: Sendable {
    private let fileSystem: any FileSystem
    /// The one that holds the blocks.
    private let directory: String

    /// - Parameter dataDirectory: made where it is missing.
    package init(fileSystem: any FileSystem, dataDirectory: String) {
        self.fileSystem = fileSystem
        directory = BlockDirectory.path(in: dataDirectory)
    }

    /// Whether there is a block of that name already.
    package func has(_ identifier: BlockIdentifier) -> Bool {
        fileSystem.exists(FilePath.join(directory, identifier.description))
    }

    /// Writes a block.
    /// - Parameters:
    ///   - range: the end is excluded. ms
    ///   - body: hands the series to its argument, one after the other. A series without chunks is left out.
    /// - Returns: nil, and no block, where no series has chunks.
    package func write(
        _ identifier: BlockIdentifier, range: TimeRange, level: Int = 1,
        _ body: (_ add: (LabelSet, [PrometheusChunk]) throws -> Void) throws -> Void
    ) throws -> BlockFooter? {
        // What comes from elsewhere is in no log record.
        var writer = try BlockWriter(
            fileSystem: fileSystem, directory: directory, identifier: identifier, range: range, level: level, lsn: 0)
        var count = 0
        do {
            try body { labels, chunks in
                if chunks.isEmpty { return }
                count += 1
                try writer.addSeries(labels, chunks: try chunks.map { try BlockChunk($0) })
            }
        } catch {
            // The first error is the one to tell; what is left is removed when the store is opened.
            try? writer.abandon()
            throw error
        }
        if count == 0 {
            try writer.abandon()
            return nil
        }
        return try writer.finish()
    }
}

extension BlockChunk {
    /// - Throws: `StorageError.invalid` for an encoding that our blocks do not have.
    fileprivate init(_ chunk: PrometheusChunk) throws(StorageError) {
        guard case .plain(let encoding) = chunk.encoding else {
            throw .invalid(reason: "chunk of encoding \(chunk.encoding.rawValue)")
        }
        self.init(encoding: encoding, range: chunk.range, sampleCount: chunk.sampleCount, bytes: chunk.bytes)
    }
}
