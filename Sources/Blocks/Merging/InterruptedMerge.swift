package import FileIO
package import StorageAPI
import StorageFiles

/// How a merge is to mark its progress, so that it can go on after the end of the process.
package struct MergeMarks: Sendable {
    /// After so many bytes written a mark is made: the data is synced, and what the index has got since.
    package var intervalBytes: Int
    /// What else the result depends on. A merge that was interrupted goes on only with the same bytes.
    package var context: [UInt8]

    package init(intervalBytes: Int, context: [UInt8] = []) {
        self.intervalBytes = intervalBytes
        self.context = context
    }
}

/// A merge that the end of a process interrupted, and that left marks.
package struct InterruptedMerge: Sendable {
    /// The directory in which its block was being written.
    package let path: String
    /// What is there. Bytes.
    package let bytes: Int
    let conditions: MergeConditions

    /// The blocks that it merges.
    package var sources: [BlockIdentifier] { conditions.draft.parents }

    /// As in `MergeMarks`.
    package var context: [UInt8] { conditions.context }

    /// nil where a directory has nothing to go on with.
    init?(fileSystem: any FileSystem, path: String) {
        guard fileSystem.exists(FilePath.join(path, MergeProgress.fileName)),
            let conditions = try? MergeProgressReader(fileSystem: fileSystem, directory: path).conditions,
            FilePath.name(of: path) == conditions.draft.identifier.description + BlockFormat.temporarySuffix
        else { return nil }
        self.path = path
        self.conditions = conditions
        let sizes = [BlockFormat.dataName, BlockFormat.indexName, MergeProgress.fileName]
            .map { (try? fileSystem.size(FilePath.join(path, $0))) ?? 0 }
        bytes = sizes.reduce(0, +)
    }

    /// The newest one among the blocks, as only one merge runs at a time.
    /// - Parameter directory: that holds the blocks.
    package static func find(
        fileSystem: any FileSystem, directory: String
    ) throws(StorageError) -> InterruptedMerge? {
        let leftovers = try BlockDirectory.list(fileSystem: fileSystem, directory: directory).leftovers
        for path in leftovers.reversed() {
            if let merge = InterruptedMerge(fileSystem: fileSystem, path: path) { return merge }
        }
        return nil
    }
}
