import Blocks
package import FileIO
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
    private let blocks: [Block]
    private let start: Timestamp

    /// - Throws: where there is no data directory, or it cannot be read at all.
    package init(fileSystem: any FileSystem, directory: String) throws {
        guard fileSystem.exists(directory) else {
            throw StorageError.invalid(reason: "\(directory): no such directory")
        }
        // The range of a block only says where chunks are closed; reading does not depend on it.
        head = Head(blockRange: 2 * 3_600_000)
        let report = try LogReplay.replay(
            fileSystem: fileSystem, directory: FilePath.join(directory, TSDB.logName), repair: false
        ) { [head] _, batch in head.replay(batch) }
        head.finishReplay()
        damages = report.damages.map(StoreDamage.init)
        let found = try BlockInspection(fileSystem: fileSystem, directory: directory)
        damages += found.damages
        blocks = found.readers.map { Block($0) }.sorted {
            ($0.range.min, $0.identifier) < ($1.range.min, $1.identifier)
        }
        start = Head.start(behind: blocks)
    }

    /// The series that one of the lists of matchers selects, by hash and labels. Samples are decoded when they are read.
    package func select(_ matching: [[LabelMatcher]], in range: TimeRange) throws -> any SeriesSet {
        var resolution = MatcherResolution()
        func numbers(in index: some LabelIndex) throws -> [UInt32] {
            PostingsList.union(try matching.map { try resolution.resolve($0, in: index) })
        }
        let headRange = range.clamped(from: start)
        let headPart = HeadSelection(
            try numbers(in: head.postings), headRange, head)
        var parts: [(block: Block, series: [UInt32])] = []
        for block in blocks where block.range.overlaps(range) {
            let series = try block.withoutDeleted(numbers(in: block.reader), in: range)
            if !series.isEmpty { parts.append((block, series)) }
        }
        return try MergedSeriesSet(
            selection: Selection(matchers: [], range: range), head: headPart, headRange: headRange, blocks: parts)
    }
}
