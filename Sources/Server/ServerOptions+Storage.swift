import Logging
import SelfMetrics
import SeriesModel
import TSDB

/// What flags and configuration file say of the store.
extension ServerOptions {
    private static let defaultRetentionTime: Int64 = 30 * 86_400_000
    private static let defaultRetentionSize: Int64 = 10 << 30
    private static let defaultExemplarsMax = 100_000
    private static let shedBlocksAgeMin: Int64 = 86_400_000

    private var storesExemplars: Bool { isEnabled("exemplar-storage") }

    /// What the section `storage` asks for and does not get, in words.
    func warnings(of config: StorageSection) -> [String] {
        guard config.exemplarsMax.map({ $0 > 0 }) ?? false, !storesExemplars else { return config.warnings }
        return config.warnings + [
            "storage.exemplars.max_exemplars has no effect without --enable-feature=exemplar-storage"
        ]
    }

    /// What the flags say of the store, and the configuration file, which beats them. Both default limits hold only where
    /// no retention is named anywhere: who names one gets no other limit.
    func storage(_ config: StorageSection) throws -> StorageSettings {
        var settings = StorageSettings()
        settings.outOfOrderWindow = config.outOfOrderWindow
        settings.retentionRules = config.retentionRules
        // Below 0 is off too, as upstream.
        settings.exemplarsMax =
            storesExemplars ? max(0, config.exemplarsMax ?? ServerOptions.defaultExemplarsMax) : 0
        let names = ["time", "size", "percentage"].map { "storage.tsdb.retention." + $0 }
        if !config.hasRetention, !names.contains(where: flags.isGiven) {
            settings.retentionTime = ServerOptions.defaultRetentionTime
            settings.retentionSize = ServerOptions.defaultRetentionSize
            return settings
        }
        settings.retentionTime = config.retentionTime ?? flags.duration(names[0]).flatMap { $0 > 0 ? $0 : nil }
        settings.retentionSize = config.retentionSize ?? flags.size(names[1]).flatMap { $0 > 0 ? $0 : nil }
        if let percentage = flags.real(names[2]), !(0...100).contains(percentage) {
            throw FlagValues.UsageError(description: "--\(names[2]) must be in the range [0, 100]")
        }
        settings.retentionPercentage = config.retentionPercentage ?? flags.real(names[2]).flatMap { $0 > 0 ? $0 : nil }
        return settings
    }

    /// What of the store is settled for as long as the process runs.
    /// - Parameters:
    ///   - logger: where the store tells what it does.
    func store(_ config: ServerConfig, _ logger: Logger, _ registry: MetricsRegistry) throws -> TSDBOptions {
        var store = TSDBOptions(directory: flags.string("storage.tsdb.path"), logger: logger, metrics: registry)
        store.settings = try storage(config.storage)
        if let range = flags.duration("storage.tsdb.min-block-duration"), range > 0 { store.blockRange = range }
        if let range = flags.duration("storage.tsdb.max-block-duration"), range > 0 {
            guard range >= store.blockRange else {
                throw FlagValues.UsageError(
                    description: "--storage.tsdb.max-block-duration must not be below --storage.tsdb.min-block-duration"
                )
            }
            store.blockRangeMax = range
        }
        let delay = flags.string("storage.tsdb.delay-compact-file.path")
        if !delay.isEmpty { store.delayCompactFile = delay }
        store.freeDiskMin = flags.size("storage.tsdb.min-free-disk") ?? store.freeDiskMin
        store.diskReserve = flags.size("storage.tsdb.disk-reserve") ?? store.diskReserve
        if let age = flags.duration("storage.tsdb.shed-blocks-older-than"), age > 0 {
            guard age >= ServerOptions.shedBlocksAgeMin else {
                throw FlagValues.UsageError(description: "--storage.tsdb.shed-blocks-older-than must be a day at least")
            }
            store.shedBlocksOlderThan = age
        }
        if let interval = flags.duration("storage.tsdb.block-reload-interval"), interval > 0 {
            store.reloadInterval = interval
        }
        if let interval = flags.duration("storage.tsdb.wal-sync-interval"), interval > 0 {
            store.syncInterval = interval
        }
        if let size = flags.size("storage.tsdb.wal-segment-size"), size > 0 { store.segmentBytesMax = Int(size) }
        if let size = flags.size("storage.remote.log-size") { store.heldLogBytesMax = Int(clamping: size) }
        store.refusesDamagedLog = flags.bool("storage.tsdb.refuse-damaged-wal")
        return store
    }
}
