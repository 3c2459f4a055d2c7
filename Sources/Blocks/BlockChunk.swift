package import ChunkEncoding
package import SeriesModel

/// A chunk on its way into a block.
package struct BlockChunk: Sendable, Hashable {
    package var encoding: ChunkEncoding
    /// Of its first and last sample. ms
    package var range: TimeRange
    package var sampleCount: Int
    package var bytes: [UInt8]

    package init(encoding: ChunkEncoding, range: TimeRange, sampleCount: Int, bytes: [UInt8]) {
        self.encoding = encoding
        self.range = range
        self.sampleCount = sampleCount
        self.bytes = bytes
    }
}

/// Where a chunk lies in a block.
package struct BlockChunkReference: Sendable, Hashable {
    /// Of its first and last sample. ms
    package var range: TimeRange
    package var sampleCount: Int
    /// Of its record in the data file. Bytes.
    package var offset: Int
    package var length: Int
}
