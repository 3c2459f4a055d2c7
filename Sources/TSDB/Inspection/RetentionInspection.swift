import Blocks
package import FileIO
import HeadMemory
import SeriesModel
import StorageAPI
import StorageFiles
import WAL

/// What the retention would delete of a data directory, looked at from outside: nothing is changed.
package enum RetentionInspection {
    /// - Throws: where there is no data directory, or a block cannot be read.
    package static func report(
        fileSystem: any FileSystem, directory: String, settings: StorageSettings
    ) throws -> TSDB.RetentionReport {
        let blocks = try BlockInspection(fileSystem: fileSystem, directory: directory).readers.map { Block($0) }
        let (head, log) = try Head.readOnly(fileSystem: fileSystem, directory: directory, start: blocks.headStart)
        guard let newest = [head.newestTime, blocks.map(\.range.max).max()].compactMap({ $0 }).max() else {
            return TSDB.RetentionReport()
        }
        var size = settings.retentionSize
        if let percentage = settings.retentionPercentage {
            let total = try StorageError.wrapping { () throws(FileError) in try fileSystem.space(directory).total }
            size = min(size ?? .max, Int64(clamping: Double(total) * percentage / 100) ?? .max)
        }
        var otherBytes = 0
        let layout = DataDirectoryLayout(fileSystem: fileSystem, directory: directory)
        for path in [layout.log, layout.chunks] {
            for file in (try? fileSystem.list(path)) ?? [] {
                otherBytes += (try? fileSystem.size(FilePath.join(path, file))) ?? 0
            }
        }
        // As in the store, what is kept for consumers of the log costs no block.
        otherBytes -= HeldLog.bytes(fileSystem: fileSystem, directory: layout.log, before: log.checkpointLSN)
        return try TSDB.retentionReport(
            blocks, RetentionPolicy(time: settings.retentionTime, size: size), settings.retentionRules, newest: newest,
            otherBytes: otherBytes
        ) { try TSDB.outlived($0, settings.retentionRules, newest: newest) }
    }
}
