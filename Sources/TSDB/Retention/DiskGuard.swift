import FileIO
import Logging
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization

/// Watches the free space of the file system. Below twice the floor no merge is begun, below the floor samples are
/// refused, with an error that a sender retries; queries go on. Above it again everything goes on by itself.
final class DiskGuard: Sendable {
    private let fileSystem: any FileSystem
    private let directory: String
    /// Bytes; 0 for none.
    private let floor: Int64
    private let logger: Logger
    private let free: Gauge
    private let refused: Counter
    private let isShort = Atomic(false)
    /// Bytes; as of the last look.
    private let lastFree = Atomic(Int64.max)

    init(_ options: TSDBOptions) {
        fileSystem = options.fileSystem
        directory = options.directory
        floor = max(0, options.freeDiskMin)
        logger = options.logger
        free = options.metrics.gauge("hearth_tsdb_disk_free_bytes", "Free space of the data directory's file system.")
        refused = options.metrics.counter(
            "hearth_tsdb_appends_refused_disk_total", "Batches refused as the disk has too little free space.")
    }

    /// Looks at the disk. Cheap: it is called every second.
    func check() {
        guard let space = try? fileSystem.space(directory) else { return }
        free.set(Double(space.free))
        lastFree.store(space.free, ordering: .relaxed)
        let isBelow = space.free < floor
        if isShort.exchange(isBelow, ordering: .relaxed) != isBelow {
            if isBelow {
                logger.error(
                    "too little free disk space, samples are refused until there is more",
                    metadata: ["free": "\(space.free)", "floor": "\(floor)"])
            } else {
                logger.info("free disk space again, samples are taken", metadata: ["free": "\(space.free)"])
            }
        }
    }

    /// - Throws: `.unavailable` while the disk is short of space.
    func admit() throws(StorageError) {
        if !isShort.load(ordering: .relaxed) { return }
        refused.increment()
        throw .unavailable(reason: "less than \(floor) bytes are free on the disk, try again later")
    }

    /// Whether there is room for a merge that writes so many bytes.
    func hasRoom(for bytes: Int64) -> Bool {
        lastFree.load(ordering: .relaxed).subtractingClamped(bytes) >= floor.addingClamped(floor)
    }
}
