import Blocks
package import FileIO
import HeadMemory
package import SeriesModel
package import StorageAPI
import StorageFiles
import WAL

/// What a data directory holds, for the tools: blocks and log are read without the lock and nothing is written, so that
/// a server may be running there, and a damaged directory is looked at as it is.
///
/// The log is read before the blocks: what a server cuts meanwhile is then met twice, not missed.
package final class ReadOnlyStore {
    /// What could not be read, and was left out: damages of the log, and of blocks.
    package private(set) var damages: [StoreDamage] = []
    private let head: Head
    private let blocks: [VisibleBlock]

    /// - Throws: where there is no data directory, or it cannot be read at all.
    package init(fileSystem: any FileSystem, directory: String) throws {
        guard fileSystem.exists(directory) else {
            throw StorageError.invalid(reason: "\(directory): no such directory")
        }
        // What the blocks have is not the head's: they are looked at before its chunks, and again behind the log.
        let start = try BlockInspection(fileSystem: fileSystem, directory: directory).readers.map { Block($0) }
            .headStart
        let (head, report) = try Head.readOnly(fileSystem: fileSystem, directory: directory, start: start)
        self.head = head
        damages = report.damages.map(StoreDamage.init)
        let found = try BlockInspection(fileSystem: fileSystem, directory: directory, readsLog: true)
        damages += found.damages
        damages += found.prometheusDamages
        var blocks = found.readers.map { VisibleBlock(Block($0)) } + found.prometheus.map { VisibleBlock($0) }
        if let log = found.prometheusLog { blocks.append(VisibleBlock(log)) }
        blocks.sortByAge()
        self.blocks = blocks
        head.raiseStart(to: found.readers.map { Block($0) }.headStart)
    }

    /// The series that one of the lists of matchers selects, by hash and labels. Samples are decoded when they are read.
    package func select(_ matching: [[LabelMatcher]], in range: TimeRange) throws -> any SeriesSet {
        let stay = head.epochs.enter()
        let slots = PostingsList.union(matching.map { HeadMatching($0, head, stay).slots() })
        let capture = head.gate.shared { HeadSelection.Capture(slots, range, HeadView(head, stay)) }
        var resolution = MatcherResolution()
        var parts: [(block: VisibleBlock, series: [UInt32])] = []
        for block in blocks where block.range.overlaps(range) {
            let found = PostingsList.union(try matching.map { try resolution.resolve($0, in: block) })
            let series = try block.withoutDeleted(found, in: range)
            if !series.isEmpty { parts.append((block, series)) }
        }
        return try MergedSeriesSet(
            selection: Selection(matchers: [], range: range), head: HeadSelection(capture), blocks: parts)
    }
}

extension Head {
    /// The head as the log of a directory gives it; nothing there is changed.
    static func readOnly(
        fileSystem: any FileSystem, directory: String, start: Timestamp
    ) throws -> (Head, ReplayReport) {
        // The range of a block only says where chunks are closed; reading does not depend on it.
        var options = HeadOptions(dataDirectory: directory, blockRange: 2 * 3_600_000, fileSystem: fileSystem)
        options.isReadOnly = true
        let layout = DataDirectoryLayout(fileSystem: fileSystem, directory: directory)
        options.chunkDirectoryName = layout.chunksName
        let restore = HeadRestore(
            options, start: start, hasCheckpoint: try TSDB.hasCheckpoint(fileSystem, layout.log))
        let report = try LogReplay.replay(
            fileSystem: fileSystem, directory: layout.log, repair: false,
            restore: { try restore.restore($0, $1) },
            { _, batch in
                let head = try restore.head()
                _ = head.replay(batch) { _ in false }
                head.reclaim()
            })
        let head = try restore.head()
        head.finishReplay()
        return (head, report)
    }
}
