import Blocks
import FileIO
import Logging
import PrometheusBlocks
import StorageAPI
import StorageFiles
import Synchronization
import WAL

/// The blocks of Prometheus' in the data directory: found at the start and every minute, as ours are. They are only
/// read: one that is damaged is reported and left out where it is, and so is one that was imported.
final class PrometheusBlockSet: Sendable {
    private struct State {
        /// Damaged ones, until they are gone, with the room they took: one that was being copied is tried again.
        var leftOut: [BlockIdentifier: Int] = [:]
        /// Whether the list of imported blocks was reported as damaged.
        var isListReported = false
        /// Read already, and not imported.
        var log: PrometheusLogSource?
        /// The name of the log that was read last.
        var readLog: BlockIdentifier?
    }

    private let fileSystem: any FileSystem
    private let directory: String
    /// Nil where nobody is to be told.
    private let logger: Logger?
    private let state = Mutex(State())

    init(fileSystem: any FileSystem, directory: String, logger: Logger? = nil) {
        self.fileSystem = fileSystem
        self.directory = directory
        self.logger = logger
    }

    /// Leaves a block out as long as its files are those that it was opened with.
    func leaveOut(_ source: PrometheusBlockSource) {
        state.withLock { $0.leftOut[source.identifier] = source.roomAtOpening }
    }

    /// Looks at the directory.
    /// - Parameters:
    ///   - known: those that are open already.
    ///   - own: our blocks: one of the same name, or made of one, has the samples.
    ///   - imported: those that are served no more.
    ///   - report: gets each damage that was not known before.
    /// - Throws: where the directory cannot be read.
    func look(
        known: [PrometheusBlockSource], own: [BlockRecord], imported: ImportedBlocks,
        _ report: (StorageDamage) -> Void
    ) throws(StorageError) -> [PrometheusBlockSource] {
        let prometheus = PrometheusDirectory(fileSystem: fileSystem, path: directory)
        let (found, damaged) = try prometheus.readableBlocks()
        let adopted = imported.identifiers.union(own.map(\.identifier)).union(own.flatMap(\.parents))
        var present: Set<BlockIdentifier> = []
        var blocks: [PrometheusBlockSource] = []
        func leaveOut(_ path: String, _ identifier: BlockIdentifier, _ error: StorageError) {
            let room = PrometheusBlockSource.room(fileSystem, path)
            guard state.withLock({ $0.leftOut.updateValue(room, forKey: identifier) }) == nil else { return }
            logger?.error(
                "a block of Prometheus' cannot be read, it is left out",
                metadata: ["path": "\(path)", "error": "\(error)"])
            report(StorageDamage(file: path, reason: "\(error)"))
        }
        for (path, error) in damaged {
            guard let identifier = BlockIdentifier(FilePath.name(of: path)) else { continue }
            present.insert(identifier)
            if !adopted.contains(identifier) { leaveOut(path, identifier, error) }
        }
        for (path, _) in found {
            guard let identifier = BlockIdentifier(FilePath.name(of: path)) else { continue }
            present.insert(identifier)
            if adopted.contains(identifier) || isLeftOut(path, identifier) { continue }
            // One that was left out and has other files now is opened anew.
            if let open = known.first(where: { $0.identifier == identifier }),
                state.withLock({ $0.leftOut[identifier] }) == nil
            {
                blocks.append(open)
                continue
            }
            do throws(StorageError) {
                blocks.append(try PrometheusBlockSource(fileSystem: fileSystem, path: path))
                state.withLock { $0.leftOut[identifier] = nil }
            } catch {
                guard case .corruption = error else { throw error }
                leaveOut(path, identifier, error)
            }
        }
        state.withLock { $0.leftOut = $0.leftOut.filter { present.contains($0.key) } }
        return blocks
    }

    private func isLeftOut(_ path: String, _ identifier: BlockIdentifier) -> Bool {
        guard let room = state.withLock({ $0.leftOut[identifier] }) else { return false }
        return room == PrometheusBlockSource.room(fileSystem, path)
    }

    /// The log of the Prometheus that had the directory, read when it is first asked for. Nil where there is none, it holds
    /// nothing that blocks do not, cannot be read, was imported or is gone.
    /// - Parameter report: gets each damage that was not known before.
    func log(imported: ImportedBlocks, _ report: (StorageDamage) -> Void) -> PrometheusLogSource? {
        let prometheus = PrometheusDirectory(fileSystem: fileSystem, path: directory)
        let path = DataDirectoryLayout.ownLog(in: directory)
        guard DataDirectoryLayout(fileSystem: fileSystem, directory: directory).isBesidePrometheus,
            !LogDirectory.isOurs(fileSystem: fileSystem, directory: path), let fingerprint = prometheus.logFingerprint
        else {
            state.withLock { $0.log = nil }
            return nil
        }
        let identifier = BlockIdentifier(high: fingerprint.high, low: fingerprint.low)
        if imported.contains(identifier) {
            state.withLock { $0.log = nil }
            return nil
        }
        let (known, read) = state.withLock { ($0.log, $0.readLog) }
        if read == identifier { return known }
        let log = readLog(prometheus, path, identifier, report)
        state.withLock {
            $0.log = log
            $0.readLog = identifier
        }
        return log
    }

    private func readLog(
        _ prometheus: PrometheusDirectory, _ path: String, _ identifier: BlockIdentifier,
        _ report: (StorageDamage) -> Void
    ) -> PrometheusLogSource? {
        do throws(StorageError) {
            let blocks = try prometheus.readableBlocks().blocks
            let log = try PrometheusLog(
                fileSystem: fileSystem, directory: directory,
                start: PrometheusDirectory.logStart(behind: blocks.map(\.meta)))
            for damage in log.report.damages {
                logger?.error("Prometheus' log is damaged", metadata: ["error": "\(damage)"])
                report(StorageDamage(file: path, reason: "\(damage)"))
            }
            logger?.info(
                "Prometheus' log was read",
                metadata: [
                    "series": "\(log.series.count)", "samples": "\(log.report.sampleCount)",
                    "unannounced": "\(log.report.orphanCount)", "invalid": "\(log.report.invalidCount)",
                    "unknown_records": "\(log.report.unknownRecordCount)",
                ])
            return log.range.map { PrometheusLogSource(log, $0, identifier: identifier, path: path) }
        } catch {
            logger?.error("Prometheus' log cannot be read, it is left out", metadata: ["error": "\(error)"])
            report(StorageDamage(file: path, reason: "\(error)"))
            return nil
        }
    }

    /// What was imported; nothing where the list of it is damaged.
    func imported(_ report: (StorageDamage) -> Void) -> ImportedBlocks {
        do throws(StorageError) {
            return try ImportedBlocks(fileSystem: fileSystem, dataDirectory: directory)
        } catch {
            // Without the list what was imported is served twice, of which queries see nothing.
            if !state.withLock({ $0.isListReported }) {
                state.withLock { $0.isListReported = true }
                logger?.error("the list of imported blocks cannot be read", metadata: ["error": "\(error)"])
                report(
                    StorageDamage(
                        file: FilePath.join(directory, ImportedBlocks.fileName), reason: "\(error)"))
            }
            return ImportedBlocks()
        }
    }
}
