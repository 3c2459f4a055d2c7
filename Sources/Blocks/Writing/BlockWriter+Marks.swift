import ByteCoding
import FileIO
import SeriesModel
import StorageAPI
import StorageFiles

extension BlockWriter {
    /// Marks the progress from now on.
    mutating func startMarks(_ conditions: MergeConditions, intervalBytes: Int) {
        progress = MergeProgress(
            conditions, directory: path + BlockFormat.temporarySuffix, intervalBytes: intervalBytes)
    }

    /// Between two series.
    mutating func markIfDue() throws(StorageError) {
        guard let progress, progress.newBytes(output.position) >= progress.intervalBytes else { return }
        try mark()
    }

    /// Leaves what was written for another process to go on with.
    /// - Returns: false where that is not worth it.
    mutating func markForLater() throws(StorageError) -> Bool {
        guard let progress else { return false }
        if progress.hasNews {
            guard progress.isMarked || progress.newBytes(output.position) >= progress.intervalBytes / 8 else {
                return false
            }
            try mark()
        }
        return self.progress?.isMarked ?? false
    }

    /// Makes the data durable, and then what says so.
    private mutating func mark() throws(StorageError) {
        try output.flush()
        let output = output
        try StorageError.wrapping { () throws(FileError) in try output.sync() }
        let mark = MergeProgress.Mark(
            dataBytes: output.position, dataChecksum: output.checksum, chunkCount: footer.chunkCount,
            sampleCount: footer.sampleCount)
        let layoutRows = layouts.rows(from: progress?.markedLayouts ?? 0)
        try progress?.append(mark, layoutRows: layoutRows, fileSystem: fileSystem)
    }

    /// The block is whole: its marks go before it gets its name.
    func removeMarks() throws(FileError) {
        guard let progress, progress.isMarked else { return }
        try fileSystem.remove(FilePath.join(path + BlockFormat.temporarySuffix, MergeProgress.fileName))
    }

    // MARK: - Going on

    /// Goes on with a block where its last good mark was made. What later series might have shared with earlier ones
    /// (columns of timestamps, values of neighbouring buckets) is not remembered: they are written once more.
    /// - Parameter mayGoOn: asked again and again while what is there is read.
    /// - Throws: `StorageError` where the files are not what the marks say: nothing of them may be used then;
    ///   `BlockMerge.Stop.interrupted` where it may not go on: they are as they were.
    init(
        resuming interrupted: InterruptedMerge, fileSystem: any FileSystem, directory: String, intervalBytes: Int,
        mayGoOn: () -> Bool
    ) throws {
        let conditions = interrupted.conditions
        var footer = conditions.draft
        var index = IndexBuilder(start: footer.range.min)
        var layouts = TimeLayoutTable(footer.range)
        var labels: LabelSet?
        var offset = 0
        var mark: MergeProgress.Mark?
        let (position, checksum): (Int, UInt32)
        do {
            // Its file is mapped, and must not be while it is cut back.
            var reader = try MergeProgressReader(fileSystem: fileSystem, directory: interrupted.path)
            guard reader.conditions == conditions else { throw StorageError.invalid(reason: "another merge") }
            while let addition = try reader.next() {
                mark = addition.mark
                for row in addition.layoutRows { layouts.restore(row) }
                for series in addition.series {
                    guard labels.map({ $0 < series.labels }) ?? true, series.offset >= offset,
                        Int(series.layout) < max(1, layouts.rowEnds.count)
                    else { throw StorageError.invalid(reason: "series out of order") }
                    index.restore(series.labels, row: series.row, offset: series.offset, layout: series.layout)
                    (labels, offset) = (series.labels, series.offset)
                }
            }
            (position, checksum) = (reader.position, reader.checksum)
        }
        guard let mark else { throw StorageError.invalid(reason: "no mark is whole") }
        (footer.chunkCount, footer.sampleCount) = (mark.chunkCount, mark.sampleCount)
        try BlockWriter.verifyData(interrupted.path, mark, fileSystem, mayGoOn)
        let (dataFile, progressFile) = try BlockWriter.cutBack(
            interrupted.path, data: mark.dataBytes, progress: position, fileSystem)
        self.init(
            fileSystem: fileSystem, directory: directory, footer: footer,
            output: DataOutput(dataFile, written: mark.dataBytes, checksum: mark.dataChecksum), index: index,
            layouts: layouts)
        previousLabels = labels
        progress = MergeProgress(
            conditions, progressFile, checksum: checksum, mark, layouts: layouts.rowEnds.count,
            intervalBytes: intervalBytes)
    }

    /// Everything was synced before its mark was written; a disk may still have lied. That may be many gigabytes: they are
    /// read in pieces, in order, so that the system reads ahead, and other work has its turn between two of them.
    private static func verifyData(
        _ directory: String, _ mark: MergeProgress.Mark, _ fileSystem: any FileSystem, _ mayGoOn: () -> Bool
    ) throws {
        let path = FilePath.join(directory, BlockFormat.dataName)
        var piece = [UInt8](repeating: 0, count: max(0, min(verifiedAtOnce, mark.dataBytes)))
        var checksum: UInt32 = 0
        var offset = 0
        while offset < mark.dataBytes {
            if offset > 0, !mayGoOn() { throw BlockMerge.Stop.interrupted }
            let wanted = min(piece.count, mark.dataBytes - offset)
            let result = piece.withUnsafeMutableBytes { target -> Result<UInt32, StorageError> in
                let target = UnsafeMutableRawBufferPointer(rebasing: target[..<wanted])
                do throws(FileError) {
                    let count = try fileSystem.copy(path, from: offset, into: target)
                    guard count == wanted else {
                        return .failure(.corruption(file: path, offset: offset + count, reason: "ends early"))
                    }
                    return .success(CRC32C.checksum(UnsafeRawBufferPointer(target), extending: checksum))
                } catch {
                    return .failure(StorageError(error))
                }
            }
            checksum = try result.get()
            offset += wanted
        }
        guard checksum == mark.dataChecksum, mark.dataBytes >= BlockFormat.fileHeaderBytes else {
            throw StorageError.corruption(
                file: path, offset: 0, reason: "checksum of the first \(mark.dataBytes) bytes")
        }
    }

    /// Bytes.
    private static var verifiedAtOnce: Int { 1 << 20 }

    /// Removes what was written behind the mark.
    private static func cutBack(
        _ directory: String, data: Int, progress: Int, _ fileSystem: any FileSystem
    ) throws(StorageError) -> (data: any AppendableFile, progress: any AppendableFile) {
        try StorageError.wrapping { () throws(FileError) in
            for name in [BlockFormat.indexName, BlockFormat.footerName] {
                let path = FilePath.join(directory, name)
                if fileSystem.exists(path) { try fileSystem.remove(path) }
            }
            let dataFile = try fileSystem.openForAppending(FilePath.join(directory, BlockFormat.dataName))
            try dataFile.truncate(to: data)
            let progressFile = try fileSystem.openForAppending(FilePath.join(directory, MergeProgress.fileName))
            try progressFile.truncate(to: progress)
            return (dataFile, progressFile)
        }
    }
}
