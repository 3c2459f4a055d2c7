package import FileIO
package import StorageAPI
import StorageFiles

/// The directory that holds the blocks.
package enum BlockDirectory {
    /// Its place in a data directory.
    package static func path(in dataDirectory: String) -> String { FilePath.join(dataDirectory, "blocks") }

    /// The paths of the directories that have a block's name, in the order of their identifiers, and of what an
    /// interrupted write or removal left behind. Both are empty where there is no directory.
    package static func list(
        fileSystem: any FileSystem, directory: String
    ) throws(StorageError) -> (blocks: [String], leftovers: [String]) {
        guard fileSystem.exists(directory) else { return ([], []) }
        let names = try StorageError.wrapping { () throws(FileError) in try fileSystem.list(directory) }
        let blocks = names.filter { BlockIdentifier($0) != nil }
        let leftovers = names.filter { $0.hasSuffix(BlockFormat.temporarySuffix) }
        return (blocks.map { FilePath.join(directory, $0) }, leftovers.map { FilePath.join(directory, $0) })
    }

    /// Removes a block, or a leftover: first its name, so that half a block is never found under it.
    package static func remove(fileSystem: any FileSystem, path: String) throws(StorageError) {
        try StorageError.wrapping { () throws(FileError) in
            if path.hasSuffix(BlockFormat.temporarySuffix) {
                try fileSystem.remove(path)
                return
            }
            let aside = path + BlockFormat.temporarySuffix
            if fileSystem.exists(aside) { try fileSystem.remove(aside) }
            try fileSystem.rename(path, to: aside)
            try fileSystem.syncDirectory(FilePath.directory(of: path))
            try fileSystem.remove(aside)
        }
    }
}
