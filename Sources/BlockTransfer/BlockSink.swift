package import Blocks
package import FileIO
package import SeriesModel
import StorageAPI

/// Takes series in label order and makes blocks of our own of them.
package struct BlockSink: Sendable {
    private let fileSystem: any FileSystem
    /// The one that holds the blocks.
    private let directory: String

    /// - Parameter dataDirectory: made where it is missing.
    package init(fileSystem: any FileSystem, dataDirectory: String) {
        self.fileSystem = fileSystem
        directory = BlockDirectory.path(in: dataDirectory)
    }

    /// Whether there is a block of that name already.
    package func has(_ identifier: BlockIdentifier) -> Bool {
        fileSystem.exists(FilePath.join(directory, identifier.description))
    }

    /// Writes a block.
    /// - Parameters:
    ///   - range: the end is excluded. ms
    ///   - body: hands the series to its argument, one after the other. A series without samples is left out.
    /// - Returns: nil, and no block, where no series has samples.
    package func write(
        _ identifier: BlockIdentifier, range: TimeRange, level: Int = 1,
        _ body: (_ add: (LabelSet, SampleBuffer) throws -> Void) throws -> Void
    ) throws -> BlockFooter? {
        // What comes from elsewhere is in no log record.
        var writer = try BlockWriter(
            fileSystem: fileSystem, directory: directory, identifier: identifier, range: range, level: level, lsn: 0)
        var count = 0
        do {
            try body { labels, samples in
                if samples.isEmpty { return }
                count += 1
                try writer.addSeries(labels, samples)
            }
        } catch {
            // The first error is the one to tell; what is left is removed when the store is opened.
            try? writer.abandon()
            throw error
        }
        if count == 0 {
            try writer.abandon()
            return nil
        }
        return try writer.finish()
    }
}
