import Blocks
import FileIO
import Logging
import PrometheusBlocks
import StorageAPI
import StorageFiles
import Synchronization

/// The blocks of Prometheus' in the data directory: found at the start and every minute, as ours are. They are only
/// read: one that is damaged is reported and left out where it is, and so is one that was imported.
final class PrometheusBlockSet: Sendable {
    private struct State {
        /// Damaged ones, until they are gone.
        var leftOut: Set<BlockIdentifier> = []
        /// Whether the list of imported blocks was reported as damaged.
        var isListReported = false
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

    /// Leaves a block out from now on.
    func leaveOut(_ identifier: BlockIdentifier) { state.withLock { _ = $0.leftOut.insert(identifier) } }

    /// Looks at the directory.
    /// - Parameters:
    ///   - known: those that are open already.
    ///   - own: our blocks: one of the same name, or made of one, has the samples.
    ///   - report: gets each damage that was not known before.
    /// - Throws: where the directory cannot be read.
    func look(
        known: [PrometheusBlockSource], own: [BlockRecord], _ report: (StorageDamage) -> Void
    ) throws(StorageError) -> [PrometheusBlockSource] {
        let prometheus = PrometheusDirectory(fileSystem: fileSystem, path: directory)
        let (found, damaged) = try prometheus.readableBlocks()
        let adopted = imported(report).identifiers
            .union(own.map(\.identifier)).union(own.flatMap(\.parents))
        var present: Set<BlockIdentifier> = []
        var blocks: [PrometheusBlockSource] = []
        func leaveOut(_ path: String, _ identifier: BlockIdentifier, _ error: StorageError) {
            guard state.withLock({ $0.leftOut.insert(identifier).inserted }) else { return }
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
            if adopted.contains(identifier) || state.withLock({ $0.leftOut.contains(identifier) }) { continue }
            if let open = known.first(where: { $0.identifier == identifier }) {
                blocks.append(open)
                continue
            }
            do throws(StorageError) {
                blocks.append(try PrometheusBlockSource(fileSystem: fileSystem, path: path))
            } catch {
                guard case .corruption = error else { throw error }
                leaveOut(path, identifier, error)
            }
        }
        state.withLock { $0.leftOut.formIntersection(present) }
        return blocks
    }

    private func imported(_ report: (StorageDamage) -> Void) -> ImportedBlocks {
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
