import Blocks
import SeriesModel
import Testing

@testable import TSDB

@Suite("The plan of merges")
struct CompactionPlanTests {
    private let hour: Int64 = 3_600_000

    private func plan(max: Int64? = nil, time: Int64? = 30 * 24, size: Int64? = nil) -> CompactionPlan {
        CompactionPlan(
            blockRange: 2 * hour, rangeMax: max.map { $0 * hour }, retentionTime: time.map { $0 * hour },
            retentionSize: size)
    }

    /// A block from one hour to another, both given from an aligned start.
    private func block(_ from: Int64, _ to: Int64, _ number: Int, level: Int = 1, bytes: Int = 100) -> BlockRecord {
        BlockRecord(
            identifier: BlockIdentifier(high: 1, low: UInt64(number)),
            range: TimeRange(min: from * hour, max: to * hour - 1), bytes: bytes, level: level, seriesCount: 100)
    }

    private func blocks(_ ranges: [(Int64, Int64)]) -> [BlockRecord] {
        ranges.enumerated().map { block($1.0, $1.1, $0) }
    }

    private func numbers(_ merge: CompactionPlan.Merge?) -> [Int]? { merge?.blocks.map { Int($0.identifier.low) } }

    @Test("climbs a ladder of threes, up to a tenth of the retention and 31 days")
    func ladder() {
        #expect(plan().ladder == [6, 18, 54].map { $0 * hour })
        #expect(plan(time: 200).ladder == [6, 18].map { $0 * hour })
        #expect(plan(time: 10).ladder == [])
        #expect(plan(time: nil).ladder == [6, 18, 54, 162, 486].map { $0 * hour })
        #expect(plan(max: 18).ladder == [6, 18].map { $0 * hour })
        #expect(plan(max: 1).ladder == [])
    }

    @Test("merges blocks that fill a range, the oldest first")
    func filled() {
        let merge = plan().next(blocks([(0, 2), (2, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14)]))
        #expect(numbers(merge) == [0, 1, 2])
        #expect(merge?.reason == .ladder)
    }

    @Test("waits for a range that is not filled and not over")
    func waiting() {
        #expect(plan().next(blocks([(0, 2), (2, 4)])) == nil)
        #expect(plan().next(blocks([(6, 8), (8, 10)])) == nil)
        #expect(plan().next(blocks([(0, 2), (2, 4), (6, 8)])) == nil)
        #expect(numbers(plan().next(blocks([(0, 2), (2, 4), (6, 8), (8, 10)]))) == [0, 1], "nothing more comes")
    }

    @Test("leaves a lone block of a range that is over as it is")
    func lone() {
        #expect(plan().next(blocks([(0, 2), (6, 8), (12, 14)])) == nil)
    }

    @Test("climbs on with what was merged")
    func higher() {
        let merged = blocks([(0, 6), (6, 12), (12, 18), (18, 20)])
        #expect(numbers(plan().next(merged)) == [0, 1, 2])
        #expect(numbers(plan().next(blocks([(0, 18), (18, 36), (36, 54), (54, 56)]))) == [0, 1, 2])
        #expect(plan().next(blocks([(0, 54), (54, 108), (108, 162), (162, 164)])) == nil, "beyond three days")
    }

    @Test("merges blocks that overlap before all others, all that hang together")
    func overlaps() {
        let merge = plan().next(blocks([(0, 2), (2, 4), (4, 6), (8, 12), (10, 14), (13, 15), (15, 16)]))
        #expect(numbers(merge) == [3, 4, 5])
        #expect(merge?.reason == .overlap)
    }

    @Test("makes no block larger than a tenth of the retention")
    func size() {
        let three = blocks([(0, 2), (2, 4), (4, 6), (6, 8)])
        #expect(plan(size: 2999).next(three) == nil)
        #expect(numbers(plan(size: 3000).next(three)) == [0, 1, 2])
    }

    @Test("leaves blocks alone that are held")
    func held() {
        let three = blocks([(0, 2), (2, 4), (4, 6), (6, 8)])
        #expect(plan().next(three, isHeld: { _ in true }) == nil)
    }

    @Test("rewrites a block of which more than a twentieth of the series have tombstones")
    func deletions() {
        let two = blocks([(0, 2), (6, 8)])
        #expect(plan().next(two, deletedShare: { _ in 0.05 }) == nil)
        let merge = plan().next(two, deletedShare: { $0.range.min == 0 ? 0.06 : 0 })
        #expect(numbers(merge) == [0])
        #expect(merge?.reason == .deletions)
    }

    @Test("rewrites a block that holds series which a rule does not keep so long")
    func outlived() {
        let two = blocks([(0, 2), (6, 8)])
        #expect(plan().next(two, isOutlived: { $0.range.min > 0 })?.reason == .retention)
    }
}
