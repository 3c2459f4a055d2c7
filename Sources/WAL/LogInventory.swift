import StorageFiles

/// Which files a log has, which of them a start reads, and how far those have come who pass records on. Says which files
/// may go: plain bookkeeping, the files are the `LogWriter`'s.
///
/// A start needs the newest checkpoint and the segments from its origin on. A consumer that is behind that needs its own
/// base besides, which a later start of it begins at: the newest checkpoint that it has passed, for the labels, and all
/// segments from its origin on. The log's own beginning is a base as well, without a checkpoint. Where that is too much a
/// consumer that reads already can do without the base, as it knows the labels.
struct LogInventory {
    struct Segment: Sendable, Hashable {
        var number: UInt64
        /// Of its first record.
        var origin: LSN
        /// 0 of the newest.
        var bytes = 0
        /// When the next one was begun; nil of the newest. ms of a clock that only goes on.
        var leftAt: Int64?
    }

    struct CheckpointFile: Sendable, Hashable {
        var lsn: LSN
        /// The segment that goes on from it: its first record is the one after `lsn`.
        var origin: UInt64
        var bytes: Int
        /// ms, of the same clock.
        var madeAt: Int64
        /// The next one made is the next one here: a number that this one knows gets no other owner before that, as a
        /// slot is free only when a checkpoint without its series is there. False where that is not known.
        var isFollowed = true
    }

    /// Where a consumer may begin.
    struct Base {
        /// Nil for the log's beginning.
        var checkpoint: LSN?
        /// The newest record that it stands for.
        var released: LSN
        /// As that of the checkpoint.
        var isFollowed: Bool
    }

    /// What may be kept for consumers alone.
    struct Limits: Sendable {
        /// Bytes.
        var bytes: Int
        /// How long, from when a segment is left. ms
        var time: Int64
    }

    /// Ascending; the newest is being written.
    private(set) var segments: [Segment] = []
    /// Ascending.
    private(set) var checkpoints: [CheckpointFile] = []
    /// Of each consumer the newest record that it has released.
    private(set) var positions: [String: LSN] = [:]
    /// Where consumers were before the start could not be found out: nothing is passed by all of them then, and who opens
    /// the log begins with the oldest record that is there.
    private(set) var hasUnknownPositions = false
    /// All that there may be, as far as was said.
    private var wanted: Set<String>?
    /// Consumers that have a tail.
    private var open: Set<String> = []
    /// As of the last `trim`.
    private var firstKept: UInt64 = 0
    /// The oldest checkpoint is the first that was made.
    var isBeginningFollowed = true

    /// The first segment that a start reads: those before are kept for consumers alone.
    var coveredEnd: UInt64 { checkpoints.last?.origin ?? 0 }

    // MARK: - Files

    /// Notes what was there at the start.
    mutating func add(_ segment: Segment) {
        segments.append(segment)
        segments.sort { $0.number < $1.number }
    }

    /// Notes a checkpoint that is whole.
    mutating func add(_ checkpoint: CheckpointFile) {
        checkpoints.removeAll { $0.lsn == checkpoint.lsn }
        checkpoints.append(checkpoint)
        checkpoints.sort { $0.lsn < $1.lsn }
    }

    /// The newest segment is left for another one.
    mutating func begin(_ segment: UInt64, origin: LSN, leaving bytes: Int, now: Int64) {
        if let last = segments.indices.last {
            segments[last].bytes = bytes
            segments[last].leftAt = now
        }
        segments.append(Segment(number: segment, origin: origin))
    }

    /// Where a record stands, if it is there: in that segment, whose records end before `end`; in the newest where that
    /// is nil. Nil where it, and all before it, have gone.
    func place(of lsn: LSN) -> (segment: Segment, end: LSN?)? {
        guard let index = segments.lastIndex(where: { $0.origin <= lsn }) else { return nil }
        return (segments[index], index + 1 < segments.count ? segments[index + 1].origin : nil)
    }

