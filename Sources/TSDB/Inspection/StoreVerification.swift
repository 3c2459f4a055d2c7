import Blocks
package import FileIO
import HeadMemory
import PrometheusBlocks
import SeriesModel
import StorageAPI
import StorageFiles
import WAL

/// Looks at every byte of a data directory that has a checksum, and at whether its parts agree: blocks with their
/// indexes, the log with its series, the catalog with the blocks. The databases are checked by SQLite itself. Reads only;
/// a server may be running there.
package struct StoreVerification {
    /// In the order in which they were met; at most one for each block.
    package private(set) var damages: [StoreDamage] = []
    package private(set) var blockCount = 0
    /// Of the blocks.
    package private(set) var sampleCount = 0
    /// Of the log.
    package private(set) var recordCount = 0

    /// A log that somebody writes to may look torn for a moment.
    private static let logAttempts = 3

    /// - Throws: where there is no data directory.
    package init(fileSystem: any FileSystem, directory: String) throws {
        guard fileSystem.exists(directory) else {
            throw StorageError.invalid(reason: "\(directory): no such directory")
        }
        // Rows before blocks: what a server adds meanwhile is a block without a row, which is none of our business.
        let rows = CatalogInspection.rows(directory)
        let start = try verifyBlocks(fileSystem, directory, rows)
        verifyLog(fileSystem, DataDirectoryLayout(fileSystem: fileSystem, directory: directory).log)
        verifyHead(fileSystem, directory, start)
        if let damage = StateInspection.damage(directory) {
            damages.append(StoreDamage(damage, path: FilePath.join(directory, StateStore.fileName)))
        }
    }

    // MARK: - Blocks and catalog

    /// - Returns: where the head begins. ms
    private mutating func verifyBlocks(
        _ fileSystem: any FileSystem, _ directory: String, _ rows: Result<[BlockRecord], StorageError>
    ) throws -> Timestamp {
        let found = try BlockInspection(fileSystem: fileSystem, directory: directory, readsLog: true)
        damages += found.damages
        for reader in found.readers {
            blockCount += 1
            sampleCount += reader.footer.sampleCount
            do throws(StorageError) {
                try reader.verify()
            } catch {
                damages.append(StoreDamage(error, path: reader.path))
            }
        }
        verifyPrometheus(found)
        switch rows {
        case .failure(let error):
            damages.append(StoreDamage(error, path: FilePath.join(directory, Catalog.fileName)))
        case .success(let rows):
            let damaged = Set(found.damages.map { FilePath.directory(of: $0.file) })
            compare(rows, found.readers.map { BlockRecord($0.footer) }, directory) { path in
                fileSystem.exists(path) || damaged.contains(path)
            }
        }
        return found.readers.map { Block($0) }.headStart
    }

    /// Of the log, all that can be told was told when it was read.
    private mutating func verifyPrometheus(_ found: BlockInspection) {
        damages += found.prometheusDamages
        for source in found.prometheus {
            blockCount += 1
            sampleCount += source.sampleCount
            do throws(StorageError) {
                try source.block.verify()
            } catch {
                damages.append(StoreDamage(error, path: source.path))
            }
        }
    }

    private mutating func compare(
        _ rows: [BlockRecord], _ found: [BlockRecord], _ directory: String, isThere: (String) -> Bool
    ) {
        let file = FilePath.join(directory, Catalog.fileName)
        var known: [BlockRecord] = []
        for row in rows {
            if let block = found.first(where: { $0.identifier == row.identifier }) {
                guard
                    block.range != row.range || block.seriesCount != row.seriesCount
                        || block.sampleCount != row.sampleCount
                else { continue }
                damages.append(StoreDamage(file: file, reason: "block \(row.identifier) is not as its footer says"))
            } else {
                known.append(row)
            }
        }
        let path = BlockDirectory.path(in: directory)
        let gone = known.filter { !isThere(FilePath.join(path, $0.identifier.description)) }
        if gone.isEmpty { return }
        // A running server may have deleted them since.
        guard case .success(let now) = CatalogInspection.rows(directory) else { return }
        let listed = Set(now.map(\.identifier))
        for row in gone where listed.contains(row.identifier) {
            damages.append(StoreDamage(file: file, reason: "block \(row.identifier) is listed and not there"))
        }
    }

    // MARK: - Log

    private mutating func verifyLog(_ fileSystem: any FileSystem, _ directory: String) {
        var found: [StoreDamage] = []
        for _ in 0..<StoreVerification.logAttempts {
            found = []
            var series = SeriesTable()
            do {
                let report = try LogReplay.replay(fileSystem: fileSystem, directory: directory, repair: false) {
                    series.check($1, of: $0)
                }
                recordCount = report.records
                found = report.damages.map(StoreDamage.init)
                let held = try HeldLog.damages(
                    fileSystem: fileSystem, directory: directory, before: report.checkpointLSN)
                found += held.map(StoreDamage.init)
                // After a damage series are missing that are not damaged themselves.
                if found.isEmpty {
                    found = series.complaints.map { StoreDamage(file: directory, reason: $0) }
                }
            } catch let error as StorageError {
                found = [StoreDamage(error, path: directory)]
            } catch {
                found = [StoreDamage(file: directory, reason: "\(error)")]
            }
            if found.isEmpty { return }
        }
        damages += found
    }

    /// The states of the checkpoint, and every chunk in the head-chunk files that somebody refers to.
    private mutating func verifyHead(_ fileSystem: any FileSystem, _ directory: String, _ start: Timestamp) {
        // Damages of the log itself are found already; a log that is not whole says nothing of the chunks.
        if !damages.isEmpty { return }
        var found: [StoreDamage] = []
        for _ in 0..<StoreVerification.logAttempts {
            found = []
            do {
                let (head, _) = try Head.readOnly(fileSystem: fileSystem, directory: directory, start: start)
                try HeadCut(head, .all).forEach(
                    in: .all, damaged: { found.append(StoreDamage($0, path: directory)) }, { _, _ in })
            } catch let error as StorageError {
                found = [StoreDamage(error, path: directory)]
            } catch {
                found = [StoreDamage(file: directory, reason: "\(error)")]
            }
            if found.isEmpty { return }
        }
        damages += found
    }

    /// Who has which slot, as far as the log was read.
    private struct SeriesTable {
        private static let complaintsMax = 100

        private(set) var complaints: [String] = []
        private var generations: [UInt32: UInt32] = [:]

        mutating func check(_ batch: LogBatch, of lsn: LSN) {
            for series in batch.newSeries { generations[series.slot] = series.generation }
            for slot in batch.slots where generations[slot] == nil {
                complain("record \(lsn) has a sample of slot \(slot), which no series was given")
            }
            for deletion in batch.deletions where generations[deletion.slot] == nil {
                complain("record \(lsn) deletes of slot \(deletion.slot), which no series was given")
            }
        }

        private mutating func complain(_ text: String) {
            if complaints.count < SeriesTable.complaintsMax { complaints.append(text) }
        }
    }
}
