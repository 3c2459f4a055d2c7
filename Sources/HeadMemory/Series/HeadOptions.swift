package import FileIO

/// How a head is set up.
package struct HeadOptions: Sendable {
    /// Holds the head-chunk files.
    package var dataDirectory: String
    /// Of the directory in it. A data directory of Prometheus' has files of its own in the usual one.
    package var chunkDirectoryName = HeadChunkFormat.directoryName
    /// ms
    package var blockRange: Int64
    /// Of a new head-chunk file. Bytes.
    package var chunkFileBytes = 64 << 20
    /// How many exemplars are held; 0: none.
    package var exemplarsMax = 0
    package var fileSystem: any FileSystem
    /// Nothing in the directory is changed: chunks that are closed stay in memory.
    package var isReadOnly = false

    package init(dataDirectory: String, blockRange: Int64, fileSystem: any FileSystem) {
        self.dataDirectory = dataDirectory
        self.blockRange = blockRange
        self.fileSystem = fileSystem
    }
}