    /// Bytes that are kept for consumers alone.
    var heldBytes: Int { bytes(of: segments.filter { $0.number < coveredEnd }, checkpoints.dropLast()) }

    /// Whether a `trim` may find something.
    var hasHeldFiles: Bool {
        checkpoints.count > 1 || segments.first.map { $0.number < coveredEnd } ?? false
    }

    /// Of the checkpoints before the newest. Bytes.
    var olderCheckpointBytes: Int { bytes(of: [], checkpoints.dropLast()) }

    private func bytes(of segments: some Sequence<Segment>, _ checkpoints: some Sequence<CheckpointFile>) -> Int {
        checkpoints.reduce(segments.reduce(0) { $0 + $1.bytes }) { $0 + $1.bytes }
    }

    // MARK: - Consumers

    /// A consumer begins where it was, or behind the newest record.
    /// - Returns: nil where it has a tail already.
    mutating func open(_ consumer: String, newest: LSN) -> LSN? {
        guard open.insert(consumer).inserted else { return nil }
        let oldest = hasUnknownPositions ? bases(for: .max).last?.released : nil
        let position = positions[consumer] ?? min(oldest ?? newest, newest)
        positions[consumer] = position
        noteKnown()
        return position
    }

    mutating func close(_ consumer: String) { open.remove(consumer) }

    /// What was saved before the start; a tail that is open knows better.
    mutating func restore(_ position: LSN, of consumer: String) {
        if !open.contains(consumer) { positions[consumer] = position }
    }

    /// One that was forgotten stays so.
    mutating func release(_ consumer: String, through lsn: LSN) {
        if let position = positions[consumer], lsn > position { positions[consumer] = lsn }
    }

    mutating func keep(_ consumers: Set<String>) {
        wanted = consumers
        positions = positions.filter { consumers.contains($0.key) }
        noteKnown()
    }

    /// What was saved before the start cannot be read, for now.
    mutating func noteUnknownPositions() { hasUnknownPositions = true }

    /// It can be read after all.
    mutating func learn(_ saved: [String: LSN]) {
        for (consumer, position) in saved where wanted?.contains(consumer) ?? true {
            if !open.contains(consumer) { positions[consumer] = max(position, positions[consumer] ?? 0) }
        }
        hasUnknownPositions = false
    }

    /// When all have opened the log there is no other position to be found out.
    private mutating func noteKnown() {
        if let wanted, wanted.allSatisfy({ positions[$0] != nil }) { hasUnknownPositions = false }
    }

    /// Whether anybody may need more than a start does.
    var hasConsumers: Bool { lowest != nil }

    /// All consumers have released the records up to this one.
    private var lowest: LSN? { hasUnknownPositions ? 0 : positions.values.min() }

    /// Where a consumer may begin, best first: the bases before its position, the nearest first, then those behind it.
    func bases(for position: LSN) -> [Base] {
        var all = checkpoints.map { Base(checkpoint: $0.lsn, released: $0.lsn, isFollowed: $0.isFollowed) }
        // Before the log's beginning there are no labels. Where there is no checkpoint either, those are not to be had.
        if let first = segments.first, first.origin <= 1 || checkpoints.isEmpty {
            all.insert(
                Base(checkpoint: nil, released: max(first.origin, 1) - 1, isFollowed: isBeginningFollowed), at: 0)
        }
        return all.filter { $0.released <= position }.reversed() + all.filter { $0.released > position }
    }

    // MARK: - What may go

    /// Gives up what nobody needs any more, or what has been kept for too long or takes too much room.
    /// - Parameter givingUp: whether nothing is kept for consumers alone.
    /// - Returns: what of it consumers have not passed.
    mutating func trim(_ limits: Limits, now: Int64, givingUp: Bool) -> [GivenUpLog] {
        let kept = kept(limits, now: now, givingUp: givingUp)
        let givenUp = kept.givenUp.filter { $0.bytes > 0 }
        checkpoints = kept.checkpoints
        segments.removeAll { $0.number < kept.first && $0.leftAt != nil }
        firstKept = kept.first
        return givenUp
    }

