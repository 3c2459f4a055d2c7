import Blocks
import FileIO
import HeadMemory
import OwnThreads
package import SeriesModel
import StorageAPI
import Synchronization
import WAL

extension TSDB {
    /// Takes new settings; what they shorten goes with the next round of maintenance. Blocks for a moment.
    package func apply(_ settings: StorageSettings) throws {
        self.settings.withLock { $0 = settings }
        try committer.perform { [head] in
            head.gate.exclusive { head.outOfOrderWindow = settings.outOfOrderWindow }
            head.exemplars.resize(to: settings.exemplarsMax)
        }
        metrics.publish(settings)
        maintenance.change { $0.isRequested = true }
    }

    /// The retention in force, a percentage turned into bytes.
    var retention: RetentionPolicy {
        let settings = settings.withLock { $0 }
        var size = settings.retentionSize
        if let percentage = settings.retentionPercentage,
            let total = try? options.fileSystem.space(options.directory).total
        {
            let share = Int64(clamping: Double(total) * percentage / 100) ?? .max
            size = min(size ?? .max, share)
        }
        return RetentionPolicy(time: settings.retentionTime, size: size)
    }

    /// What may be kept of the log for its consumers alone: it does not count against the size that is allowed, so that it
    /// costs no block, and is a tenth of that at most. Bytes.
    var heldLogBytesMax: Int {
        let share = retention.size.map { Int(clamping: max(0, $0) / 10) }
        return min(options.log.heldBytesMax, share ?? .max)
    }

    /// From when on the samples of a series are kept, as the rules say; nil for all. ms
    static func keepFrom(
        _ rules: [StorageSettings.RetentionRule], newest: Timestamp
    ) -> (LabelSet) -> Timestamp? {
        { labels in rules.first { $0.selects(labels) }.map { newest.subtractingClamped($0.keep) } }
    }

    /// Of a block the series of which a rule leaves nothing, by rule.
    static func outlived(_ block: Block, _ rules: [StorageSettings.RetentionRule], newest: Timestamp) throws
        -> [[UInt32]]
    {
        var resolution = MatcherResolution()
        var taken: [UInt32] = []
        return try rules.map { rule in
            let found = PostingsList.union(try rule.match.map { try resolution.resolve($0, in: block.reader) })
            let own = PostingsList.difference(found, taken)
            taken = PostingsList.union([taken, own])
            return block.range.max < newest.subtractingClamped(rule.keep) ? own : []
        }
    }

    // MARK: - Dry run

    /// What the retention would delete if it were applied now.
    package struct RetentionReport: Sendable, Hashable {
        package struct Row: Sendable, Hashable {
            package var block: String
            /// `[min, max)`, ms
            package var range: TimeRange
            /// `time`, `size`, or the number of a rule, from 1.
            package var reason: String
            package var seriesCount: Int
            package var sampleCount: Int
            /// Nil where it is known only when it is done: some series of a block.
            package var bytes: Int?
        }

        package var rows: [Row] = []
    }

    package func retentionDryRun() throws -> RetentionReport {
        let (visible, otherBytes, newest) = retentionInput()
        guard let newest else { return RetentionReport() }
        let rules = settings.withLock { $0.retentionRules }
        return try TSDB.retentionReport(visible, retention, rules, newest: newest, otherBytes: otherBytes) {
            try TSDB.outlived($0, rules, newest: newest)
        }
    }

    static func retentionReport(
        _ blocks: [Block], _ retention: RetentionPolicy, _ rules: [StorageSettings.RetentionRule], newest: Timestamp,
        otherBytes: Int, _ outlived: (Block) throws -> [[UInt32]]
    ) throws -> RetentionReport {
        var report = RetentionReport()
        let expired = retention.expired(blocks.map(\.record), newest: newest, otherBytes: otherBytes)
        for (record, reason) in expired {
            report.rows.append(
                .init(
                    block: record.identifier.description,
                    range: TimeRange(min: record.range.min, max: record.range.max.addingClamped(1)),
                    reason: "\(reason)", seriesCount: record.seriesCount, sampleCount: record.sampleCount,
                    bytes: record.bytes))
        }
        let gone = Set(expired.map(\.block.identifier))
        for block in blocks where !gone.contains(block.identifier) {
            for (number, series) in try outlived(block).enumerated() where !series.isEmpty {
                var samples = 0
                var buffer = SampleBuffer()
                for one in series {
                    buffer.removeAll()
                    try block.reader.read(series: one, range: .all, into: &buffer)
                    samples += buffer.count + buffer.histograms.count
                }
                report.rows.append(
                    .init(
                        block: block.identifier.description, range: block.reader.range, reason: "rule \(number + 1)",
                        seriesCount: series.count, sampleCount: samples))
            }
        }
        return report
    }

    /// What decides over the retention: the blocks, what counts against the size besides, the newest time.
    func retentionInput() -> (blocks: [Block], otherBytes: Int, newest: Timestamp?) {
        let (visible, headNewest, headBytes) = head.gate.shared { (blocks.all, head.newestTime, head.chunkFileBytes) }
        let newest = [headNewest, visible.map(\.range.max).max()].compactMap { $0 }.max()
        // No block goes for what can go itself: what is kept for consumers of the log, and what a merge has left.
        return (visible, log.neededBytes + checkpointBytes + headBytes, newest)
    }
}
