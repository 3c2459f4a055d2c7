package import ConfigTree
import Glibc
import Logging
package import OwnThreads
package import SelfMetrics
import SeriesModel

/// One entry of `file_sd_configs`.
package struct FileDiscovery: DiscoveryKind {
    package static let name = "file"

    /// Resolved; the last part of a path may be a pattern.
    var patterns: [String]
    /// How often files are read again although nothing was noticed. ms
    var refreshInterval: Int64

    package init(_ node: ConfigNode, baseDirectory: String) throws(ConfigError) {
        var section = try node.section("file.SDConfig")
        let files = try section.sequence("files") ?? []
        refreshInterval = try section.refreshInterval(300_000)
        try section.finish()
        guard !files.isEmpty else {
            throw node.error("file service discovery config must contain at least one path name")
        }
        patterns = []
        for file in files {
            let path = try file.string()
            let isTargetFile = [".json", ".yml", ".yaml"].contains { path.lowercased().hasSuffix($0) }
            let parent = ConfigFile.directory(of: path)
            guard isTargetFile, !parent.contains(where: { "*?[".contains($0) }) else {
                throw file.error("path name \(GoQuote.quote(path)) is not valid for file discovery")
            }
            patterns.append(ConfigFile.resolve(path, in: baseDirectory))
        }
    }

    package var output: ConfigOutput {
        .mapping([
            ("files", .list(patterns.map { .text($0) })),
            ("refresh_interval", .plain(DurationText.format(refreshInterval))),
        ])
    }

    package func discoverer(_ context: DiscoveryContext) -> any Discoverer {
        FileDiscoverer(section: self, context: context, metrics: FileMetrics(context.registry))
    }

    package func threads(_ context: DiscoveryContext) -> TaskThreads { context.fileThreads }

    package static func registerMetrics(_ registry: MetricsRegistry) { _ = FileMetrics(registry) }
}

extension DiscoverySection {
    /// The patterns of all files of targets, resolved.
    package var filePatterns: [String] { entries.compactMap { $0.kind as? FileDiscovery }.flatMap(\.patterns) }
}

/// Targets from files: `file_sd_configs`.
///
/// A change of a directory is noticed at once. Where the system cannot tell (network file systems), the files are looked
/// at every few seconds and read when inode, size or time of change differ; and all of them are read once a refresh
/// interval. A file that cannot be read or parsed keeps the groups it had; one that is gone loses them.
struct FileDiscoverer: Discoverer {
    /// A change is seen within this time. ms
    static let lookInterval: Int64 = 5000

    let section: FileDiscovery
    let context: DiscoveryContext
    let metrics: FileMetrics

    private struct Stamp: Equatable {
        var inode: UInt64
        var size: Int64
        var seconds: Int64
        var nanoseconds: Int64
    }

    private struct Known {
        var stamp: Stamp
        var groups: [TargetGroup]
    }

