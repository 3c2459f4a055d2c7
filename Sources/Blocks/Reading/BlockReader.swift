import ByteCoding
package import FileIO
package import SeriesModel
package import StorageAPI
package import StorageFiles
import Synchronization

/// An open block. Both files are mapped; opening reads the footer, the tombstones and two headers, whatever the number
/// of series.
///
/// Series are numbered from 0 in the order of their labels. Any thread may read; samples are decoded without a lock. The
/// files may be unlinked while the reader lives: the mappings keep the content.
package final class BlockReader: Sendable {
    package let path: String
    package let footer: BlockFooter
    let data: MappedFile
    let index: BlockIndex
    /// Columns of timestamps that are not regular, by their offset: the series of a scrape share them.
    let columns = DecodedCache<TimestampBox>(count: 64)
    /// What `read` leaves out. Whoever writes another file opens another reader: a view keeps what it saw.
    package let tombstones: BlockTombstones
    /// By series number, filled as series are met; empty before the first. 16 bytes a series.
    private let fingerprintTable = Mutex<[SeriesFingerprint]>([])

    /// - Parameter path: the block's directory.
    /// - Throws: `StorageError.corruption` where a file is not what the footer says.
    package init(fileSystem: any FileSystem, path: String) throws(StorageError) {
        let footer = try BlockReader.footer(fileSystem: fileSystem, path: path)
        let (data, indexFile) = try StorageError.wrapping { () throws(FileError) in
            (
                try fileSystem.map(FilePath.join(path, BlockFormat.dataName)),
                try fileSystem.map(FilePath.join(path, BlockFormat.indexName))
            )
        }
        for (file, bytes) in [(data, footer.dataBytes), (indexFile, footer.indexBytes)] where file.size != bytes {
            throw .corruption(
                file: file.path, offset: min(file.size, bytes), reason: "\(file.size) bytes in place of \(bytes)")
        }
        self.path = path
        self.footer = footer
        self.data = data
        tombstones = try BlockTombstones.read(fileSystem: fileSystem, path: path, seriesCount: footer.seriesCount)
        index = try BlockIndex(indexFile, footer: footer)
        let header = try data.piece(0, min(BlockFormat.fileHeaderBytes, data.size))
        try BlockFormat.checkFileHeader(header, BlockFormat.dataMagic, footer.identifier, file: data.path)
    }

    /// Only what a block says of itself.
    package static func footer(fileSystem: any FileSystem, path: String) throws(StorageError) -> BlockFooter {
        let file = FilePath.join(path, BlockFormat.footerName)
        let bytes = try StorageError.wrapping { () throws(FileError) in
            try fileSystem.read(file, limit: BlockFormat.footerBytesMax)
        }
        return try BlockFooter(bytes, file: file)
    }

    // MARK: - Deletions

    func deleted(of series: UInt32) -> TimeRangeSet? { tombstones.isEmpty ? nil : tombstones.ranges(of: series) }

    // MARK: - Index

    package func labelNames() throws(StorageError) -> [String] { try index.labelNames() }

    package func labelValues(of name: String) throws(StorageError) -> [String] { try index.labelValues(of: name) }

    package func postings(name: String, value: String) throws(StorageError) -> [UInt32] {
        try index.postings(name: name, value: value)
    }

    package func allPostings() -> [UInt32] { Array(0..<UInt32(footer.seriesCount)) }

    package func labels(of series: UInt32) throws(StorageError) -> LabelSet { try index.labels(of: series) }

    package func fingerprints(of series: [UInt32]) throws(StorageError) -> [SeriesFingerprint] {
        var known = fingerprintTable.withLock { table -> [SeriesFingerprint] in
            if table.isEmpty { table = [SeriesFingerprint](repeating: .unknown, count: footer.seriesCount) }
            return series.map { Int($0) < table.count ? table[Int($0)] : .unknown }
        }
        var isComplete = true
        for (position, number) in series.enumerated() where known[position] == .unknown {
            known[position] = SeriesFingerprint(try labels(of: number))
            isComplete = false
        }
        if !isComplete {
            fingerprintTable.withLock { table in
                for (number, fingerprint) in zip(series, known) where Int(number) < table.count {
                    table[Int(number)] = fingerprint
                }
            }
        }
        return known
    }
}

extension BlockReader: BlockSource {
    package var identifier: BlockIdentifier { footer.identifier }
    package var range: TimeRange { footer.range }
    package var level: Int { footer.level }
    package var lsn: LSN { footer.lsn }
    package var seriesCount: Int { footer.seriesCount }
    package var chunkCount: Int { footer.chunkCount }
    package var sampleCount: Int { footer.sampleCount }
}

/// Timestamps that several series share.
final class TimestampBox: Sendable {
    let timestamps: [Timestamp]
    init(_ timestamps: [Timestamp]) { self.timestamps = timestamps }
}
