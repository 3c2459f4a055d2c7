import Blocks
import SeriesModel
import StorageAPI

extension Block {
    /// Of the series those that have something left in a range, as far as the index tells.
    func withoutDeleted(_ series: [UInt32], in range: TimeRange) throws(StorageError) -> [UInt32] {
        let tombstones = reader.tombstones
        if tombstones.isEmpty { return series }
        var left: [UInt32] = []
        left.reserveCapacity(series.count)
        for number in series {
            if let deleted = tombstones.ranges(of: number) {
                let held = try reader.timeRange(of: number)
                let wanted = TimeRange(min: max(held.min, range.min), max: min(held.max, range.max))
                if wanted.min <= wanted.max, deleted.covers(wanted) { continue }
            }
            left.append(number)
        }
        return left
    }
}