    func run(_ feed: DiscoveryFeed) async {
        let (wakeups, wakeup) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let watch = context.fileWatcher.watch { wakeup.yield() }
        defer { watch.cancel() }
        let clock = context.clock
        let interval = min(FileDiscoverer.lookInterval, section.refreshInterval)
        let directories = Set(section.patterns.map { ConfigFile.directory(of: $0) })
        var known: [String: Known] = [:]
        var times = FileTimes(context.registry)
        var refreshDue = Timestamp.min
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    do { try await clock.sleep(milliseconds: interval) } catch { break }
                    wakeup.yield()
                }
                wakeup.finish()
            }
            wakeup.yield()
            for await _ in wakeups {
                if Task.isCancelled { break }
                // First the watch, then the look: what changes in between is noticed.
                if !watch.setDirectories(directories) { metrics.watcherErrors.increment() }
                // Not due for longer than an interval: the clock was set back.
                let isRefresh =
                    clock.now() >= refreshDue
                    || refreshDue.subtractingClamped(clock.now()) > section.refreshInterval
                let hasChanged = look(into: &known, &times, readsAll: isRefresh)
                if isRefresh { refreshDue = clock.now().addingClamped(section.refreshInterval) }
                if hasChanged || feed.version == 0 { feed.replace(with: known.values.flatMap(\.groups)) }
            }
            group.cancelAll()
        }
        times.forgetAll()
    }

    /// One look at all files. - Returns: whether the groups have changed.
    private func look(into known: inout [String: Known], _ times: inout FileTimes, readsAll: Bool) -> Bool {
        let start = ContinuousClock.now
        defer { metrics.scanDuration.observe(start.duration(to: .now).seconds) }
        var hasChanged = false
        var isPresent: Set<String> = []
        for path in section.patterns.flatMap({ ConfigFile.expand(glob: $0) }) where isPresent.insert(path).inserted {
            guard let stamp = FileDiscoverer.stamp(path) else { continue }
            if !readsAll, known[path]?.stamp == stamp { continue }
            do throws(ConfigError) {
                let groups = try TargetGroup.read(path)
                if known[path]?.groups != groups { hasChanged = true }
                known[path] = Known(stamp: stamp, groups: groups)
                times.set(path, seconds: Double(stamp.seconds) + Double(stamp.nanoseconds) / 1e9)
            } catch {
                metrics.readErrors.increment()
                context.logger.error("Error reading file", metadata: ["path": "\(path)", "err": "\(error)"])
                // Not read again until it changes or the refresh is due.
                known[path] = Known(stamp: stamp, groups: known[path]?.groups ?? [])
            }
        }
        for path in known.keys where !isPresent.contains(path) {
            if known.removeValue(forKey: path)?.groups.isEmpty == false { hasChanged = true }
            times.forget(path)
        }
        return hasChanged
    }

    private static func stamp(_ path: String) -> Stamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Stamp(
            inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: Int64(status.st_mtim.tv_sec),
            nanoseconds: Int64(status.st_mtim.tv_nsec))
    }
}

extension TargetGroup {
    /// The groups of a file of targets: JSON by its name, otherwise YAML.
    package static func read(_ path: String) throws(ConfigError) -> [TargetGroup] {
        let bytes = try ConfigFile.read(path)
        var groups: [TargetGroup] = []
        if path.lowercased().hasSuffix(".json") {
            do throws(DiscoveryError) {
                groups = try TargetGroup.list(JSONValue(parsing: bytes)) { path + ":" + String($0) }
            } catch {
                throw ConfigError(file: path, message: error.message)
            }
        } else {
            let root = try ConfigNode.parse(String(decoding: bytes, as: UTF8.self), file: path)
            for (index, node) in try root.sequence().enumerated() {
                guard !node.isNull else { throw node.error("nil target group item found (index \(index))") }
                groups.append(try TargetGroup(node, source: path + ":" + String(index)))
            }
        }
        for index in groups.indices { groups[index].labels = groups[index].labels.setting("__meta_filepath", path) }
        return groups
    }
}

struct FileMetrics: Sendable {
    let readErrors: Counter
    let scanDuration: Summary
    let watcherErrors: Counter

    init(_ registry: MetricsRegistry) {
        readErrors = registry.counter("prometheus_sd_file_read_errors_total", "The number of File-SD read errors.")
        scanDuration = registry.summary(
            "prometheus_sd_file_scan_duration_seconds", "The duration of the File-SD scan in seconds.",
            quantiles: [0.5, 0.9, 0.99])
        watcherErrors = registry.counter(
            "prometheus_sd_file_watcher_errors_total",
            "The number of File-SD errors caused by filesystem watch failures.")
    }
}

extension ConfigSection {
    /// `refresh_interval`, which must not be 0. ms
    mutating func refreshInterval(_ standard: Int64) throws(ConfigError) -> Int64 {
        let place = node
        guard let interval = try duration("refresh_interval") else { return standard }
        guard interval > 0 else { throw place.error("refresh_interval must be positive") }
        return interval
    }
}
