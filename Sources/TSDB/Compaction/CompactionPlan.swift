import Blocks
import HeadMemory
import SeriesModel

/// Which blocks to merge next: a decision over what the blocks are, without I/O.
///
/// Blocks that overlap (restored, backfilled, cut out of order) are merged first. Then those that fill an aligned range
/// of the ladder: the range of a cut, three times that, and so on. Then a block of which much was deleted is rewritten.
struct CompactionPlan: Sendable {
    enum Reason: String, Sendable {
        /// They share some time.
        case overlap
        /// Together they fill a longer range.
        case ladder
        /// More than a twentieth of the series have tombstones.
        case deletions
        /// A rule of the retention leaves nothing of some series.
        case retention
    }

    struct Merge: Sendable, Hashable {
        /// Oldest first; one alone is written anew.
        var blocks: [BlockRecord]
        var reason: Reason
    }

    /// The range of a block cut from the head. ms
    var blockRange: Int64
    /// No merge by the ladder gives a longer block. ms
    var rangeMax: Int64
    /// No merge by the ladder gives a larger block; nil for no limit. Bytes.
    var bytesMax: Int64?

    /// Each step of the ladder is so many times the one before, as upstream's.
    private static let factor: Int64 = 3
    /// Longer blocks are of no use to anybody. ms
    private static let rangeLimit: Int64 = 31 * 86_400_000
    /// Of the series; more of them with tombstones have a block rewritten.
    private static let deletedShareMax = 0.05

    /// - Parameters:
    ///   - rangeMax: as the flag says; nil for a tenth of the retention.
    ///   - retentionTime: ms; nil for no limit.
    ///   - retentionSize: bytes; nil for no limit.
    init(blockRange: Int64, rangeMax: Int64?, retentionTime: Int64?, retentionSize: Int64?) {
        self.blockRange = blockRange
        let standard = min(retentionTime.map { $0 / 10 } ?? CompactionPlan.rangeLimit, CompactionPlan.rangeLimit)
        self.rangeMax = max(blockRange, rangeMax ?? standard)
        bytesMax = retentionSize.map { $0 / 10 }
    }

    /// The lengths above that of a cut, ascending. ms
    var ladder: [Int64] {
        var steps: [Int64] = []
        var (step, hasOverflowed) = blockRange.multipliedReportingOverflow(by: CompactionPlan.factor)
        while !hasOverflowed, step <= rangeMax {
            steps.append(step)
            (step, hasOverflowed) = step.multipliedReportingOverflow(by: CompactionPlan.factor)
        }
        return steps
    }

    /// - Parameters:
    ///   - blocks: all that are served, in any order.
    ///   - isHeld: whether a block must stay as it is for now.
    ///   - deletedShare: of the series of a block, those that have tombstones; 0...1.
    ///   - isOutlived: whether a rule of the retention leaves nothing of some series of a block.
    /// - Returns: nil where there is nothing to do.
    func next(
        _ blocks: [BlockRecord], isHeld: (BlockRecord) -> Bool = { _ in false },
        deletedShare: (BlockRecord) -> Double = { _ in 0 }, isOutlived: (BlockRecord) -> Bool = { _ in false }
    ) -> Merge? {
        let sorted = blocks.sorted { ($0.range.min, $0.identifier) < ($1.range.min, $1.identifier) }
        let free = sorted.filter { !isHeld($0) }
        if let overlap = CompactionPlan.firstOverlap(free) { return Merge(blocks: overlap, reason: .overlap) }
        // The newest may still get company of its own range.
        let settled = free.filter { $0.identifier != sorted.last?.identifier }
        for step in ladder {
            if let group = group(settled, step) { return Merge(blocks: group, reason: .ladder) }
        }
        if let block = free.first(where: { deletedShare($0) > CompactionPlan.deletedShareMax }) {
            return Merge(blocks: [block], reason: .deletions)
        }
        if let block = free.first(where: isOutlived) { return Merge(blocks: [block], reason: .retention) }
        return nil
    }

    /// The oldest blocks of which each shares time with one of the others.
    private static func firstOverlap(_ blocks: [BlockRecord]) -> [BlockRecord]? {
        var group: [BlockRecord] = []
        var end = Timestamp.min
        for block in blocks {
            if group.isEmpty || block.range.min <= end {
                group.append(block)
                end = max(end, block.range.max)
            } else if group.count > 1 {
                return group
            } else {
                group = [block]
                end = block.range.max
            }
        }
        return group.count > 1 ? group : nil
    }

    /// The oldest blocks that lie in one aligned range of the length and fill it, or lie before the newest block: nothing
    /// more is to come then.
    private func group(_ blocks: [BlockRecord], _ length: Int64) -> [BlockRecord]? {
        var groups: [(start: Timestamp, blocks: [BlockRecord])] = []
        for block in blocks {
            let window = Timestamp.window(of: block.range.min, length)
            // One that reaches into the next range is too long for this step.
            guard Timestamp.window(of: block.range.max, length) == window else { continue }
            let start = window * length
            if groups.last?.start == start {
                groups[groups.count - 1].blocks.append(block)
            } else {
                groups.append((start, [block]))
            }
        }
        let newestStart = blocks.last?.range.min ?? .min
        for (start, group) in groups where group.count > 1 {
            guard let first = group.first, let last = group.last else { continue }
            let isFilled = first.range.min == start && last.range.max == start.addingClamped(length - 1)
            guard isFilled || last.range.max < newestStart else { continue }
            if let bytesMax, group.reduce(0, { $0 + Int64($1.bytes) }) > bytesMax { continue }
            return group
        }
        return nil
    }
}
