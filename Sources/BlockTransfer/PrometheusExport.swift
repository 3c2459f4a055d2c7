import Blocks
package import FileIO
package import PrometheusBlocks
package import SeriesModel
package import StorageAPI
import StorageFiles

/// Writes what a store answers to a query as blocks that Prometheus opens.
package struct PrometheusExport: Sendable {
    private let store: any Queryable
    private let fileSystem: any FileSystem
    private let directory: String
    private let matchers: [LabelMatcher]

    /// - Parameters:
    ///   - directory: a data directory of Prometheus', made where it is missing.
    ///   - matchers: all must hold.
    package init(
        _ store: any Queryable, fileSystem: any FileSystem, directory: String, matchers: [LabelMatcher] = []
    ) {
        self.store = store
        self.fileSystem = fileSystem
        self.directory = directory
        self.matchers = matchers
    }

    /// Writes the samples of a range.
    /// - Parameters:
    ///   - blockLength: how long a block is. ms
    ///   - now: goes into the blocks' names. ms
    ///   - report: gets each block when it is written.
    /// - Throws: `StorageError`.
    package func run(
        _ range: TimeRange, blockLength: Int64 = BlockWindows.standard, now: Timestamp,
        _ report: (PrometheusMeta) -> Void
    ) throws {
        // Prometheus' tools take a directory for one of its own only when there is a log in it.
        try StorageError.wrapping { () throws(FileError) in
            try fileSystem.createDirectory(FilePath.join(directory, "wal"))
        }
        for window in BlockWindows.covering(range, length: blockLength) {
            let wanted = TimeRange(
                min: max(range.min, window.min), max: min(range.max, window.max.subtractingClamped(1)))
            if let meta = try write(wanted, window, BlockIdentifier(timestamp: now)) { report(meta) }
        }
    }

    private func write(
        _ wanted: TimeRange, _ window: TimeRange, _ identifier: BlockIdentifier
    ) throws -> PrometheusMeta? {
        guard
            let set = try store.select(
                [Selection(matchers: matchers, range: wanted)], cancellation: Cancellation()
            ).first, set.count > 0
        else { return nil }
        // A store's order is that of hashes, a block's that of labels.
        let labels = (0..<set.count).map { set.labels(at: $0) }
        let order = labels.indices.sorted { labels[$0] < labels[$1] }
        var writer = try PrometheusBlockWriter(
            fileSystem: fileSystem, directory: directory, identifier: identifier.description, range: window)
        var samples = SampleBuffer()
        do {
            for index in order where !labels[index].isEmpty {
                samples.removeAll()
                try set.read(index, into: &samples)
                try writer.addSeries(labels[index], chunks: SampleChunks.cut(samples))
            }
        } catch {
            // The first error is the one to tell.
            try? writer.abandon()
            throw error
        }
        if writer.seriesCount == 0 {
            try writer.abandon()
            return nil
        }
        return try writer.finish()
    }
}
