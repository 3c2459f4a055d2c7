import Blocks
import FileIO
import Logging
import SeriesModel
import StorageAPI
import StorageFiles
import WAL

extension TSDB {
    /// Where snapshots lie in the data directory.
    package static let snapshotsName = "snapshots"

    /// Copies the store as it is at one moment to `snapshots/<name>`, which opens as a data directory: hard links of the
    /// blocks, the head as blocks of its own, and a checkpoint that says where the log was. Samples go on being appended
    /// meanwhile. Blocks; waits for a cut or a merge that runs.
    /// - Parameter skipHead: leaves out what is not in a block yet.
    /// - Returns: the name: the time and a random number, as upstream's.
    package func snapshot(skipHead: Bool) throws -> String {
        try exclusively {
            let random = String(UInt64.random(in: 0...UInt64(Int64.max)), radix: 16)
            let name =
                CivilTime(options.clock.now()).compact + "-"
                + String(repeating: "0", count: 16 - random.utf8.count) + random
            let writer = SnapshotWriter(
                fileSystem: options.fileSystem, parent: FilePath.join(options.directory, TSDB.snapshotsName), name: name
            )
            // The view: head and blocks as of one record of the log.
            let (visible, entries, range, lsn) = try committer.perform { [head, blocks, log] in
                let entries = skipHead ? [] : HeadSelection(all: head).entries
                return (blocks.all, entries, head.range, log.nextLSN - 1)
            }
            try writer.write { directory in
                for block in visible { try writer.link(block.reader.path, into: directory) }
                guard let range else { return }
                let start = max(range.min, head.start)
                for window in entries.windows(in: TimeRange(min: start, max: range.max), width: options.blockRange) {
                    _ = try writeBlock(entries, window, lsn, into: BlockDirectory.path(in: directory))
                }
            } finishing: { directory in
                // Blocks name records of this log: that of the copy must go on behind them.
                if lsn > 0 {
                    let log = FilePath.join(directory, TSDB.logName)
                    _ = try CheckpointWriter(
                        fileSystem: options.fileSystem, directory: log, lsn: lsn, firstSegment: 0
                    ).finish()
                }
                try DataDirectoryFormat.check(options.fileSystem, directory)
                try CleanMarker.put(options.fileSystem, directory)
            }
            options.logger.info(
                "snapshot made", metadata: ["name": "\(name)", "blocks": "\(visible.count)", "lsn": "\(lsn)"])
            return name
        }
    }
}

extension [HeadSelection.Entry] {
    /// The aligned ranges in which some series has something, oldest first, `[min, max)`. The last one ends behind the
    /// newest sample: what comes later is not the block's.
    /// - Parameter range: of all samples, closed.
    func windows(in range: TimeRange, width: Int64) -> [TimeRange] {
        var windows: [TimeRange] = []
        var next = range.min
        while next <= range.max, let first = firstOverlap(in: TimeRange(min: next, max: range.max), width: width) {
            let start = Timestamp.window(of: first, width) * width
            let end = Swift.min(start + width, range.max + 1)
            windows.append(TimeRange(min: start, max: end))
            next = end
        }
        return windows
    }

    /// A time in the first aligned range that has something. The next one usually does; a gap may be of any length, so
    /// it is crossed by halving.
    private func firstOverlap(in range: TimeRange, width: Int64) -> Timestamp? {
        func holds(upTo end: Timestamp) -> Bool {
            contains { $0.snapshot.overlaps(TimeRange(min: range.min, max: end)) }
        }
        let near = (Timestamp.window(of: range.min, width) + 1) * width - 1
        if holds(upTo: Swift.min(near, range.max)) { return range.min }
        guard holds(upTo: range.max) else { return nil }
        var (low, high) = (near, range.max)
        while low < high {
            let middle = low + (high - low) / 2
            if holds(upTo: middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