    /// Takes segments out that may be removed.
    /// - Returns: they are those before this one.
    mutating func drop(before segment: UInt64) -> UInt64 {
        let end = hasConsumers ? min(segment, firstKept) : segment
        segments.removeAll { $0.number < end && $0.leftAt != nil }
        return end
    }

    /// What stays: segments from the first on.
    private struct Kept {
        var first: UInt64
        var checkpoints: [CheckpointFile]
        var givenUp: [GivenUpLog] = []
    }

    private func kept(_ limits: Limits, now: Int64, givingUp: Bool) -> Kept {
        let covered = coveredEnd
        let nothing = Kept(first: covered, checkpoints: checkpoints.suffix(1).map { $0 })
        guard let lowest else { return nothing }
        let needed = place(of: lowest + 1)?.segment.number ?? 0
        guard needed < covered else { return nothing }
        func given(_ reason: GivenUpLog.Reason, _ start: UInt64, _ end: UInt64) -> GivenUpLog {
            .init(reason: reason, bytes: bytes(of: segments.filter { $0.number >= start && $0.number < end }, []))
        }
        var kept = nothing
        if givingUp {
            kept.givenUp = [given(.disk, needed, covered)]
            return kept
        }
        let wanted = firstTimely(from: needed, limits, now)
        if let fitting = fitting(from: wanted, limits, now) { kept = fitting }
        kept.givenUp = [given(.time, needed, min(wanted, covered)), given(.size, wanted, kept.first)]
        return kept
    }

    /// The first segment that has not been kept for too long, of those from one on.
    private func firstTimely(from number: UInt64, _ limits: Limits, _ now: Int64) -> UInt64 {
        let found = segments.first { segment in
            let isTimely = segment.leftAt.map { now - $0 <= limits.time } ?? true
            return segment.number >= number && (segment.number >= coveredEnd || isTimely)
        }
        return found?.number ?? coveredEnd
    }

    /// As much as may be kept of what is wanted.
    /// - Returns: nil where that is nothing.
    private func fitting(from wanted: UInt64, _ limits: Limits, _ now: Int64) -> Kept? {
        let covered = coveredEnd
        guard wanted < covered else { return nil }
        func fits(_ first: UInt64, _ checkpoints: [CheckpointFile]) -> Bool {
            let held = segments.filter { $0.number >= first && $0.number < covered }
            return bytes(of: held, checkpoints.dropLast()) <= limits.bytes
        }
        var starts = checkpoints.map(\.origin)
        if let beginning = segments.first, beginning.origin <= 1 { starts.insert(beginning.number, at: 0) }
        for first in starts[(starts.lastIndex { $0 <= wanted } ?? 0)...] where first < covered {
            let kept = spread(checkpoints.filter { $0.origin >= first }, limits.time)
            if fits(first, kept) { return Kept(first: first, checkpoints: kept) }
        }
        // Who reads already knows the labels. Whoever begins has lost it.
        guard let reading = positions.filter({ open.contains($0.key) }).values.min() else { return nil }
        let first = firstTimely(from: place(of: reading + 1)?.segment.number ?? 0, limits, now)
        let newest = checkpoints.suffix(1).map { $0 }
        return first < covered && fits(first, newest) ? Kept(first: first, checkpoints: newest) : nil
    }

    /// The oldest, the newest, and of those between so many that one consumer that waits for long gives up its oldest
    /// part rather than all of it.
    private func spread(_ checkpoints: [CheckpointFile], _ time: Int64) -> [CheckpointFile] {
        var kept: [CheckpointFile] = []
        for checkpoint in checkpoints {
            let isNewest = checkpoint.lsn == checkpoints.last?.lsn
            if let last = kept.last, !isNewest, checkpoint.madeAt - last.madeAt < time / 4 {
                kept[kept.count - 1].isFollowed = false
                continue
            }
            kept.append(checkpoint)
        }
        return kept
    }
}
