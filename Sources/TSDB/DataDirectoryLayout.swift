package import FileIO
import PrometheusBlocks
import StorageAPI
import StorageFiles
import WAL

/// Where in a data directory the files of the head lie.
///
/// Prometheus has files in places of the same names, in a directory that was its own before: its log, its head chunks,
/// its list of queries. They are not ours to change, so ours lie beside them then, under names of their own. The
/// directory of the log decides, so that nothing has to be noted: it is the first that is made.
package struct DataDirectoryLayout: Sendable, Hashable {
    /// Whether the directory was Prometheus'.
    package let isBesidePrometheus: Bool
    private let directory: String
    private static let suffix = "-hearth"
    private static let logName = "wal"
    private static let chunksName = "chunks_head"

    /// Looks at the directory; nothing is changed. One that does not exist is going to be ours alone.
    package init(fileSystem: any FileSystem, directory: String) {
        self.directory = directory
        isBesidePrometheus = DataDirectoryLayout.isPrometheus(fileSystem, directory)
    }

    private static func isPrometheus(_ fileSystem: any FileSystem, _ directory: String) -> Bool {
        if fileSystem.exists(FilePath.join(directory, logName + suffix)) { return true }
        let log = FilePath.join(directory, logName)
        if LogDirectory.isOurs(fileSystem: fileSystem, directory: log) { return false }
        let prometheus = PrometheusDirectory(fileSystem: fileSystem, path: directory)
        if prometheus.hasLog { return true }
        // Opened before, and no trace of a log of Prometheus': what is there is a damaged one of ours, or none.
        if DataDirectoryFormat.isThere(fileSystem, directory) { return false }
        return prometheus.isRecognized
            || [logName, chunksName].contains { name in
                !((try? fileSystem.list(FilePath.join(directory, name))) ?? []).isEmpty
            }
    }

    private func name(_ name: String) -> String { isBesidePrometheus ? name + DataDirectoryLayout.suffix : name }

    /// The path of the directory of our log.
    package var log: String { FilePath.join(directory, name(DataDirectoryLayout.logName)) }

    /// The path of the directory of the log in a directory that is ours alone.
    static func ownLog(in directory: String) -> String { FilePath.join(directory, logName) }

    /// The name of the directory of our head chunks.
    package var chunksName: String { name(DataDirectoryLayout.chunksName) }

    /// The path of the directory of our head chunks.
    package var chunks: String { FilePath.join(directory, chunksName) }

    /// The name of the file that lists the queries being evaluated.
    package var activeQueriesName: String { name("queries.active") }

    /// Makes what the layout is told from, so that it stays.
    func establish(_ fileSystem: any FileSystem) throws(StorageError) {
        guard isBesidePrometheus else { return }
        try StorageError.wrapping { () throws(FileError) in
            try fileSystem.createDirectory(log)
            try fileSystem.syncDirectory(directory)
        }
    }
}
