package import FileIO

/// What a directory holds, told from the files in it: Prometheus' log has the same place and the same names.
package enum LogDirectory {
    /// Whether a file of our log is there, a damaged one included.
    /// - Parameter directory: need not exist.
    package static func isOurs(fileSystem: any FileSystem, directory: String) -> Bool {
        guard let names = try? fileSystem.list(directory) else { return false }
        return names.contains { name in
            if LogFormat.checkpointLSN(name) != nil { return true }
            guard LogFormat.segmentNumber(name) != nil,
                let file = try? fileSystem.map(FilePath.join(directory, name)), file.size >= LogFormat.magic.count
            else { return false }
            return (try? file.bytes(at: 0, count: LogFormat.magic.count)) == LogFormat.magic
        }
    }
}
