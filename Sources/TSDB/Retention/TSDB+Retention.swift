import Blocks
import FileIO
import Logging
import SelfMetrics
import SeriesModel
import StorageAPI

extension TSDB {
    /// Deletes the blocks that the retention does not keep, oldest first.
    func applyRetention() throws {
        let (visible, otherBytes, newest) = retentionInput()
        guard let newest else { return }
        let expired = retention.expired(visible.map(\.record), newest: newest, otherBytes: otherBytes)
        if expired.isEmpty { return }
        try deleteBlocks(expired.map(\.block), of: visible)
        for (block, reason) in expired {
            switch reason {
            case .time: metrics.timeRetentions.increment()
            case .size: metrics.sizeRetentions.increment()
            }
            options.logger.info(
                "block deleted by retention", metadata: ["block": "\(block.identifier)", "limit": "\(reason)"])
        }
        metrics.reloads.increment()
    }

    /// Takes blocks out of catalog and list, then off the disk.
    func deleteBlocks(_ records: [BlockRecord], of visible: [Block]) throws {
        let doomed = Set(records.map(\.identifier))
        try catalog.replace(adding: [], removing: records.map(\.identifier))
        try replaceBlocks(adding: [], removing: doomed)
        for block in visible where doomed.contains(block.identifier) {
            try BlockDirectory.remove(fileSystem: options.fileSystem, path: block.reader.path)
        }
    }
}
