import Blocks
import ChunkEncoding
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
        /// An index into `heads`, or -1.
        var head: Int
    }

    /// A series as one block has it.
    private struct Part: Sendable {
        /// An index into `blocks`.
        let block: Int32
        let series: UInt32
    }

    private let entries: [Entry]
    private let blocks: [Block]
    private let parts: [Part]
    private let heads: [HeadSelection.Entry]
    private let range: TimeRange
    /// The part of the range that the head answers for.
    private let headRange: TimeRange
    private let wantsNewestOnly: Bool

    /// - Parameter blocks: what was found in each block, oldest first.
    init(
        selection: Selection, head: HeadSelection, headRange: TimeRange,
        blocks found: [(block: Block, series: [UInt32])]
    ) throws(StorageError) {
        range = selection.range
        self.headRange = headRange
        heads = head.entries
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
            for (series, fingerprint) in zip(series, try block.reader.fingerprints(of: series)) {
                let index: Int
                if let known = indexes[fingerprint] {
                    index = known
                } else {
                    index = entries.count
                    indexes[fingerprint] = index
                    entries.append(
                        Entry(labels: try block.reader.labels(of: series), hash: fingerprint.hash, head: -1))
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
        let head = entries[index].head
        var sources = SourceMarks(buffer)
        for part in parts[entries[index].parts] {
            try blocks[Int(part.block)].read(part.series, range, into: &buffer)
            sources.note(buffer)
        }
        if head >= 0 {
            do throws(ChunkError) {
                if let deleted = heads[head].deleted {
                    // The newest may be a deleted one: all are looked at.
                    let before = BufferMark(buffer)
                    try heads[head].snapshot.read(headRange, into: &buffer)
                    buffer.removeAll(in: deleted, since: before)
                } else if wantsNewestOnly {
                    try heads[head].snapshot.readNewest(headRange, into: &buffer)
                } else {
                    try heads[head].snapshot.read(headRange, into: &buffer)
                }
            } catch {
                throw StorageError.corruption(file: "head", offset: 0, reason: error.description)
            }
            sources.note(buffer)
        }
        if !sources.isOrdered { buffer.merge(sources.marks) }
    }
}

/// Where in a buffer the samples of each source begin, and whether every source is newer than those before.
private struct SourceMarks {
    /// And the end; empty while there are less than two sources.
    private(set) var marks: [BufferMark] = []
    private(set) var isOrdered = true
    private let start: BufferMark
    private var end: BufferMark
    private var newest: Timestamp?

    init(_ buffer: SampleBuffer) {
        start = BufferMark(buffer)
        end = start
    }

    /// A source's samples are in the buffer.
    mutating func note(_ buffer: SampleBuffer) {
        guard let oldest = buffer.oldest(since: end), let last = buffer.newest(since: end) else { return }
        let mark = end
        end = BufferMark(buffer)
        if let known = newest {
            if marks.isEmpty { marks = [start, mark] }
            marks.append(end)
            isOrdered = isOrdered && oldest > known
        }
        newest = max(newest ?? .min, last)
    }
}

extension SampleBuffer {
    /// Brings samples of sources that overlap (restored or backfilled blocks) into one order: of equal timestamps the
    /// first source wins, whichever kind its sample is of.
    /// - Parameter sources: where each source's samples begin, and the end.
    fileprivate mutating func merge(_ sources: [BufferMark]) {
        guard let start = sources.first else { return }
        var samples: [(timestamp: Timestamp, source: Int, value: Double, histogram: NativeHistogram?)] = []
        for (source, (from, to)) in zip(sources, sources.dropFirst()).enumerated() {
            for index in from.floats..<to.floats { samples.append((timestamps[index], source, values[index], nil)) }
            for index in from.histograms..<to.histograms {
                // What a source knew of the sample before is not true of the one that may now be there.
                var histogram = histograms[index]
                if histogram.counterResetHint != .gauge { histogram.counterResetHint = .unknown }
                samples.append((histogramTimestamps[index], source, 0, histogram))
            }
        }
        samples.sort { $0.timestamp != $1.timestamp ? $0.timestamp < $1.timestamp : $0.source < $1.source }
        removeAll(since: start)
        var last: Timestamp?
        for sample in samples where sample.timestamp != last {
            last = sample.timestamp
            if let histogram = sample.histogram {
                append(sample.timestamp, histogram)
            } else {
                append(sample.timestamp, sample.value)
            }
        }
    }
}
