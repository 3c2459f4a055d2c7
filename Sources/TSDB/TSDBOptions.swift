package import FileIO
package import Logging
package import SelfMetrics
package import SeriesModel

/// How a store is set up.
package struct TSDBOptions: Sendable {
    /// The data directory.
    package var directory: String
    /// How long samples are kept, ms; nil for no limit.
    package var retentionTime: Int64?
    /// What blocks, log and head may take on disk, bytes; nil for no limit.
    package var retentionSize: Int64?
    /// The range of a block cut from the head. ms
    package var blockRange: Int64 = 2 * 3_600_000
    /// How long acknowledged samples may wait to be synced to the disk. ms
    package var syncInterval: Int64 = 1000
    /// Batches that may wait for the committer.
    package var queuedBatchesMax = 4096
    package var clock: any WallClock = SystemClock()
    package var logger: Logger
    package var metrics: MetricsRegistry
    package var fileSystem: any FileSystem = PosixFileSystem()

    /// Whether blocks are cut, and the retention is applied, without somebody calling `maintain`.
    var maintainsItself = true

    package init(directory: String, logger: Logger, metrics: MetricsRegistry) {
        self.directory = directory
        self.logger = logger
        self.metrics = metrics
    }
}

extension TSDBOptions {
    var retention: RetentionPolicy { RetentionPolicy(time: retentionTime, size: retentionSize) }
}
