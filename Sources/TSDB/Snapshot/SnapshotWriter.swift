import Blocks
import FileIO
import StorageAPI
import StorageFiles

/// Makes a directory of copies aside and gives it its name when it is whole and durable.
struct SnapshotWriter {
    private static let temporarySuffix = ".tmp"

    let fileSystem: any FileSystem
    /// The directory of all snapshots; made where it is missing.
    let parent: String
    let name: String

    /// - Parameters:
    ///   - fill: puts the blocks into the directory that it gets.
    ///   - finishing: puts what else belongs there.
    func write(_ fill: (String) throws -> Void, finishing: (String) throws -> Void) throws {
        let path = FilePath.join(parent, name)
        let aside = path + SnapshotWriter.temporarySuffix
        try StorageError.wrapping { () throws(FileError) in
            try removeLeftovers()
            try fileSystem.createDirectory(BlockDirectory.path(in: aside))
        }
        do {
            try fill(aside)
            try finishing(aside)
            try StorageError.wrapping { () throws(FileError) in
                try fileSystem.syncDirectory(BlockDirectory.path(in: aside))
                try fileSystem.syncDirectory(aside)
                try fileSystem.rename(aside, to: path)
                try fileSystem.syncDirectory(parent)
                try fileSystem.syncDirectory(FilePath.directory(of: parent))
            }
        } catch {
            // The first error is the one to tell; what is left is removed by the next attempt.
            try? fileSystem.remove(aside)
            throw error
        }
    }

    /// Of snapshots that were not finished.
    private func removeLeftovers() throws(FileError) {
        guard fileSystem.exists(parent) else { return }
        for name in try fileSystem.list(parent) where name.hasSuffix(SnapshotWriter.temporarySuffix) {
            try fileSystem.remove(FilePath.join(parent, name))
        }
    }

    /// Gives the files of a block second names in a copy of the data directory. None of them is ever changed in place:
    /// tombstones too are replaced as a whole.
    func link(_ block: String, into directory: String) throws(StorageError) {
        let target = FilePath.join(BlockDirectory.path(in: directory), FilePath.name(of: block))
        try StorageError.wrapping { () throws(FileError) in try linkContents(block, target) }
    }

    /// As `link`, for a block of Prometheus', which lies in the data directory itself.
    func linkBeside(_ block: String, into directory: String) throws(StorageError) {
        let target = FilePath.join(directory, FilePath.name(of: block))
        try StorageError.wrapping { () throws(FileError) in try linkContents(block, target) }
    }

    private func linkContents(_ source: String, _ target: String) throws(FileError) {
        try fileSystem.createDirectory(target)
        for name in try fileSystem.list(source) {
            let (from, to) = (FilePath.join(source, name), FilePath.join(target, name))
            if (try? fileSystem.list(from)) == nil {
                try fileSystem.link(from, to: to)
            } else {
                try linkContents(from, to)
            }
        }
        try fileSystem.syncDirectory(target)
    }
}
