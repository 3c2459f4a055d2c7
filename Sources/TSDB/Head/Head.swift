import SeriesModel
import StorageAPI
import WAL

/// The newest samples, in memory. Slots name series; a slot that is free is given to another series under the next
/// generation.
///
/// The committer thread alone changes the head, and only with the gate held exclusively; so it may read without the
/// gate. Everybody else reads with the gate held shared.
final class Head: @unchecked Sendable {
    let gate = Gate()
    /// ms
    let blockRange: Int64
    private var table: [HeadSeries?] = []
    /// The newest generation of each slot. Only the committer looks at these two.
    private var generations: [UInt32] = []
    private var freeSlots: [UInt32] = []
    private var byLabels: [LabelSet: HeadSeries] = [:]
    private(set) var postings = HeadPostings()
    /// What was deleted of the series.
    var tombstones = HeadTombstones()
    private(set) var chunkCount = 0
    /// The times of the oldest and newest sample; nil while empty. ms
    private(set) var range: TimeRange?
    /// What lies before is not the head's to answer for: a block has it, if anybody. ms
    private(set) var start: Timestamp = .min
    /// New samples before this are refused. It is ahead of `start` while a block is being cut. ms
    private var appendStart: Timestamp = .min

    init(blockRange: Int64) { self.blockRange = blockRange }

    var seriesCount: Int { byLabels.count }

    /// The lower bound for new samples: half a block below the newest one, and never where a block already is.
    var lowerBound: Timestamp {
        guard let range else { return appendStart }
        return max(appendStart, range.max.subtractingClamped(blockRange / 2))
    }

    // MARK: Series

    func series(_ ref: SeriesRef) -> HeadSeries? {
        let slot = Int(ref.slot)
        guard table.indices.contains(slot), let series = table[slot], series.generation == ref.generation else {
            return nil
        }
        return series
    }

    func series(at slot: UInt32) -> HeadSeries? {
        table.indices.contains(Int(slot)) ? table[Int(slot)] : nil
    }

    func series(labels: LabelSet) -> HeadSeries? { byLabels[labels] }

    /// Calls the body for every series. Under the gate, or on the committer.
    func forEach(_ body: (HeadSeries) throws -> Void) rethrows {
        for case let series? in table { try body(series) }
    }

    /// A series that is not entered yet: `enter` does that when its batch is in the log. Nil when all slots are taken.
    func reserve(_ labels: LabelSet) -> HeadSeries? {
        if let slot = freeSlots.popLast() {
            let generation = generations[Int(slot)] &+ 1
            generations[Int(slot)] = generation
            return HeadSeries(labels: labels, slot: slot, generation: generation)
        }
        guard generations.count < Int(LogFormat.slotLimit) else { return nil }
        generations.append(1)
        return HeadSeries(labels: labels, slot: UInt32(truncatingIfNeeded: generations.count - 1), generation: 1)
    }

    func giveBack(_ series: HeadSeries) { freeSlots.append(series.slot) }

    /// Exclusive.
    func enter(_ series: HeadSeries) {
        while table.count <= Int(series.slot) { table.append(nil) }
        table[Int(series.slot)] = series
        byLabels[series.labels] = series
        postings.add(series.labels, slot: series.slot)
    }

    /// Exclusive. - Precondition: the sample is newer than the series' last.
    func append(_ series: HeadSeries, _ timestamp: Timestamp, _ value: Double) {
        if series.append(timestamp, value, blockRange: blockRange) { chunkCount += 1 }
        extendRange(to: timestamp)
    }

    /// Exclusive. - Precondition: as for floats; the histogram is valid, storable and not stale.
    func append(_ series: HeadSeries, _ timestamp: Timestamp, _ histogram: NativeHistogram) {
        if series.append(timestamp, histogram, blockRange: blockRange) { chunkCount += 1 }
        extendRange(to: timestamp)
    }

    private func extendRange(to timestamp: Timestamp) {
        if let known = range {
            range = TimeRange(min: min(known.min, timestamp), max: max(known.max, timestamp))
        } else {
            range = TimeRange(min: timestamp, max: timestamp)
        }
    }

    /// What the chunks take, by a guess that costs nothing: counting them takes a walk over all series. Bytes.
    var chunkBytesEstimate: Int { chunkCount * 160 }

    // MARK: Bounds

    /// Exclusive. New samples before are refused from now on, and nothing changes for readers: a block is going to be
    /// written of what lies before.
    func raiseStartForAppends(to time: Timestamp) { appendStart = max(appendStart, time) }

    /// Exclusive. What lies before is no longer the head's.
    func raiseStart(to time: Timestamp) {
        start = max(start, time)
        appendStart = max(appendStart, time)
    }

    /// Exclusive. Forgets what lies before a time; series without samples leave.
    /// - Returns: how many series and chunks went.
    func truncate(before time: Timestamp) -> (series: Int, chunks: Int) {
        var chunks = 0
        var leaving: [(slot: UInt32, labels: LabelSet)] = []
        var oldest: Timestamp?
        forEach { series in
            chunks += series.truncate(before: time)
            if let first = series.firstTimestamp {
                oldest = min(oldest ?? first, first)
            } else {
                leaving.append((series.slot, series.labels))
            }
        }
        for (slot, labels) in leaving {
            byLabels[labels] = nil
            table[Int(slot)] = nil
            freeSlots.append(slot)
        }
        postings.remove(leaving)
        forgetDeletions()
        chunkCount -= chunks
        if let oldest, let known = range {
            range = TimeRange(min: max(oldest, known.min), max: known.max)
        } else {
            range = nil
        }
        return (leaving.count, chunks)
    }

    // MARK: Replay

    /// Takes a slot for a series as the log says, whoever had it before. Only before the threads start.
    func replaySeries(_ labels: LabelSet, slot: UInt32, generation: UInt32) {
        while table.count <= Int(slot) {
            table.append(nil)
            generations.append(0)
        }
        if let old = table[Int(slot)] {
            if old.generation == generation, old.labels == labels { return }
            byLabels[old.labels] = nil
            chunkCount -= old.chunkCount
            postings.remove([(slot, old.labels)])
            table[Int(slot)] = nil
        }
        let series = HeadSeries(labels: labels, slot: slot, generation: generation)
        // The same series under another slot had left the head when the log went on. What it had may be in no block,
        // if that block was lost: it is kept.
        if let other = byLabels[labels] {
            series.takeOver(from: other)
            postings.remove([(other.slot, labels)])
            table[Int(other.slot)] = nil
        }
        generations[Int(slot)] = generation
        enter(series)
    }

    /// After the replay: which slots are free.
    func finishReplay() {
        freeSlots = table.indices.filter { table[$0] == nil }.map { UInt32(truncatingIfNeeded: $0) }
        freeSlots.reverse()
        forgetDeletions()
    }
}
