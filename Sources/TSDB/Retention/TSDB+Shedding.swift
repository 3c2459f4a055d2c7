import Blocks
import Logging
import SelfMetrics
import SeriesModel
import StorageAPI

extension TSDB {
    /// Deletes the oldest blocks, one after the other, while the disk is short of room and may be given some that way.
    /// The newest block stays in any case.
    func shedBlocks() throws {
        guard let age = options.shedBlocksOlderThan else { return }
        diskGuard.check()
        // The room of a file that a query reads comes back when that has ended: what was deleted is counted on.
        let missing = diskGuard.missing
        var given: Int64 = 0
        while diskGuard.isShort, given < max(missing, 1) {
            let (visible, _, newest) = retentionInput()
            let oldest = visible.map(\.record).min { ($0.range.max, $0.range.min) < ($1.range.max, $1.range.min) }
            guard let oldest, let newest, visible.count > 1, oldest.range.max < newest.subtractingClamped(age) else {
                diskGuard.noteShedDone()
                return
            }
            try deleteBlocks([oldest], of: visible)
            given = given.addingClamped(Int64(oldest.bytes))
            metrics.blocksShed.increment()
            options.logger.warning(
                "the disk is full, the oldest block is deleted",
                metadata: [
                    "block": "\(oldest.identifier)", "bytes": "\(oldest.bytes)", "mint": "\(oldest.range.min)",
                    "maxt": "\(oldest.range.max)",
                ])
            diskGuard.noteShed()
        }
    }
}
