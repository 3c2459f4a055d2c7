import Blocks
import FileIO
import HeadMemory
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
            let (visible, prometheus, prometheusLog, cut, newest, lsn) = try committer.perform { [head, blocks, log] in
                (
                    blocks.all, blocks.prometheus, skipHead ? nil : blocks.prometheusLog,
                    skipHead ? nil : HeadCut(head, .all), head.range?.max ?? .max, log.nextLSN - 1
                )
            }
            try writer.write { directory in
                for block in visible { try writer.link(block.reader.path, into: directory) }
                for source in prometheus { try writer.linkBeside(source.path, into: directory) }
                if let prometheusLog {
                    try writeBlocks(of: prometheusLog, into: BlockDirectory.path(in: directory))
                }
                guard let cut else { return }
                for window in cut.windows(width: options.blockRange) {
                    // The last one ends behind the newest sample: what comes later is not the block's.
                    let range = TimeRange(min: window.min, max: min(window.max, newest.addingClamped(1)))
                    _ = try writeBlock(cut, range, lsn, into: BlockDirectory.path(in: directory))
                }
            } finishing: { directory in
                // Blocks name records of this log: that of the copy must go on behind them.
                if lsn > 0 {
                    let log = DataDirectoryLayout.ownLog(in: directory)
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

    /// The samples of Prometheus' log as blocks of our own: the copy has no log of it.
    private func writeBlocks(of source: PrometheusLogSource, into directory: String) throws {
        for start in try source.windowStarts(width: options.blockRange) {
            let range = TimeRange(min: start, max: start.addingClamped(options.blockRange))
            let closed = TimeRange(min: range.min, max: range.max.subtractingClamped(1))
            var writer = try BlockWriter(
                fileSystem: options.fileSystem, directory: directory,
                identifier: BlockIdentifier(timestamp: options.clock.now()), range: range, level: 1, lsn: 0)
            do {
                var samples = SampleBuffer()
                for series in try source.withoutDeleted(try source.allPostings(), in: closed) {
                    samples.removeAll()
                    try source.read(series: series, range: closed, into: &samples)
                    if !samples.isEmpty { try writer.addSeries(try source.labels(of: series), samples) }
                }
            } catch {
                // The first error is the one to tell; the whole copy is removed.
                try? writer.abandon()
                throw error
            }
            _ = try writer.finish()
        }
    }
}
