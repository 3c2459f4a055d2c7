import Blocks
import HeadMemory
import SeriesModel
import StorageAPI

/// The series of one selection over head and blocks, each once, in the order of hash and labels. Keeps the blocks it
/// reads open, and the head's chunks as they were when the view was taken.
struct MergedSeriesSet: SeriesSet {
    private struct Entry: Sendable {
        let labels: LabelSet
        let hash: UInt64
        /// Where in `parts` the block parts lie, oldest block first.
        var parts: Range<Int> = 0..<0
        /// An index into the head's entries, or -1.
        var head: Int
    }

    /// A series as one block has it.
    private struct Part: Sendable {
        /// An index into `blocks`.
        let block: Int32
        let series: UInt32
    }

    private let entries: [Entry]
    private let blocks: [VisibleBlock]
    private let parts: [Part]
    private let head: HeadSelection
    private let range: TimeRange
    private let wantsNewestOnly: Bool
    /// Is told what cannot be read.
    private let damaged: @Sendable (any Error) -> Void

    /// - Parameter blocks: what was found in each block, oldest first.
    init(
        selection: Selection, head: HeadSelection, blocks found: [(block: VisibleBlock, series: [UInt32])],
        damaged: @escaping @Sendable (any Error) -> Void = { _ in }
    ) throws(StorageError) {
        range = selection.range
        self.head = head
        self.damaged = damaged
        blocks = found.map(\.block)
        wantsNewestOnly = selection.hints.wantsNewestOnly && found.isEmpty
        var entries: [Entry] = []
        entries.reserveCapacity(head.entries.count)
        for (index, found) in head.entries.enumerated() {
            entries.append(Entry(labels: found.labels, hash: found.hash, head: index))
        }
        guard !found.isEmpty else {
            self.entries = MergedSeriesSet.ordered(entries)
            parts = []
            return
        }
        var indexes: [SeriesFingerprint: Int] = [:]
        indexes.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            indexes[SeriesFingerprint(entry.labels, hash: entry.hash)] = index
        }
        var gathered: [(entry: Int, part: Part)] = []
        for (number, (block, series)) in found.enumerated() {
            for (series, fingerprint) in zip(series, try block.source.fingerprints(of: series)) {
                let index: Int
                if let known = indexes[fingerprint] {
                    index = known
                } else {
                    index = entries.count
                    indexes[fingerprint] = index
                    entries.append(
                        Entry(labels: try block.source.labels(of: series), hash: fingerprint.hash, head: -1))
                }
                gathered.append((index, Part(block: Int32(truncatingIfNeeded: number), series: series)))
            }
        }
        parts = MergedSeriesSet.grouped(gathered, &entries)
        self.entries = MergedSeriesSet.ordered(entries)
    }

    /// By hash, then by labels. Numbers are sorted in place of entries, which hold references.
    private static func ordered(_ entries: [Entry]) -> [Entry] {
        var keys: [(hash: UInt64, index: Int32)] = []
        keys.reserveCapacity(entries.count)
        for index in entries.indices { keys.append((entries[index].hash, Int32(truncatingIfNeeded: index))) }
        keys.sort { a, b in
            if a.hash != b.hash { return a.hash < b.hash }
            return entries[Int(a.index)].labels < entries[Int(b.index)].labels
        }
        return keys.map { entries[Int($0.index)] }
    }

    /// The parts of each entry side by side, in the order they came.
    private static func grouped(_ gathered: [(entry: Int, part: Part)], _ entries: inout [Entry]) -> [Part] {
        var counts = [Int](repeating: 0, count: entries.count)
        for (entry, _) in gathered { counts[entry] += 1 }
        var start = 0
        for index in entries.indices {
            entries[index].parts = start..<start + counts[index]
            start += counts[index]
            counts[index] = 0
        }
        var parts = [Part](repeating: Part(block: 0, series: 0), count: gathered.count)
        for (entry, part) in gathered {
            parts[entries[entry].parts.lowerBound + counts[entry]] = part
            counts[entry] += 1
        }
        return parts
    }

    var count: Int { entries.count }

    func labels(at index: Int) -> LabelSet { entries[index].labels }

    func read(_ index: Int, into buffer: inout SampleBuffer) throws {
        do {
            try readParts(index, into: &buffer)
        } catch {
            damaged(error)
            throw error
        }
    }

    private func readParts(_ index: Int, into buffer: inout SampleBuffer) throws {
        let head = entries[index].head
        var sources = SourceMarks(buffer)
        for part in parts[entries[index].parts] {
            try blocks[Int(part.block)].read(part.series, range, into: &buffer)
            sources.note(buffer)
        }
        if head >= 0 {
            try self.head.read(head, newestOnly: wantsNewestOnly, into: &buffer)
            sources.note(buffer)
        }
        if !sources.isOrdered { buffer.merge(sources.marks) }
    }
}
