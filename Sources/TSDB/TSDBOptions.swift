package import FileIO
package import Logging
package import SelfMetrics
package import SeriesModel
package import WAL

/// How a store is set up.
package struct TSDBOptions: Sendable {
    /// The data directory.
    package var directory: String
    /// What holds at the start; see `TSDB.apply`.
    package var settings = StorageSettings()
    /// The range of a block cut from the head. ms
    package var blockRange: Int64 = 2 * 3_600_000
    /// The longest range that merges give; nil for a tenth of the retention. ms
    package var blockRangeMax: Int64?
    /// Lists the blocks that may be merged; nil for all. A path.
    package var delayCompactFile: String?
    /// With less free on the disk samples are refused; 0: never. Bytes.
    package var freeDiskMin: Int64 = 0
    /// Of a file that is given up when the disk is full; a hundredth of the disk at most. 0: none. Bytes.
    package var diskReserve: Int64 = 0
    /// When the disk is full blocks may be deleted that end so long before the newest sample, the oldest first; nil: none.
    /// ms
    package var shedBlocksOlderThan: Int64?
    /// How often the block directories are looked at when nothing else happens. ms
    package var reloadInterval: Int64 = 60_000
    /// How long acknowledged samples may wait to be synced to the disk. ms
    package var syncInterval: Int64 = 1000
    package var log = LogOptions()
    /// Does not open when the log is damaged elsewhere than at its end; nothing is repaired then.
    package var refusesDamagedLog = false
    /// Batches that may wait for the committer.
    package var queuedBatchesMax = 4096
    package var clock: any WallClock = SystemClock()
    /// Of a clock that is never set: shows when the other one is. Nil for the system's beside the system's clock, and
    /// for trust in any other. ms
    package var monotonicTime: (@Sendable () -> Int64)?
    package var logger: Logger
    package var metrics: MetricsRegistry
    package var fileSystem: any FileSystem = PosixFileSystem()

    /// So many bytes written by a merge are lost at most when the process ends: then it makes a mark, to go on from.
    var mergeMarkBytes = 32 << 20
    /// How often a merge looks whether something is more urgent. ms
    var mergeLookInterval: Int64 = 1000
    /// Whether blocks are cut, and the retention is applied, without somebody calling `maintain`.
    var maintainsItself = true

    package init(directory: String, logger: Logger, metrics: MetricsRegistry) {
        self.directory = directory
        self.logger = logger
        self.metrics = metrics
    }
}

extension TSDBOptions {
    /// Of a segment of the log, which is followed by another then. Bytes.
    package var segmentBytesMax: Int {
        get { log.segmentBytesMax }
        set { log.segmentBytesMax = newValue }
    }

    /// What may be kept of the log for its consumers alone. Bytes.
    package var heldLogBytesMax: Int {
        get { log.heldBytesMax }
        set { log.heldBytesMax = newValue }
    }

    /// ms; nil for no limit.
    package var retentionTime: Int64? {
        get { settings.retentionTime }
        set { settings.retentionTime = newValue }
    }

    /// Bytes; nil for no limit.
    package var retentionSize: Int64? {
        get { settings.retentionSize }
        set { settings.retentionSize = newValue }
    }
}
