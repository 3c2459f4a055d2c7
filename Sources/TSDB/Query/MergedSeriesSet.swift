import ChunkEncoding
import SeriesModel
import StorageAPI

/// The series of one selection over head and blocks, each once, in the order of hash and labels. Keeps the blocks it
/// reads open, and the head's chunks as they were when the view was taken.
struct MergedSeriesSet: SeriesSet {
    struct BlockPart: Sendable {
        let block: Block
        let series: UInt32
    }

    private struct Entry: Sendable {
        let labels: LabelSet
        let hash: UInt64
        /// Oldest block first.
        var blocks: [BlockPart] = []
        var head: HeadSnapshot?
    }

    private let entries: [Entry]
    private let range: TimeRange
    /// The part of the range that the head answers for.
    private let headRange: TimeRange
    private let wantsNewestOnly: Bool

    /// - Parameter blocks: what was found in each block, oldest first.
    init(
        selection: Selection, head: HeadSelection, headRange: TimeRange,
        blocks: [(part: BlockPart, labels: LabelSet)]
    ) {
        range = selection.range
        self.headRange = headRange
        wantsNewestOnly = selection.hints.wantsNewestOnly && blocks.isEmpty
        var entries: [Entry] = []
        entries.reserveCapacity(head.entries.count)
        if blocks.isEmpty {
            for found in head.entries {
                entries.append(Entry(labels: found.labels, hash: found.hash, head: found.snapshot))
            }
        } else {
            var indexes: [LabelSet: Int] = [:]
            for (part, labels) in blocks {
                let index = indexes[labels] ?? entries.count
                if index == entries.count {
                    indexes[labels] = index
                    entries.append(Entry(labels: labels, hash: labels.stableHash))
                }
                entries[index].blocks.append(part)
            }
            for found in head.entries {
                if let index = indexes[found.labels] {
                    entries[index].head = found.snapshot
                } else {
                    entries.append(Entry(labels: found.labels, hash: found.hash, head: found.snapshot))
                }
            }
        }
        self.entries = entries.sorted { $0.hash != $1.hash ? $0.hash < $1.hash : $0.labels < $1.labels }
    }

    var count: Int { entries.count }

    func labels(at index: Int) -> LabelSet { entries[index].labels }

    func read(_ index: Int, into buffer: inout SampleBuffer) throws {
        let entry = entries[index]
        let start = buffer.count
        var isOrdered = true
        for part in entry.blocks {
            let before = buffer.count
            try part.block.read(part.series, range, into: &buffer)
            isOrdered = isOrdered && MergedSeriesSet.continues(buffer, from: start, at: before)
        }
        if let snapshot = entry.head {
            let before = buffer.count
            do throws(ChunkError) {
                if wantsNewestOnly {
                    try snapshot.readNewest(headRange, into: &buffer)
                } else {
                    try snapshot.read(headRange, into: &buffer)
                }
            } catch {
                throw StorageError.corruption(file: "head", offset: 0, reason: error.description)
            }
            isOrdered = isOrdered && MergedSeriesSet.continues(buffer, from: start, at: before)
        }
        if !isOrdered { MergedSeriesSet.sort(&buffer, from: start) }
    }

    /// Whether what was added at an index is newer than what was there.
    private static func continues(_ buffer: SampleBuffer, from start: Int, at index: Int) -> Bool {
        index == start || index == buffer.count || buffer.timestamps[index] > buffer.timestamps[index - 1]
    }

    /// Blocks that overlap (restored or backfilled ones): of equal timestamps the first source wins.
    private static func sort(_ buffer: inout SampleBuffer, from start: Int) {
        let order = (start..<buffer.count).sorted { a, b in
            let (x, y) = (buffer.timestamps[a], buffer.timestamps[b])
            return x != y ? x < y : a < b
        }
        let samples = order.map { (buffer.timestamps[$0], buffer.values[$0]) }
        buffer.timestamps.removeSubrange(start...)
        buffer.values.removeSubrange(start...)
        for (time, value) in samples where buffer.count == start || buffer.timestamps[buffer.count - 1] != time {
            buffer.append(time, value)
        }
    }
}
