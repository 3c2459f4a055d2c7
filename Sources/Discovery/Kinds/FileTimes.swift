import SelfMetrics
import Synchronization

/// The files that one discoverer has read, in `prometheus_sd_file_mtime_seconds`. Others may read the same ones: another
/// entry, or the successor after a reload, which begins before its predecessor has ended. So the series of a file goes
/// with the last of its readers.
struct FileTimes {
    private struct Series: Hashable {
        var registry: ObjectIdentifier
        var path: String
    }

    /// The readers of each file. Shared by all, as the registry is by the users of discovery.
    private static let readers = Mutex<[Series: Int]>([:])

    private let registry: MetricsRegistry
    private var paths: Set<String> = []

    init(_ registry: MetricsRegistry) { self.registry = registry }

    private func series(_ path: String) -> Series { Series(registry: ObjectIdentifier(registry), path: path) }

    mutating func set(_ path: String, seconds: Double) {
        let isNew = paths.insert(path).inserted
        FileTimes.readers.withLock { readers in
            if isNew { readers[series(path), default: 0] += 1 }
            registry.gauge(
                "prometheus_sd_file_mtime_seconds", "Timestamp (mtime) of files read by FileSD.", [("filename", path)]
            ).set(seconds)
        }
    }

    mutating func forget(_ path: String) {
        guard paths.remove(path) != nil else { return }
        FileTimes.readers.withLock { readers in
            let count = readers[series(path), default: 0] - 1
            readers[series(path)] = count > 0 ? count : nil
            if count <= 0 { registry.remove("prometheus_sd_file_mtime_seconds", [("filename", path)]) }
        }
    }

    mutating func forgetAll() { for path in paths { forget(path) } }
}
