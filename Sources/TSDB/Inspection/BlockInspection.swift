package import Blocks
package import FileIO
import PrometheusBlocks
package import SeriesModel
package import StorageAPI
import StorageFiles

/// The blocks of a data directory that can be opened, oldest first. Nothing is changed.
package struct BlockInspection {
    package private(set) var readers: [BlockReader] = []
    package private(set) var damages: [StoreDamage] = []
    /// Those of Prometheus' that a server would serve beside ours, whatever its retention.
    let prometheus: [PrometheusBlockSource]
    /// Their log, where it was asked for.
    let prometheusLog: PrometheusLogSource?
    /// Of Prometheus' blocks.
    package let prometheusDamages: [StoreDamage]

    package init(fileSystem: any FileSystem, directory: String) throws(StorageError) {
        try self.init(fileSystem: fileSystem, directory: directory, readsLog: false)
    }

    /// - Parameter readsLog: whether the log of a Prometheus is read too.
    init(fileSystem: any FileSystem, directory: String, readsLog: Bool) throws(StorageError) {
        guard fileSystem.exists(directory) else { throw .invalid(reason: "\(directory): no such directory") }
        let listing = try BlockDirectory.list(
            fileSystem: fileSystem, directory: BlockDirectory.path(in: directory))
        for path in listing.blocks {
            do throws(StorageError) {
                readers.append(try BlockReader(fileSystem: fileSystem, path: path))
            } catch {
                // A running server may have removed it since the directory was listed.
                if fileSystem.exists(path) { damages.append(StoreDamage(error, path: path)) }
            }
        }
        var damages: [StoreDamage] = []
        let set = PrometheusBlockSet(fileSystem: fileSystem, directory: directory)
        let note: (StorageDamage) -> Void = { damages.append(StoreDamage(file: $0.file, reason: $0.reason)) }
        let imported = set.imported(note)
        prometheus = try set.look(
            known: [], own: readers.map { BlockRecord($0.footer) }, imported: imported, note)
        prometheusLog = readsLog ? set.log(imported: imported, note) : nil
        prometheusDamages = damages
        readers.sort {
            ($0.footer.range.min, $0.footer.identifier) < ($1.footer.range.min, $1.footer.identifier)
        }
    }

    /// A line of the list of blocks.
    package struct Row: Sendable {
        package var identifier: BlockIdentifier
        /// The end is excluded. ms
        package var range: TimeRange
        package var sampleCount: Int
        package var chunkCount: Int
        package var seriesCount: Int
        package var bytes: Int

        init(_ source: some BlockSource, bytes: Int) {
            identifier = source.identifier
            range = source.range
            sampleCount = source.sampleCount
            chunkCount = source.chunkCount
            seriesCount = source.seriesCount
            self.bytes = bytes
        }
    }

    /// Of our blocks and Prometheus', oldest first.
    package var rows: [Row] {
        let rows = readers.map { Row($0, bytes: $0.footer.bytes) } + prometheus.map { Row($0, bytes: $0.block.bytes) }
        return rows.sorted { ($0.range.min, $0.identifier) < ($1.range.min, $1.identifier) }
    }

    /// The analysis of one of the blocks; nil where there is none of that name.
    package func analysis(
        of identifier: BlockIdentifier, matchers: [LabelMatcher] = [], limit: Int
    ) throws -> BlockAnalysis? {
        if let reader = readers.first(where: { $0.footer.identifier == identifier }) {
            return try BlockAnalysis(reader, matchers: matchers, limit: limit)
        }
        guard let source = prometheus.first(where: { $0.identifier == identifier }) else { return nil }
        return try BlockAnalysis(of: source, matchers: matchers, limit: limit)
    }
}
