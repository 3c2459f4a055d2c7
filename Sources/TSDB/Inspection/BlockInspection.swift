package import Blocks
package import FileIO
import SeriesModel
package import StorageAPI
import StorageFiles

/// The blocks of a data directory that can be opened, oldest first. Nothing is changed.
package struct BlockInspection {
    package private(set) var readers: [BlockReader] = []
    package private(set) var damages: [StoreDamage] = []
    /// Those of Prometheus' that a server would serve beside ours, whatever its retention.
    let prometheus: [PrometheusBlockSource]
    /// Of Prometheus' blocks.
    package let prometheusDamages: [StoreDamage]

    package init(fileSystem: any FileSystem, directory: String) throws(StorageError) {
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
        (prometheus, prometheusDamages) = try BlockInspection.prometheus(fileSystem, directory, readers)
        readers.sort {
            ($0.footer.range.min, $0.footer.identifier) < ($1.footer.range.min, $1.footer.identifier)
        }
    }

    private static func prometheus(
        _ fileSystem: any FileSystem, _ directory: String, _ readers: [BlockReader]
    ) throws(StorageError) -> ([PrometheusBlockSource], [StoreDamage]) {
        var damages: [StoreDamage] = []
        let set = PrometheusBlockSet(fileSystem: fileSystem, directory: directory)
        let sources = try set.look(known: [], own: readers.map { BlockRecord($0.footer) }) {
            damages.append(StoreDamage(file: $0.file, reason: $0.reason))
        }
        return (sources, damages)
    }
}
