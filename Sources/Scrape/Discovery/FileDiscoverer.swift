import ConfigTree
import Glibc
import SeriesModel

/// Targets from files: `file_sd_configs`.
///
/// The files are looked at every few seconds and read when inode, size or time of change differ, and all of them once
/// a refresh interval. A file that cannot be read or parsed keeps the groups it had; one that is gone loses them.
struct FileDiscoverer: Discoverer {
    /// A change is seen within this time. ms
    static let lookInterval: Int64 = 5000

    let section: FileDiscoverySection
    let clock: any WallClock
    let metrics: DiscoveryMetrics

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

    func run(_ deliver: @Sendable ([TargetGroup]) async -> Void) async {
        var known: [String: Known] = [:]
        var refreshDue = Timestamp.min
        var isFirst = true
        while !Task.isCancelled {
            let isRefresh = clock.now() >= refreshDue
            let hasChanged = look(into: &known, readsAll: isRefresh)
            if isRefresh { refreshDue = clock.now().addingClamped(section.refreshInterval) }
            if hasChanged || isFirst {
                await deliver(known.sorted { $0.key < $1.key }.flatMap(\.value.groups))
            }
            isFirst = false
            let wait = min(FileDiscoverer.lookInterval, section.refreshInterval)
            do { try await clock.sleep(milliseconds: wait) } catch { break }
        }
        for path in known.keys { metrics.forgetFile(path) }
    }

    /// One look at all files. - Returns: whether the groups have changed.
    private func look(into known: inout [String: Known], readsAll: Bool) -> Bool {
        let start = ContinuousClock.now
        defer { metrics.observeFileScan(start.duration(to: .now)) }
        var hasChanged = false
        var isPresent: Set<String> = []
        for path in section.patterns.flatMap({ ConfigFile.expand(glob: $0) }) where isPresent.insert(path).inserted {
            guard let stamp = FileDiscoverer.stamp(path) else { continue }
            if !readsAll, known[path]?.stamp == stamp { continue }
            do {
                let groups = try FileDiscoverer.groups(in: path)
                if known[path]?.groups != groups { hasChanged = true }
                known[path] = Known(stamp: stamp, groups: groups)
                metrics.setFileTime(path, seconds: Double(stamp.seconds) + Double(stamp.nanoseconds) / 1e9)
            } catch {
                metrics.fileReadFailed(error)
                // Not read again until it changes or the refresh is due.
                known[path] = Known(stamp: stamp, groups: known[path]?.groups ?? [])
            }
        }
        for path in known.keys where !isPresent.contains(path) {
            if known.removeValue(forKey: path)?.groups.isEmpty == false { hasChanged = true }
            metrics.forgetFile(path)
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

    /// JSON is read as the subset of YAML that it is.
    static func groups(in path: String) throws(ConfigError) -> [TargetGroup] {
        let text = String(decoding: try ConfigFile.read(path), as: UTF8.self)
        var groups: [TargetGroup] = []
        for (index, node) in (try ConfigNode.parse(text, file: path).sequence()).enumerated() {
            guard !node.isNull else { throw node.error("nil target group item found (index \(index))") }
            var group = try TargetGroup(node, source: path + ":" + String(index))
            group.labels = group.labels.setting("__meta_filepath", path)
            groups.append(group)
        }
        return groups
    }
}
