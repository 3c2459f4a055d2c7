import ByteCoding
import FileIO
import SeriesModel
import StorageAPI
import StorageFiles

/// The file that lets a merge go on after the end of the process: what it depends on, and after each few megabytes a
/// **mark**: how much of the data file is durable, and what the index has got since the mark before. Marks are appended;
/// one that is torn or damaged ends the file, and the one before it holds.
///
/// Format: `docs/formats/merge-progress.md`.
struct MergeProgress {
    static let fileName = "progress"
    static let magic: [UInt8] = Array("HEARTHMP".utf8)
    static let version: UInt32 = 1
    static let conditionBytesMax = 4 << 20

    /// Written to the file with a mark.
    struct Mark: Hashable {
        var dataBytes: Int
        /// Of all these bytes.
        var dataChecksum: UInt32
        var chunkCount: Int
        var sampleCount: Int
    }

    /// How many bytes of data and progress make a mark due.
    let intervalBytes: Int
    private let path: String
    private let conditions: MergeConditions
    /// nil before the first mark.
    private var file: (any AppendableFile)?
    /// Of all that stands in the file.
    private var checksum: UInt32 = 0

    // MARK: Since the last mark

    /// Of the data file, at the last mark.
    private(set) var markedBytes = 0
    private(set) var markedLayouts = 0
    private var series = ByteBuilder()
    private var seriesCount = 0
    private var previousLabels: [UInt8] = []
    private var previousOffset = 0

    /// - Parameter directory: in which the block is written.
    init(_ conditions: MergeConditions, directory: String, intervalBytes: Int) {
        self.conditions = conditions
        self.intervalBytes = intervalBytes
        path = FilePath.join(directory, MergeProgress.fileName)
    }

    /// Goes on behind the last mark of a file.
    init(
        _ conditions: MergeConditions, _ file: any AppendableFile, checksum: UInt32, _ mark: Mark, layouts: Int,
        intervalBytes: Int
    ) {
        self.conditions = conditions
        self.intervalBytes = intervalBytes
        self.file = file
        self.checksum = checksum
        path = file.path
        markedBytes = mark.dataBytes
        markedLayouts = layouts
    }

    /// Whether there is a mark.
    var isMarked: Bool { file != nil }

    /// Whether there is something that no mark has.
    var hasNews: Bool { seriesCount > 0 }

    /// What a mark would save. Bytes.
    func newBytes(_ position: Int) -> Int { position - markedBytes + series.count }

    mutating func note(_ labels: LabelSet, row: ArraySlice<UInt8>, offset: Int, layout: UInt32) {
        let shared = zip(previousLabels, labels.packed).prefix { $0 == $1 }.count
        series.appendVarint(shared)
        series.appendVarint(labels.packed.count - shared)
        series.append(contentsOf: labels.packed[shared...])
        series.appendVarint(offset - previousOffset)
        series.appendVarint(UInt64(layout))
        series.appendVarint(row.count)
        series.append(contentsOf: row)
        (previousLabels, previousOffset) = (labels.packed, offset)
        seriesCount += 1
    }

    /// Writes a mark; durable when the call returns. So must be the data before.
    /// - Parameters:
    ///   - layoutRows: those that came since the last mark.
    mutating func append(
        _ mark: Mark, layoutRows: [ArraySlice<UInt8>], fileSystem: any FileSystem
    ) throws(StorageError) {
        var frame = ByteBuilder(capacity: series.count + 64)
        frame.appendLittleEndian(UInt64(mark.dataBytes))
        frame.appendLittleEndian(mark.dataChecksum)
        frame.appendLittleEndian(UInt64(mark.chunkCount))
        frame.appendLittleEndian(UInt64(mark.sampleCount))
        frame.appendVarint(layoutRows.count)
        for row in layoutRows { frame.appendSized(Array(row)) }
        frame.appendVarint(seriesCount)
        frame.append(contentsOf: series.bytes)
        var bytes = ByteBuilder(capacity: frame.count + 8)
        let isNew = file == nil
        if isNew {
            bytes.append(contentsOf: MergeProgress.magic)
            bytes.appendLittleEndian(MergeProgress.version)
            MergeProgress.append(conditions.encoded, to: &bytes, &checksum, from: 0)
        }
        MergeProgress.append(frame.bytes, to: &bytes, &checksum, from: bytes.count)
        let (path, directory) = (path, FilePath.directory(of: path))
        let output = file
        file = try StorageError.wrapping { () throws(FileError) in
            let file: any AppendableFile
            if let output { file = output } else { file = try fileSystem.create(path) }
            try file.append(bytes.bytes)
            try file.sync()
            if isNew {
                try fileSystem.syncDirectory(directory)
                try fileSystem.syncDirectory(FilePath.directory(of: directory))
            }
            return file
        }
        (markedBytes, markedLayouts) = (mark.dataBytes, markedLayouts + layoutRows.count)
        series.removeAll()
        (seriesCount, previousLabels, previousOffset) = (0, [], 0)
    }

    /// A length, the content, and the checksum of all that stands in the file without the checksums before.
    /// - Parameter start: of what was added to `bytes` since the checksum before.
    private static func append(
        _ content: [UInt8], to bytes: inout ByteBuilder, _ checksum: inout UInt32, from start: Int
    ) {
        bytes.appendLittleEndian(UInt32(clamping: content.count))
        bytes.append(contentsOf: content)
        checksum = CRC32C.checksum(bytes.bytes[start...], extending: checksum)
        bytes.appendLittleEndian(checksum)
    }
}
